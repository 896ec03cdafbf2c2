import NormaNN
import NormaTensor
import Testing

/// Attention with dropped weights, which no memory holds, against its definition with the same
/// draws.
@Suite(.seeded) struct AttentionDropoutTests {
  private static let p = 0.3

  /// All weights, then dropout, then the product.
  private func expected(
    _ q: Tensor, _ k: Tensor, _ v: Tensor, _ mask: Tensor?, isCausal: Bool
  ) -> Tensor {
    var scores = q.matmul(k.transposed()) / Double(q.shape[q.rank - 1]).squareRoot()
    let (l, s) = (scores.shape[scores.rank - 2], scores.shape[scores.rank - 1])
    let visible = isCausal ? Tensor.arange(s) .<= Tensor.arange(l).unsqueezed(1) : mask
    if let visible { scores = Tensor.where(visible, scores, -Double.infinity) }
    return Tensor.dropout(scores.softmax(over: -1), p: Self.p).matmul(v)
  }

  /// The largest error beside the largest number, or beside the terms of size 1 that cancel in it.
  private func worst(_ a: Tensor, _ b: Tensor) -> Double {
    let scale = max(b.abs().max().item(), 0.1)
    return (a.cast(to: .float64) - b).abs().max().item() / scale
  }

  @Test(arguments: [DType.float32, .float64], [false, true])
  func equalsTheDefinition(_ dtype: DType, _ isCausal: Bool) {
    for (l, s) in [(1, 1), (3, 5), (65, 513), (130, 1100)] {
      let (q, k, v) = (
        Tensor.randn(2, l, 3, 8, dtype: dtype).transposed(1, 2).requiringGradient(),
        Tensor.randn(2, 3, s, 8, dtype: dtype).requiringGradient(),
        Tensor.randn(2, 3, s, 5, dtype: dtype).requiringGradient()
      )
      // No query is without a key, so that the definition has no NaN.
      let mask = isCausal ? nil : (Tensor.rand(2, 1, l, s) .< 0.6) .| (Tensor.arange(s) .== 0)
      let upstream = Tensor.randn(2, 3, l, 5, dtype: dtype)
      let (result, next) = withSeed(l) {
        let result = scaledDotProductAttention(
          q, k, v, mask: mask, dropout: Self.p, isCausal: isCausal)
        return (result, Tensor.rand(1))
      }
      let gradients = Tensor.gradient(of: result, at: [q, k, v], upstream: upstream)
      let wide = [q, k, v].map { $0.detached().cast(to: .float64).requiringGradient() }
      let (exact, exactNext) = withSeed(l) {
        let exact = expected(wide[0], wide[1], wide[2], mask, isCausal: isCausal)
        return (exact, Tensor.rand(1))
      }
      let exactGradients = Tensor.gradient(
        of: exact, at: wide, upstream: upstream.cast(to: .float64))
      let bound = dtype == .float64 ? 1e-13 : 3e-6
      #expect(worst(result, exact) < bound, "\(l) x \(s)")
      for (found, right) in zip(gradients, exactGradients) {
        #expect(worst(found, right) < 4 * bound, "\(l) x \(s)")
      }
      // The generator is where the draws of all weights leave it.
      #expect(next.isEqual(to: exactNext))
    }
  }

  /// torch.manual_seed(0); F.scaled_dot_product_attention(q, k, v, dropout_p=0.5) of PyTorch 2.13.
  @Test func numbersOfPyTorch() {
    let q = Tensor.arange(8).cast(to: .float64).reshaped(1, 1, 4, 2) / 4 - 1
    let k = Tensor.arange(6).cast(to: .float64).reshaped(1, 1, 3, 2) / 3 - 1
    let v = Tensor.arange(6).cast(to: .float64).reshaped(1, 1, 3, 2)
    let found = withSeed(0) { scaledDotProductAttention(q, k, v, dropout: 0.5) }
    let right = Tensor([
      0.942470842010501, 1.1780885525131262, 0, 0, 1.3271818580578678, 2.5805912258845063,
      5.486759048606495, 7.486759048606496,
    ])
    #expect((found.flattened() - right).abs().max().item() < 1e-14)
  }

  /// Over many draws the mean is attention without dropout.
  @Test func theMeanIsThatWithoutDropout() {
    let (q, k) = (Tensor.randn(3, 4, dtype: .float64), Tensor.randn(6, 4, dtype: .float64))
    let draws = 4000
    let all = scaledDotProductAttention(
      q.broadcast(to: [draws, 3, 4]), k.broadcast(to: [draws, 6, 4]),
      k.broadcast(to: [draws, 6, 4]), dropout: Self.p)
    let mean = all.mean(over: 0)
    let deviation = all.std(over: 0) / Double(draws).squareRoot()
    let distance = (mean - scaledDotProductAttention(q, k, k)).abs()
    #expect((distance / deviation).max().item() < 5)
    #expect(deviation.min().item() > 0)
  }

  @Test func gradientsOfGradients() {
    let x = Tensor.randn(1, 2, 70, 3, dtype: .float64).requiringGradient()
    func second(_ attention: (Tensor) -> Tensor) -> Tensor {
      withSeed(3) {
        let y = attention(x)
        let first = Tensor.gradient(of: (y * y).sum(), at: [x], createGraph: true)[0]
        return Tensor.gradient(of: (first * first).sum(), at: [x])[0]
      }
    }
    let found = second { scaledDotProductAttention($0, $0, $0, dropout: Self.p, isCausal: true) }
    let right = second { expected($0, $0, $0, nil, isCausal: true) }
    #expect(worst(found, right) < 1e-12)
  }

  /// Nothing has the size of the weights; threads change nothing.
  @Test func storesNoWeights() {
    let x = Tensor.randn(2, 4, 1000, 16).requiringGradient()
    func run(_ threads: Int) -> [Tensor] {
      withThreads(threads) {
        withSeed(5) {
          let result = scaledDotProductAttention(x, x, x, dropout: Self.p, isCausal: true)
          let gradient = Tensor.gradient(of: (result * result).sum(), at: [x])[0]
          return [result.evaluated(), gradient.evaluated()]
        }
      }
    }
    let (alone, steps) = ExecutionLog.recording { run(1) }
    #expect(steps.filter { $0.path == .attention }.count == 2)
    #expect(steps.allSatisfy { $0.bytesWritten < 8 * x.count * 4 })
    for (a, b) in zip(run(3), alone) { #expect(a.isEqual(to: b)) }
  }

  @Test func extremeProbabilities() {
    let x = Tensor.randn(1, 5, 4).requiringGradient()
    let nothing = scaledDotProductAttention(x, x, x, dropout: 1)
    #expect(nothing.abs().max().item() == 0)
    #expect(Tensor.gradient(of: nothing.sum(), at: [x])[0].abs().max().item() == 0)
    for p in [-0.1, 1.5, Double.nan] {
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { _ = scaledDotProductAttention(x, x, x, dropout: p) }
      }
    }
    let empty = scaledDotProductAttention(
      Tensor.zeros(0, 2, 4), Tensor.zeros(0, 3, 4), Tensor.zeros(0, 3, 4), dropout: 0.5)
    #expect(empty.shape == [0, 2, 4])
  }
}
