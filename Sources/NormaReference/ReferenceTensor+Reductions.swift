extension ReferenceTensor {
  /// Applies `function` to each group of elements that share their position on the kept axes.
  ///
  /// `axes` empty or nil means all axes, as in PyTorch.
  package func reduced(
    over axes: [Int]? = nil, keepDims: Bool = false, _ function: ([Double]) -> Double
  ) -> ReferenceTensor {
    let axes = axes ?? Array(0..<rank)
    let gone = Set(axes.map(axis))
    let full = shape.enumerated().map { gone.contains($0) ? 1 : $1 }
    var groups = [[Double]](repeating: [], count: full.reduce(1, *))
    let kept = strides(of: full).enumerated().map { gone.contains($0) ? 0 : $1 }
    let places = positions(of: shape, strides: kept)
    for i in places.indices { groups[places[i]].append(values[i]) }
    let squeezed = shape.enumerated().filter { !gone.contains($0.offset) }.map(\.element)
    return ReferenceTensor(shape: keepDims ? full : squeezed, values: groups.map(function))
  }

  package func sum(over axes: [Int]? = nil, keepDims: Bool = false) -> ReferenceTensor {
    reduced(over: axes, keepDims: keepDims, compensatedSum)
  }

  /// The mean; NaN for an empty group.
  package func mean(over axes: [Int]? = nil, keepDims: Bool = false) -> ReferenceTensor {
    reduced(over: axes, keepDims: keepDims) { ReferenceMoments($0).mean }
  }

  package func variance(
    over axes: [Int]? = nil, correction: Double = 1, keepDims: Bool = false
  ) -> ReferenceTensor {
    reduced(over: axes, keepDims: keepDims) { ReferenceMoments($0).variance(correction) }
  }

  package func std(
    over axes: [Int]? = nil, correction: Double = 1, keepDims: Bool = false
  ) -> ReferenceTensor {
    variance(over: axes, correction: correction, keepDims: keepDims).map { $0.squareRoot() }
  }

  /// The largest element, NaN if there is one; minus infinity for an empty group.
  package func max(over axes: [Int]? = nil, keepDims: Bool = false) -> ReferenceTensor {
    reduced(over: axes, keepDims: keepDims) { $0.reduce(-.infinity, larger) }
  }

  /// The smallest element, NaN if there is one; infinity for an empty group.
  package func min(over axes: [Int]? = nil, keepDims: Bool = false) -> ReferenceTensor {
    reduced(over: axes, keepDims: keepDims) { $0.reduce(.infinity, smaller) }
  }
}

/// Count, mean and sum of squared distances from the mean, computed in two passes with compensated
/// sums.
package struct ReferenceMoments: Equatable, Sendable {
  package let count: Int
  package let mean: Double
  /// sum((x - mean)^2), corrected for the rounding of `mean`.
  package let m2: Double

  package init(_ values: [Double]) {
    count = values.count
    let mean = compensatedSum(values) / Double(values.count)
    let distances = values.map { $0 - mean }
    let drift = compensatedSum(distances)
    m2 = compensatedSum(distances.map { $0 * $0 }) - drift * drift / Double(values.count)
    self.mean = mean
  }

  /// m2 / (n - correction), where the divisor is at least zero: NaN for one value and correction 1.
  package func variance(_ correction: Double = 1) -> Double {
    m2 / Swift.max(0, Double(count) - correction)
  }
}

/// The sum with Neumaier's compensation: the rounding errors are summed separately and added last.
///
/// Neumaier, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen", 1974.
package func compensatedSum(_ values: [Double]) -> Double {
  var sum = 0.0
  var lost = 0.0
  for value in values {
    let total = sum + value
    lost += sum.magnitude >= value.magnitude ? (sum - total) + value : (value - total) + sum
    sum = total
  }
  return sum.isFinite ? sum + lost : sum  // Beyond infinity the errors are NaN.
}
