import NormaTensor

/// A summary of many values: moments, extremes, zeros, non-finite values, and a histogram.
/// Distributions of parts merge into that of the whole.
public struct ValueDistribution: Sendable, Hashable, Codable {
  /// The number of values.
  public private(set) var count = 0
  /// Count, mean and sum of squared deviations of the finite values, as one group; nil without any.
  public private(set) var moments: Moments?
  /// The smallest finite value.
  public private(set) var smallest: Double?
  /// The largest finite value.
  public private(set) var largest: Double?
  /// The number of zeros.
  public private(set) var zeros = 0
  /// The number of values that are NaN or infinite.
  public private(set) var nonFinite = 0
  /// The finite values of a sample, at most ``histogramLimit`` of each tensor.
  public private(set) var histogram = MagnitudeHistogram()

  /// The number of values of a tensor that enter the histogram; larger tensors are sampled evenly
  /// but not periodically.
  public static let histogramLimit = 65_536

  /// The distribution of no values.
  public init() {}

  /// The distribution of a tensor's values. Computed immediately, in two passes over memory, or
  /// five if there are non-finite values.
  public init(_ x: Tensor) {
    guard !x.isPoisoned, x.count > 0 else { return }
    let values = (x.dtype.isFloatingPoint ? x.detached() : x.cast(to: .float32)).evaluated()
    count = x.count
    let (low, high) = (values.min(), values.max())
    let all = values.moments()
    let isFinite = low.item().isFinite && high.item().isFinite
    if isFinite {
      (moments, smallest, largest) = (all, low.item(), high.item())
    } else {
      let mask = (values - values) .== 0.0
      nonFinite = count - Int(mask.sum().item())
      if nonFinite < count {
        moments = values.moments(mask: mask)
        smallest = Tensor.where(mask, values, Double.infinity).min().item()
        largest = Tensor.where(mask, values, -Double.infinity).max().item()
      }
    }
    zeros = Int((values .== 0.0).sum().item())
    fillHistogram(values)
  }

  private mutating func fillHistogram(_ x: Tensor) {
    let taken = min(x.count, Self.histogramLimit)
    x.cast(to: .float32).withUnsafeBuffer(of: Float.self) { values in
      // Multiples of the golden ratio, modulo 1.
      var place = 0.0
      for index in 0..<taken {
        let value = values[
          taken == x.count ? index : min(Int(place * Double(x.count)), x.count - 1)]
        if value.isFinite { histogram.add(value) }
        place += 0.618_033_988_749_894_9
        if place >= 1 { place -= 1 }
      }
    }
  }

  /// The mean of the finite values; NaN without any.
  public var mean: Double { moments?.mean[0] ?? .nan }

  /// The standard deviation of the finite values, divided by n; NaN without any.
  public var std: Double { moments?.std(correction: 0)[0] ?? .nan }

  /// The distribution of both sets of values together.
  public func merged(with other: ValueDistribution) -> ValueDistribution {
    var result = self
    result.count += other.count
    result.zeros += other.zeros
    result.nonFinite += other.nonFinite
    result.histogram.merge(other.histogram)
    if let theirs = other.moments { result.moments = moments?.merged(with: theirs) ?? theirs }
    result.smallest = [smallest, other.smallest].compactMap { $0 }.min()
    result.largest = [largest, other.largest].compactMap { $0 }.max()
    return result
  }
}
