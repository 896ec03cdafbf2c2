import NormaNN
import NormaTensor
import Testing

/// Attention in blocks against softmax(q kᵀ scale + mask) v in `float64`, with all weights stored.
@Suite(.seeded) struct ScaledDotProductAttentionTests {
  /// What is attended to.
  enum Visibility: CaseIterable {
    case all, causal, booleans, sharedBooleans, numbers, columns
  }

  /// Shapes below, at and above the size of a block, for queries, keys or both.
  static let lengths = [(1, 1), (1, 700), (3, 5), (64, 64), (65, 513), (200, 130), (130, 1100)]

  private func mask(_ kind: Visibility, _ l: Int, _ s: Int, _ dtype: DType) -> Tensor? {
    switch kind {
    case .all, .causal: nil
    case .booleans: Tensor.rand(2, 3, l, s) .< 0.3
    case .sharedBooleans: Tensor.rand(2, 1, 1, s) .< 0.8
    case .numbers: Tensor.randn(3, l, s, dtype: dtype)
    case .columns: Tensor.randn(s, l, dtype: dtype).transposed()
    }
  }

  /// The definition.
  private func expected(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: Tensor?, isCausal: Bool
  ) -> Tensor {
    var scores = q.matmul(k.transposed()) / Double(q.shape[3]).squareRoot()
    let (l, s) = (q.shape[2], k.shape[2])
    if isCausal {
      scores = Tensor.where(
        Tensor.arange(s) .<= Tensor.arange(l).unsqueezed(1), scores, -Double.infinity)
    } else if let mask {
      scores =
        mask.dtype == .bool ? Tensor.where(mask, scores, -Double.infinity) : scores + mask
    }
    let isBlind = scores.detached().max(over: -1, keepDims: true) .== -Double.infinity
    let weights = Tensor.where(isBlind, 0, Tensor.where(isBlind, 0, scores).softmax(over: -1))
    return weights.matmul(v)
  }

  private func worst(_ a: Tensor, _ b: Tensor) -> Double {
    let scale = max(b.abs().max().item(), 1e-3)
    return (a.cast(to: .float64) - b).abs().max().item() / scale
  }

  /// Scores so far below the largest that their weights have no digits, and NaN among them.
  @Test(arguments: [DType.float32, .float64])
  func farScores(_ dtype: DType) {
    let q = Tensor.ones(1, 1, 3, 1, dtype: dtype)
    let scores = Tensor([0, -80, -90, -400, -720, -800, 3] as [Double]).reshaped(1, 1, 7, 1)
    let v = Tensor.randn(1, 1, 7, 2, dtype: .float64)
    let result = scaledDotProductAttention(
      q, scores.cast(to: dtype), v.cast(to: dtype), scale: 1)
    let wide = expected(
      q.cast(to: .float64), scores, v, nil, isCausal: false)
    #expect(worst(result, wide) < (dtype == .float32 ? 1e-6 : 1e-14))
    let unknown = Tensor.where(scores .== -400.0, Double.nan, scores).cast(to: dtype)
    let spoiled = scaledDotProductAttention(q, unknown, v.cast(to: dtype), scale: 1)
    #expect(spoiled.isNaN().all().item() == 1)
  }

