import NormaReference
import NormaTensor
import Testing

/// The statistics that are compared with the definition.
enum Statistic: CaseIterable {
  case sum, mean, biased, variance, std, minimum, maximum

  func of(_ x: Tensor, _ axes: [Int], keepDims: Bool) -> Tensor {
    switch self {
    case .sum: x.sum(over: axes, keepDims: keepDims)
    case .mean: x.mean(over: axes, keepDims: keepDims)
    case .biased: x.variance(over: axes, correction: 0, keepDims: keepDims)
    case .variance: x.variance(over: axes, keepDims: keepDims)
    case .std: x.std(over: axes, keepDims: keepDims)
    case .minimum: x.min(over: axes, keepDims: keepDims)
    case .maximum: x.max(over: axes, keepDims: keepDims)
    }
  }

  /// By definition, and the allowance for rounding in `float64`.
  func of(_ group: [Double]) -> (value: Double, slack: Double) {
    let size = group.reduce(0) { $0 + abs($1) } * 0x1p-50
    let n = Double(group.count)
    switch self {
    case .sum: return (compensatedSum(group), size)
    case .mean: return (compensatedSum(group) / n, size / n)
    case .biased: return (ReferenceMoments(group).variance(0), 0)
    case .variance: return (ReferenceMoments(group).variance(1), 0)
    case .std: return (ReferenceMoments(group).variance(1).squareRoot(), 0)
    case .minimum: return (group.reduce(.infinity) { $0.isNaN || $0 < $1 ? $0 : $1 }, 0)
    case .maximum: return (group.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 }, 0)
    }
  }
}

/// The distance of numbers of a type from the true values, in units of its last place; infinite if
/// one is NaN or infinite and the other is not.
func ulps(_ actual: Double, _ expected: Double, slack: Double = 0, _ dtype: DType) -> Double {
  if actual.isNaN && expected.isNaN || actual == dtype.rounded(expected) { return 0 }
  let error = max(abs(actual - expected) - slack, 0) / dtype.ulp(expected)
  return error.isNaN ? .infinity : error
}

/// The worst error of each statistic over some axes, in units of the last place.
func worstErrors(
  _ sample: Sample, over axes: [Int], keepDims: Bool = false,
  _ statistics: [Statistic] = Statistic.allCases, location: SourceLocation = #_sourceLocation
) -> [Statistic: Double] {
  let shape = sample.tensor.shape
  let reduced = axes.map { $0 < 0 ? $0 + shape.count : $0 }
  let groups = groups(sample.values, shape, over: reduced)
  let left = shape.indices.filter { keepDims || !reduced.contains($0) }
  let expectedShape = left.map { reduced.contains($0) ? 1 : shape[$0] }
  var worst: [Statistic: Double] = [:]
  for statistic in statistics {
    let result = statistic.of(sample.tensor, axes, keepDims: keepDims)
    let dtype = sample.tensor.dtype
    let isWide = statistic == .sum && !dtype.isFloatingPoint
    #expect(result.dtype == (isWide ? .int64 : dtype), sourceLocation: location)
    #expect(result.shape == expectedShape, sourceLocation: location)
    let actual = result.array(of: Double.self)
    guard actual.count == groups.count else {
      worst[statistic] = .infinity
      continue
    }
    for (value, group) in zip(actual, groups) {
      let expected = statistic.of(group)
      let error = ulps(value, expected.value, slack: expected.slack, result.dtype)
      worst[statistic] = max(worst[statistic] ?? 0, error)
    }
  }
  return worst
}

/// The allowance for a statistic of a type.
///
/// Sums and means are carried in `float64` and rounded once. Squared distances of `float32` are
/// added in `float32` within a block. In `float64` blocks are merged together with the rounding
/// errors of their sums.
func allowance(_ statistic: Statistic, _ dtype: DType) -> Double {
  switch (statistic, dtype) {
  case (.minimum, _), (.maximum, _): 0
  case (.sum, _), (.mean, _): dtype == .float64 ? 0 : 0.5001
  case (_, .float16), (_, .bfloat16): 0.51
  case (_, .float32): 6
  default: 12
  }
}

/// Expects all statistics of a sample to be within their allowances.
func expectRight(
  _ sample: Sample, over axes: [Int], keepDims: Bool = false,
  _ statistics: [Statistic] = Statistic.allCases, comment: @autoclosure () -> String = "",
  location: SourceLocation = #_sourceLocation
) {
  let errors = worstErrors(sample, over: axes, keepDims: keepDims, statistics, location: location)
  for (statistic, error) in errors
  where error > allowance(statistic, sample.tensor.dtype) {
    Issue.record(
      """
      \(statistic) of \(sample.tensor.dtype) \(sample.tensor.shape) \(sample.tensor.strides) over \
      \(axes) is \(error) ulp off \(comment())
      """, sourceLocation: location)
  }
}
