import NormaReference
import NormaTensor
import Testing

/// Quantiles against sorted rows.
@Suite struct QuantileTests {
  /// The quantile of sorted numbers, by its definition; NaN if one is NaN, or if there are none.
  static func slow(
    _ sorted: [Double], _ q: Double, _ interpolation: QuantileInterpolation
  ) -> Double {
    if sorted.isEmpty || sorted.contains(where: { $0.isNaN }) { return .nan }
    let rank = q * Double(sorted.count - 1)
    let (low, high) = (sorted[Int(rank)], sorted[Int(rank.rounded(.up))])
    switch interpolation {
    case .lower: return low
    case .higher: return high
    case .nearest: return sorted[Int(rank.rounded(.toNearestOrEven))]
    case .midpoint: return low + (high - low) / 2
    case .linear: return low + (high - low) * (rank - rank.rounded(.down))
    }
  }

  static let fractions = [0, 0.1, 0.25, 0.5, 0.73, 0.96875, 1]

  @Test(arguments: DType.realTypes, QuantileInterpolation.allCases)
  func everyArrangement(dtype: DType, interpolation: QuantileInterpolation) {
    var random = TestRandom(for: "\(#function) \(dtype) \(interpolation)")
    for (shape, subsets) in [
      ([3, 5, 7], subsets(3)), ([33], [[0]]), ([2, 514], [[1]]), ([], [[]]),
    ] {
      for arrangement in [Arrangement.contiguous, .reversed, .stepped, .repeated, .pending] {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axes in subsets {
          let rows = groups(sample.values, shape, over: axes).map { $0.sorted() }
          // Few are selected, many are sorted.
          for q in [Self.fractions, [0.3], []] {
            let expected = q.flatMap { q in rows.map { Self.slow($0, q, interpolation) } }
            let result = sample.tensor.quantile(q, over: axes, interpolation: interpolation)
            #expect(result.dtype == dtype && result.shape.first == q.count)
            let found = result.array(of: Double.self)
            #expect(found.count == expected.count)
            let worst = zip(found, expected).reduce(0) {
              max($0, ulps($1.0, $1.1, slack: 0x1p-50, dtype))
            }
            #expect(
              worst <= (interpolation.isExact ? 0 : 0.51), "\(shape) \(axes) \(arrangement) \(q)")
          }
        }
      }
    }
  }

  @Test(arguments: [DType.float32, .float64], RowKind.allCases)
  func sizesAroundTheAlgorithms(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in switchSizes + (kind == .special || kind == .random ? [20_000] : []) {
      var row = kind.row(size, &random).map(dtype.rounded)
      if kind == .special { row = row.map { abs($0) == .infinity ? 5 : $0 } }
      let (x, numbers) = (Tensor(row, dtype: dtype), row.filter { !$0.isNaN }.sorted())
      let sorted = numbers.count == size ? numbers : [.nan]
      for interpolation in QuantileInterpolation.allCases {
        let few = [0.25, 0.625]
        for q in size > 3000 ? [few] : [few, Self.fractions] {
          let all = x.quantile(q, interpolation: interpolation).array(of: Double.self)
          let some = x.nanQuantile(q, interpolation: interpolation).array(of: Double.self)
          for (index, fraction) in q.enumerated() {
            let expected = Self.slow(sorted, fraction, interpolation)
            let left = Self.slow(numbers, fraction, interpolation)
            #expect(ulps(all[index], expected, slack: 1e-12, dtype) <= 0.51, "\(size) \(fraction)")
            #expect(ulps(some[index], left, slack: 1e-12, dtype) <= 0.51, "\(size) \(fraction)")
          }
        }
      }
    }
  }

  /// PyTorch's numbers.
  @Test func known() {
    let x = Tensor([3, 1, 2, 5] as [Float])
    #expect(x.quantile(0.5).item() == 2.5)
    #expect(x.quantile([0.1, 0.6]).array(of: Float.self) == [1.3, 2.8])
    #expect(x.quantile(0.5, interpolation: .nearest).item() == 3)
    #expect(x.quantile(0.5, interpolation: .lower).item() == 2)
    #expect(x.quantile(0.1, interpolation: .midpoint).item() == 1.5)
    #expect(x.quantile(Tensor(Float(0.5))).shape == [])
    #expect(x.quantile(Tensor([0.5, 1] as [Float]), keepDims: true).shape == [2, 1])
    #expect(Tensor.zeros(2, 3, 4).quantile(0.5, over: 0, 2).shape == [3])
    #expect(Tensor.zeros(2, 3, 4).quantile([0.5], over: [1], keepDims: true).shape == [1, 2, 1, 4])
    #expect(Tensor.zeros(0, 3).quantile(0.5, over: 1).shape == [0])
  }

  @Test func infinities() {
    let inf = Float.infinity
    #expect(Tensor([inf, inf]).quantile(0.5).item() == .infinity)
    let low = Tensor([-inf, -inf, 1]).quantile([0, 0.25, 0.75, 1])
    #expect(low.array(of: Float.self) == [-inf, -inf, -inf, 1])
    #expect(Tensor([1, inf]).quantile([0, 0.5, 1]).array(of: Float.self) == [1, inf, inf])
    #expect(Tensor([-inf, inf]).quantile(0.5).item().isNaN)
  }

  /// q as numbers and as tensors, by sorting and by selection, with a full mask and with weights of
  /// 1 agree.
  @Test(arguments: QuantileInterpolation.allCases)
  func equalCalls(interpolation: QuantileInterpolation) {
    var random = TestRandom(for: "\(#function) \(interpolation)")
    let x = Sample([5, 700], .float32, random: &random).tensor
    let q = [0, 0.25, 0.375, 0.5, 0.625, 0.875, 1]
    let all = x.quantile(q, over: [1], interpolation: interpolation)
    #expect(isSame(x.quantile(Tensor(q), over: [1], interpolation: interpolation), all))
    #expect(isSame(x.nanQuantile(q, over: [1], interpolation: interpolation), all))
    for (index, fraction) in q.enumerated() {
      #expect(isSame(x.quantile(fraction, over: 1, interpolation: interpolation), all[index]))
    }
    #expect(isSame(x.transposed().quantile(q, over: [0], interpolation: interpolation), all))
    let mask = Tensor.ones([5, 700], dtype: .bool)
    #expect(isSame(x.quantile(q, over: [1], interpolation: interpolation, mask: mask), all))
    let weights = Tensor.ones([700])
    #expect(isSame(x.quantile(q, over: [1], interpolation: interpolation, weights: weights), all))
    #expect(isSame(withThreads(2) { x.quantile(q, over: [1], interpolation: interpolation) }, all))
  }

  @Test func mistakes() {
    let x = Tensor.zeros(2, 0)
    #expect(
      MessageTests.message { x.quantile(1.5) } == "quantile(_:over:): q = 1.5 is outside of 0 ... 1"
    )
    #expect(
      MessageTests.message { x.quantile([.nan]) }
        == "quantile(_:over:): q = nan is outside of 0 ... 1")
    #expect(
      MessageTests.message { x.nanQuantile(0.5, over: 1) }
        == "nanQuantile(_:over:): shape [2, 0] has no elements over axes [1] to choose from")
    #expect(
      MessageTests.message { Tensor([1, 2]).quantile(0.5) }
        == "quantile(_:over:): int64 has no mean of its own type; cast(to: .float32) first")
    #expect(
      MessageTests.message { Tensor.ones(2).quantile(Tensor([[0.5]])) }
        == "quantile(_:over:): q must be a real scalar or vector, got float64 [1, 1]")
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    for interpolation in QuantileInterpolation.allCases {
      try checkGradient(
        of: {
          $0[0].quantile([0.3, 0.55, 0.31], over: [0, 2], interpolation: interpolation).exp()
        },
        at: [x], order: interpolation == .linear ? 2 : 1)
    }
    try checkGradient(of: { $0[0].nanQuantile(0.4).exp() }, at: [x])
    let q = Tensor([0.21, 0.64])
    try checkGradient(of: { $0[0].quantile($0[1], over: [1]).exp() }, at: [x, q], order: 2)
    try checkGradient(of: { $0[0].quantile($0[1]) }, at: [x, Tensor(0.43)])
    try checkGradient(
      of: { $0[0].quantile($0[1], over: [0, 1], interpolation: .lower).exp() }, at: [x, q])
  }
}

extension QuantileInterpolation {
  /// Whether results are elements.
  var isExact: Bool { self != .linear && self != .midpoint }
}