  @Test(arguments: Visibility.allCases, [DType.float32, .float64])
  func equalsTheDefinition(_ kind: Visibility, _ dtype: DType) {
    for (l, s) in Self.lengths {
      let (width, valueWidth) = (8, 5)
      // Heads inside of positions, as a linear layer leaves them.
      func operand(_ rows: Int, _ columns: Int) -> Tensor {
        Tensor.randn(2, rows, 3, columns, dtype: dtype).transposed(1, 2).requiringGradient()
      }
      let (q, k, v) = (operand(l, width), operand(s, width), operand(s, valueWidth))
      let mask = mask(kind, l, s, dtype)
      let upstream = Tensor.randn(2, 3, l, valueWidth, dtype: dtype)
      let result = scaledDotProductAttention(q, k, v, mask: mask, isCausal: kind == .causal)
      let gradients = Tensor.gradient(of: result, at: [q, k, v], upstream: upstream)
      let wide = [q, k, v].map { $0.detached().cast(to: .float64).requiringGradient() }
      let exact = expected(
        wide[0], wide[1], wide[2], mask.map { $0.dtype == .bool ? $0 : $0.cast(to: .float64) },
        isCausal: kind == .causal)
      let exactGradients = Tensor.gradient(
        of: exact, at: wide, upstream: upstream.cast(to: .float64))
      let bound = dtype == .float64 ? 1e-13 : 3e-6
      #expect(worst(result, exact) < bound, "\(l) x \(s)")
      for (found, right) in zip(gradients, exactGradients) {
        #expect(worst(found, right) < 4 * bound, "\(l) x \(s)")
      }
    }
  }

  /// Repeated key heads, also with a mask for every query head, against copies.
  @Test func sharedKeyHeads() {
    let q = Tensor.randn(2, 6, 70, 16).requiringGradient()
    let k = Tensor.randn(2, 2, 600, 16).requiringGradient()
    let v = Tensor.randn(2, 2, 600, 16).requiringGradient()
    func repeated(_ x: Tensor) -> Tensor { x.repeatedInterleaved(3, over: 1) }
    for mask in [nil, Tensor.rand(2, 6, 70, 600) .< 0.5, Tensor.rand(2, 1, 1, 600) .< 0.5] {
      let found = scaledDotProductAttention(q, k, v, mask: mask, enableGQA: true)
      let right = scaledDotProductAttention(q, repeated(k), repeated(v), mask: mask)
      #expect(found.isEqual(to: right))
      let gradients = Tensor.gradient(of: (found * q).sum(), at: [q, k, v])
      let rightGradients = Tensor.gradient(of: (right * q).sum(), at: [q, k, v])
      for (a, b) in zip(gradients, rightGradients) {
        #expect(worst(a, b.cast(to: .float64)) < 1e-5)
      }
    }
  }

  /// One pass, of which nothing has the size of the weights; its result has the memory order of the
  /// queries, so that merging heads copies nothing.
  @Test func storesNoWeights() {
    let x = Tensor.randn(2, 1000, 4, 16).transposed(1, 2).requiringGradient()
    let mask = Tensor.rand(1000) .< 0.9
    let (result, steps) = ExecutionLog.recording {
      let result = scaledDotProductAttention(x, x, x, mask: mask)
      _ = Tensor.gradient(of: result, at: [x], upstream: Tensor.ones(2, 4, 1000, 16)).map {
        $0.evaluated()
      }
      return result
    }
    #expect(steps.filter { $0.path == .attention }.count == 2)
    #expect(steps.allSatisfy { $0.bytesWritten < 8 * x.count * 4 })
    let (_, merging) = ExecutionLog.recording {
      result.detached().transposed(1, 2).reshaped(2, 1000, 64).evaluated()
    }
    #expect(merging.isEmpty)
  }

