/// How many values there were, their mean, and the sum of their squared distances from it, for one
/// or more groups of values.
///
/// Moments of parts merge to the moments of the whole, exactly up to rounding in `Double`, whether
/// the parts are batches, files, threads or machines.
///
/// - Formula: `mean = Σ x / n`, `m2 = Σ (x - mean)²`; merged after Chan, Golub and LeVeque
///   (1983).
/// - Made by `Tensor.moments(over:)`. PyTorch has no such value.
public struct Moments: Sendable, Hashable, Codable {
  /// The number of values in each group.
  public private(set) var count: Double

  /// The mean of each group; NaN of no values.
  public private(set) var mean: [Double]

  /// The sum of squared distances from the mean of each group.
  public private(set) var m2: [Double]

  /// The shape in which the groups lie, row-major: one size per kept axis.
  public let shape: [Int]

  /// Moments that are known. `mean` and `m2` have one value per group.
  package init(count: Double, mean: [Double], m2: [Double], shape: [Int]) {
    self.count = count
    self.mean = mean
    self.m2 = m2
    self.shape = shape
  }

  /// The variance of each group, `m2 / (n - correction)`: by default with n - 1, as in PyTorch.
  ///
  /// NaN where `n <= correction` and all values are equal, infinite where they are not.
  public func variance(correction: Double = 1) -> [Double] {
    let degrees = max(count - correction, 0)
    return m2.map { $0 / degrees }
  }

  /// The standard deviation of each group: the root of ``variance(correction:)``.
  public func std(correction: Double = 1) -> [Double] {
    variance(correction: correction).map { $0.squareRoot() }
  }

  /// The moments of both sets of values together; nil if the shapes differ.
  ///
  /// The order of merging moves the last bits of a `Double`, no more.
  public func merged(with other: Moments) -> Moments? {
    guard shape == other.shape else { return nil }
    if other.count == 0 { return self }
    if count == 0 { return other }
    let total = count + other.count
    let weight = count * other.count / total
    var result = self
    for k in mean.indices {
      let distance = other.mean[k] - mean[k]
      result.mean[k] = mean[k] + distance * (other.count / total)
      result.m2[k] = m2[k] + other.m2[k] + distance * distance * weight
    }
    result.count = total
    return result
  }
}
