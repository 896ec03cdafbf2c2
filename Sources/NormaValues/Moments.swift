/// The number of values, their mean, and the sum of their squared distances from the mean, for one
/// or more groups of values.
///
/// Moments of parts can be merged into the moments of the whole, exactly up to rounding in
/// `Double`, whether the parts are batches, files, threads or machines.
///
///     var total: Moments?
///     for batch in batches {
///       let part = batch.moments(over: 0, 2, 3)
///       total = total?.merged(with: part) ?? part
///     }
///
/// - Formula: `mean = Σ x / n`, `m2 = Σ (x - mean)²`; merged after Chan, Golub and LeVeque
///   (1983). With weights `n = Σ w`, `mean = Σ w x / n`, `m2 = Σ w (x - mean)²`.
/// - Accuracy: a merge adds at most a few ulp of `Double` to mean and m2, and as much again of the
///   distance between the means of its parts.
/// - Made by `Tensor.moments(over:)`. PyTorch has no such value.
public struct Moments: Sendable, Hashable, Codable {
  /// The number of values in each group, or the sum of their weights.
  public private(set) var count: [Double]

  /// The mean of each group; NaN for an empty group.
  public private(set) var mean: [Double]

  /// The sum of squared distances from the mean of each group.
  public private(set) var m2: [Double]

  /// The shape in which the groups are arranged, row-major: one size per kept axis.
  public let shape: [Int]

  /// Moments that are known already. `count`, `mean` and `m2` have one value per group.
  package init(count: [Double], mean: [Double], m2: [Double], shape: [Int]) {
    self.count = count
    self.mean = mean
    self.m2 = m2
    self.shape = shape
  }

  private enum CodingKeys: String, CodingKey { case count, mean, m2, shape }

  /// Writes counts, means and sums of squares: finite numbers as numbers, others as the strings
  /// `nan`, `inf` and `-inf`, which every encoder accepts.
  public func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(count.map(CodedNumber.init), forKey: .count)
    try fields.encode(mean.map(CodedNumber.init), forKey: .mean)
    try fields.encode(m2.map(CodedNumber.init), forKey: .m2)
    try fields.encode(shape, forKey: .shape)
  }

  /// Moments as they were encoded.
  /// - Throws: `DecodingError` where the numbers do not fit the shape.
  public init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    count = try fields.decode([CodedNumber].self, forKey: .count).map(\.value)
    mean = try fields.decode([CodedNumber].self, forKey: .mean).map(\.value)
    m2 = try fields.decode([CodedNumber].self, forKey: .m2).map(\.value)
    shape = try fields.decode([Int].self, forKey: .shape)
    var groups = 1
    for size in shape {
      let (product, overflow) = groups.multipliedReportingOverflow(by: size)
      groups = size < 0 || overflow ? -1 : product
      if groups <= 0 { break }
    }
    guard [count, mean, m2].allSatisfy({ $0.count == groups }) else {
      throw DecodingError.dataCorruptedError(
        forKey: .shape, in: fields,
        debugDescription: "shape \(shape) with \(count.count) counts, \(mean.count) means and "
          + "\(m2.count) sums of squares")
    }
  }

  /// The variance of each group, `m2 / (n - correction)`: by default with n - 1, as in PyTorch.
  ///
  /// NaN where `n <= correction` and all values are equal, infinite where they are not. Weights
  /// count as repetitions: a value of weight 2 counts as two values.
  public func variance(correction: Double = 1) -> [Double] {
    zip(m2, count).map { $0 / max($1 - correction, 0) }
  }

  /// The standard deviation of each group: the root of ``variance(correction:)``.
  public func std(correction: Double = 1) -> [Double] {
    variance(correction: correction).map { $0.squareRoot() }
  }

  /// The moments of both sets of values together; nil if the shapes differ.
  ///
  /// A group that is empty in one of them is taken from the other. The order of merging affects
  /// only the last bits of a `Double`.
  public func merged(with other: Moments) -> Moments? {
    guard shape == other.shape else { return nil }
    var result = self
    for k in mean.indices where other.count[k] != 0 {
      if count[k] == 0 {
        (result.count[k], result.mean[k], result.m2[k]) =
          (other.count[k], other.mean[k], other.m2[k])
        continue
      }
      let total = count[k] + other.count[k]
      let distance = other.mean[k] - mean[k]
      let share = other.count[k] / total
      result.mean[k] = mean[k] + distance * share
      result.m2[k] = m2[k] + other.m2[k] + distance * distance * (count[k] * share)
      result.count[k] = total
    }
    return result
  }
}

/// A number that JSON may not be able to represent.
private struct CodedNumber: Codable {
  let value: Double

  init(_ value: Double) { self.value = value }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let number = try? container.decode(Double.self) {
      value = number
      return
    }
    switch try container.decode(String.self) {
    case "nan": value = .nan
    case "inf": value = .infinity
    case "-inf": value = -.infinity
    case let text:
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "'\(text)' is not a number")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    if value.isFinite {
      try container.encode(value)
    } else {
      try container.encode(value.isNaN ? "nan" : value > 0 ? "inf" : "-inf")
    }
  }
}