  /// Blocks of a single head are divided among threads in the same way for every number of them.
  @Test func threadsChangeNothing() {
    for heads in [1, 5] {
      let x = Tensor.randn(heads, 900, 8).requiringGradient()
      func run(_ threads: Int) -> [Tensor] {
        withThreads(threads) {
          let y = scaledDotProductAttention(x, x, x, isCausal: true)
          return [y.evaluated(), Tensor.gradient(of: (y * y).sum(), at: [x])[0].evaluated()]
        }
      }
      let expected = run(1)
      for threads in [2, 3] {
        for (a, b) in zip(run(threads), expected) { #expect(a.isEqual(to: b)) }
      }
    }
  }

  /// Values that no query sees have no influence, whatever they are, and no gradient.
  @Test func hiddenValues() {
    var mask = [Bool](repeating: true, count: 600)
    mask[3] = false
    mask[580] = false
    let q = Tensor.randn(1, 70, 4)
    let k = Tensor.randn(1, 600, 4).requiringGradient()
    let right = scaledDotProductAttention(q, k, k, mask: Tensor(mask))
    let hidden = Tensor(mask).unsqueezed(1)
    let large = Tensor.where(hidden, k, 1e30)
    #expect(scaledDotProductAttention(q, large, k, mask: Tensor(mask)).isEqual(to: right))
    let gradient = Tensor.gradient(of: right.sum(), at: [k])[0]
    #expect(gradient[0, 3].abs().max().item() == 0 && gradient[0, 580].abs().max().item() == 0)
    let blind = scaledDotProductAttention(q, k, k, mask: Tensor.zeros(600, dtype: .bool))
    #expect(blind.abs().max().item() == 0)
    #expect(Tensor.gradient(of: blind.sum(), at: [k])[0].abs().max().item() == 0)
    let nan = scaledDotProductAttention(q, k, Tensor.where(hidden, k, Double.nan))
    #expect(nan.isNaN().all().item(as: Bool.self))
  }

  /// No batch, queries, keys or components: results of 0 in the right shapes, and gradients.
  @Test(arguments: [(0, 3, 3, 4), (2, 0, 3, 4), (2, 3, 0, 4), (2, 3, 3, 0), (2, 0, 0, 0)])
  func emptyOperands(_ n: Int, _ l: Int, _ s: Int, _ e: Int) {
    let q = Tensor.randn(n, l, e).requiringGradient()
    let k = Tensor.randn(n, s, e).requiringGradient()
    let y = scaledDotProductAttention(q, k, k)
    #expect(y.shape == [n, l, e] && y.abs().sum().item() == 0)
    let gradients = Tensor.gradient(of: y, at: [q, k], upstream: Tensor.ones(y.shape))
    #expect(gradients.map(\.shape) == [q.shape, k.shape])
  }

  /// Scores far apart, in an order in which the largest grows from block to block.
  @Test func growingScores() {
    let k = Tensor.arange(2000).unsqueezed(1).cast(to: .float32)
    let q = Tensor([[1.0], [-1], [0.001]]).cast(to: .float32)
    let v = Tensor.randn(2000, 3)
    let found = scaledDotProductAttention(q, k, v)
    let wide = [q, k, v].map { $0.cast(to: .float64).reshaped([1, 1] + $0.shape) }
    let right = expected(wide[0], wide[1], wide[2], nil, isCausal: false)[0, 0]
    #expect((found.cast(to: .float64) - right).abs().max().item() < 1e-5)
  }

  @Test func gradientsOfGradients() {
    let x = Tensor.randn(1, 2, 70, 3, dtype: .float64).requiringGradient()
    func second(_ attention: (Tensor) -> Tensor) -> Tensor {
      let y = attention(x)
      let first = Tensor.gradient(of: (y * y).sum(), at: [x], createGraph: true)[0]
      return Tensor.gradient(of: (first * first).sum(), at: [x])[0]
    }
    let found = second { scaledDotProductAttention($0, $0, $0, isCausal: true) }
    let right = second { expected($0, $0, $0, nil, isCausal: true) }
    #expect(worst(found, right) < 1e-12)
  }

  /// The gradient of a mask needs the weights, and has them.
  @Test func gradientOfTheMask() {
    let x = Tensor.randn(1, 1, 5, 4, dtype: .float64)
    let mask = Tensor.randn(5, 5, dtype: .float64).requiringGradient()
    let found = Tensor.gradient(
      of: (scaledDotProductAttention(x, x, x, mask: mask) * x).sum(), at: [mask])[0]
    let right = Tensor.gradient(
      of: (expected(x, x, x, mask, isCausal: false) * x).sum(), at: [mask])[0]
    #expect(worst(found, right) < 1e-13)
  }
}
