import NormaReference
import NormaTensor
import Testing

/// Means and deviations of masked or weighted values.
@Suite struct WeightedMomentsTests {
  static func slow(_ row: [Double], _ share: [Double]) -> (count: Double, mean: Double, m2: Double)
  {
    let counted = zip(row, share).filter { $1 > 0 }
    let count = compensatedSum(share)
    let mean = compensatedSum(counted.map { $0 * $1 }) / count
    return (count, mean, compensatedSum(counted.map { ($0 - mean) * ($0 - mean) * $1 }))
  }

  @Test(arguments: DType.realTypes) func everySubsetOfAxesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[3, 5, 7], [33], [2, 600]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random, mean: 8)
        let count = sample.values.count
        let weights = (0..<count).map { _ in Double(random.next() % 1000) / 256 }
        let mask = (0..<count).map { _ in random.next() % 3 > 0 }
        let (w, m) = (Tensor(weights, shape: shape), Tensor(mask, shape: shape))
        // Masked values are NaN.
        let x = Tensor.where(m, sample.tensor, Double.nan).cast(to: dtype)
        for axes in subsets(shape.count) {
          let rows = groups(sample.values, shape, over: axes)
          let masks = groups(mask.map { $0 ? 1 : 0 }, shape, over: axes)
          let shares = groups(zip(weights, mask).map { $1 ? $0 : 0 }, shape, over: axes)
          let results = [
            (x.mean(over: axes, mask: m), x.nanMean(over: axes), masks),
            (x.mean(over: axes, mask: m, weights: w), nil, shares),
          ]
          let deviations = [
            (
              x.variance(over: axes, mask: m), x.std(over: axes, correction: 0, mask: m), masks
            ),
            (
              x.variance(over: axes, mask: m, weights: w),
              x.std(over: axes, correction: 0, mask: m, weights: w), shares
            ),
          ]
          for (mean, other, shares) in results {
            let expected = zip(rows, shares).map { Self.slow($0, $1).mean }
            for tensor in [mean, other].compactMap({ $0 }) {
              let worst = zip(tensor.array(of: Double.self), expected).reduce(0) {
                max($0, ulps($1.0, $1.1, slack: 1e-14, dtype))
              }
              #expect(worst <= 0.51, "\(shape) \(axes) \(arrangement)")
            }
          }
          for (variance, std, shares) in deviations {
            let (a, b) = (variance.array(of: Double.self), std.array(of: Double.self))
            #expect(variance.dtype == dtype && a.count == rows.count)
            var worst = 0.0
            for (index, (row, share)) in zip(rows, shares).enumerated() {
              let (n, _, m2) = Self.slow(row, share)
              let expected = m2 == 0 && n <= 1 ? Double.nan : m2 / max(n - 1, 0)
              // With a single weighted element both are rounding errors of the mean.
              if n > 1 || n == 0 {
                let slack = 1e-12 * expected + 1e-28
                worst = max(worst, ulps(a[index], expected, slack: slack, dtype))
              }
              worst = max(worst, ulps(b[index], (m2 / n).squareRoot(), slack: 1e-13, dtype))
            }
            #expect(worst <= 0.51, "\(shape) \(axes) \(arrangement)")
          }
        }
      }
    }
  }

  @Test func ignoresNaN() {
    let nan = Float.nan
    let x = Tensor([1, nan, 3, nan, nan, nan, 5, nan, nan], shape: [3, 3])
    #expect(isSame(x.nanVariance(over: 1), Tensor([2, nan, nan])))
    #expect(isSame(x.nanStd(over: 1, correction: 0), Tensor([1, nan, 0])))
    #expect(x.nanVariance().item() == 4 && x.nanStd().item() == 2)
    #expect(x.nanVariance(over: 0, 1, keepDims: true).shape == [1, 1])
    let far = x + 1e7
    #expect(isSame(far.nanVariance(over: 1), Tensor([2, nan, nan])))
  }

  /// A full mask and weights of 1 change nothing; a weight of two counts twice.
  @Test func equalCalls() {
    var random = TestRandom(for: #function)
    let x = Sample([6, 50], .float64, random: &random).tensor
    let all = Tensor.ones([50], dtype: .bool)
    let plain = x.variance(over: 1).array(of: Double.self)
    let masked = x.variance(over: 1, mask: all).array(of: Double.self)
    #expect(zip(plain, masked).allSatisfy { abs($0 - $1) < 1e-14 })
    let twice = Tensor.concatenated([x, x], over: 1).std(over: 1, correction: 0)
    let weighed = x.std(over: 1, correction: 0, weights: Tensor.full([50], 2.0))
    #expect(
      zip(twice.array(of: Double.self), weighed.array(of: Double.self)).allSatisfy {
        abs($0 - $1) < 1e-14
      })
    #expect(
      MessageTests.message { x.mean(mask: Tensor.ones([3], dtype: .bool)) }
        == "mean(over:): mask of shape [3] does not broadcast to [6, 50]")
  }

  @Test func standardized() throws {
    var random = TestRandom(for: #function)
    for dtype in DType.realTypes {
      for arrangement in Arrangement.allCases where arrangement != .repeated {
        let sample = Sample([4, 30, 3], dtype, arrangement, random: &random, mean: 5)
        for axes in [[0, 1, 2], [1], [0, 2]] {
          let y =
            switch axes.count {
            case 3: sample.tensor.standardized()
            case 1: sample.tensor.standardized(over: 1)
            default: sample.tensor.standardized(over: 0, 2)
            }
          let rows = groups(sample.values, [4, 30, 3], over: axes)
          let found = groups(y.array(of: Double.self), [4, 30, 3], over: axes)
          let scale = dtype == .float64 ? 1e-14 : dtype == .float32 ? 1e-6 : 2e-2
          for (row, values) in zip(rows, found) {
            let moments = ReferenceMoments(row)
            let std = moments.variance(1).squareRoot()
            #expect(
              zip(row, values).allSatisfy { abs(($0 - moments.mean) / std - $1) <= scale },
              "\(dtype) \(axes) \(arrangement)")
          }
        }
      }
    }
    let far = Tensor([1e7 - 1, 1e7, 1e7 + 1] as [Float])
    #expect(far.standardized().array(of: Float.self) == [-1, 0, 1])
    let constant = Tensor.full([2, 3], 0.1)
    #expect(constant.standardized(over: 1).array(of: Float.self) == [0, 0, 0, 0, 0, 0])
    #expect(Tensor(Float(3)).standardized().item().isNaN)
    #expect(Tensor(Float(3)).standardized(correction: 0).item() == 0)
    #expect(Tensor.zeros(0, 3).standardized(over: 1).shape == [0, 3])
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    try checkGradient(of: { $0[0].standardized(over: 0, 2).exp() }, at: [x], order: 2)
    try checkGradient(
      of: { $0[0].standardized(correction: 0, epsilon: 0.1).exp() }, at: [x])
    let slope = Tensor.gradient(of: { $0.standardized(over: 1).sum() }, at: constant)
    #expect(slope.array(of: Float.self).allSatisfy { $0 == 0 })
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    let weights = Tensor([0.5, 1, 0, 0.25])
    let mask = Tensor([[true], [false], [true]])
    for axes in [[0, 1, 2], [1, 2]] {
      try checkGradient(of: { $0[0].mean(over: axes, mask: mask, weights: weights).exp() }, at: [x])
      try checkGradient(
        of: { $0[0].variance(over: axes, correction: 0, mask: mask, weights: weights) }, at: [x],
        order: 2)
      try checkGradient(
        of: { $0[0].std(over: axes, correction: 0.1, mask: mask, weights: weights) }, at: [x])
    }
    let slope = Tensor.gradient(of: { $0.nanStd().exp() }, at: Tensor([1, .nan, 3] as [Float]))
    #expect(slope.array(of: Float.self)[1] == 0 && slope.array(of: Float.self)[0] < 0)
    let flat = Tensor.gradient(of: { $0.nanStd() }, at: Tensor([2, .nan, 2] as [Float]))
    #expect(flat.array(of: Float.self) == [0, 0, 0])
  }
}
