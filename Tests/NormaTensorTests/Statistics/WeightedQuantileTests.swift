import NormaReference
import NormaTensor
import Testing

/// Quantiles of masked or weighted elements, against repeating them.
@Suite struct WeightedQuantileTests {
  @Test(arguments: DType.realTypes, QuantileInterpolation.allCases)
  func repeatedElements(dtype: DType, interpolation: QuantileInterpolation) {
    var random = TestRandom(for: "\(#function) \(dtype) \(interpolation)")
    let q = [0, 0.125, 0.25, 0.5, 0.75, 0.9375, 1]
    for (shape, axes) in [
      ([3, 5, 7], [[], [0], [1, 2], [2, 0], [0, 1, 2]]), ([40], [[0]]), ([2, 400], [[1]]),
    ] {
      for arrangement in [Arrangement.contiguous, .reversed, .stepped] {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        let count = sample.values.count
        let weights = (0..<count).map { _ in Double(random.next() % 4) }
        let mask = (0..<count).map { _ in random.next() % 3 > 0 }
        for axes in axes {
          let rows = groups(sample.values, shape, over: axes)
          let shares = groups(
            zip(weights, mask).map { $1 ? $0 : 0 }, shape, over: axes)
          let result = sample.tensor.quantile(
            q, over: axes, interpolation: interpolation, mask: Tensor(mask, shape: shape),
            weights: Tensor(weights, shape: shape))
          let expected = q.flatMap { q in
            zip(rows, shares).map { row, share in
              let all = zip(row, share).flatMap { [Double](repeating: $0, count: Int($1)) }
              return QuantileTests.slow(all.sorted(), q, interpolation)
            }
          }
          #expect(result.dtype == dtype && result.count == expected.count)
          let worst = zip(result.array(of: Double.self), expected).reduce(0) {
            max($0, ulps($1.0, $1.1, slack: 0x1p-50, dtype))
          }
          #expect(
            worst <= (interpolation.isExact ? 0 : 0.51), "\(shape) \(axes) \(arrangement)")
        }
      }
    }
  }

  /// Tenths do not add up exactly; sums that are nearly integers count as integers.
  @Test func sumsThatAreNearlyWhole() {
    let x = Tensor.arange(40, dtype: .float64)
    let tenths = Tensor.full([40], 0.1, dtype: .float64)
    let q: [Double] = [0, 1.0 / 3, 2.0 / 3, 1]
    #expect(x.quantile(q, interpolation: .lower, weights: tenths).array() == [0, 10, 20, 30])
    let fives = Tensor.full([40], 0.5, dtype: .float64)
    #expect(x.quantile(0.5, interpolation: .lower, weights: fives).item() == 18)
  }

  @Test func elementsThatDoNotCount() {
    let x = Tensor([1, .nan, 3, .infinity, 2] as [Float])
    let mask = Tensor([true, false, true, false, true])
    #expect(x.quantile(0.5, mask: mask).item() == 2)
    #expect(x.quantile(1, mask: mask).item() == 3)
    #expect(x.quantile(0.5, weights: Tensor([1, 0, 1, 0, 1])).item() == 2)
    #expect(x.quantile(0.5, mask: Tensor([true, true, true, false, true])).item().isNaN)
    #expect(x.quantile(0.5, mask: Tensor([false])).item().isNaN)
    let infinite = Tensor([false, false, true, true, true])
    #expect(x.quantile(1, mask: infinite).item() == .infinity)
    #expect(
      MessageTests.message { x.quantile(0.5, weights: Tensor([-1, 1, 1, 1, 1])) }
        == "quantile(_:over:): weights must not be negative or NaN")
    #expect(
      MessageTests.message { x.quantile(0.5, mask: Tensor([true, false])) }
        == "quantile(_:over:): mask of shape [2] does not broadcast to [5]")
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    let weights = Tensor.arange(12, dtype: .float64).reshaped(3, 4).cos().abs()
    for interpolation in QuantileInterpolation.allCases {
      try checkGradient(
        of: {
          $0[0].quantile(
            [0.3, 0.55], over: [0, 2], interpolation: interpolation, weights: weights
          )
          .exp()
        }, at: [x])
    }
    try checkGradient(of: { $0[0].quantile(0.4, mask: weights .> 0.5).exp() }, at: [x])
    // Elements that do not count get no gradient, and no NaN.
    let slope = Tensor.gradient(
      of: { $0.quantile(0.5, mask: Tensor([true, false, true])) },
      at: Tensor([1, .nan, 2] as [Float]))
    #expect(slope.array() == [0.5, 0, 0.5])
  }
}
