import NormaTensor

/// What one layer sees of a batch: the mean and the sum of squared deviations of each sample and
/// channel.
///
/// Samples are kept separate because they are independent of each other, while values inside a
/// sample are not: the differences between samples distinguish chance from a cause.
public struct SampleMoments: Sendable, Hashable {
  /// The number of samples.
  public let samples: Int
  /// The number of channels.
  public let channels: Int
  /// The number of values per channel in each sample.
  public let count: [Double]
  /// The mean of each sample and channel, samples first.
  public let mean: [Double]
  /// The sum of squared deviations from that mean.
  public let m2: [Double]
  /// The largest result of the layer in each channel; nil if it was not recorded.
  public let largest: [Double]?

  /// Known moments.
  ///
  /// - Returns: nil if the lengths do not match `samples` and `channels`, or a count or a sum of
  ///   squares is negative.
  public init?(
    samples: Int, channels: Int, count: [Double], mean: [Double], m2: [Double],
    largest: [Double]? = nil
  ) {
    let (size, overflow) = samples.multipliedReportingOverflow(by: channels)
    guard samples >= 0, channels > 0, !overflow, count.count == samples, mean.count == size,
      m2.count == size, largest.map({ $0.count == channels }) ?? true,
      count.allSatisfy({ $0 >= 0 && $0.isFinite }), !m2.contains(where: { $0 < 0 })
    else { return nil }
    self.samples = samples
    self.channels = channels
    self.count = count
    self.mean = mean
    self.m2 = m2
    self.largest = largest
  }

  /// The moments of all samples together, per channel; empty samples are ignored.
  public var total: Moments {
    var total = Moments(
      count: Array(repeating: 0, count: channels), mean: Array(repeating: .nan, count: channels),
      m2: Array(repeating: 0, count: channels), shape: [channels])
    for n in 0..<samples where count[n] > 0 {
      let range = n * channels..<(n + 1) * channels
      let part = Moments(
        count: Array(repeating: count[n], count: channels), mean: Array(mean[range]),
        m2: Array(m2[range]), shape: [channels])
      total = total.merged(with: part) ?? total
    }
    return total
  }
}

extension SampleMoments {
  /// The variances over the samples of their channel means, and of their mean squared deviations
  /// from the channel's mean; standard errors follow from these. Values inside a sample are not
  /// independent, samples are.
  func spread(about total: Moments) -> (mean: [Double], square: [Double]) {
    let means = total.mean
    let variances = total.variance(correction: 0)
    var spreads = (mean: [Double](), square: [Double]())
    let filled = (0..<samples).filter { count[$0] > 0 }
    // A single sample does not show how much samples differ, and a few hardly do, as two may be one
    // picture twice. So below 8 the spread inside of them has a share: 1, 1/2, 1/5, 1/10, ...
    let distance = Double(max(filled.count - 1, 0))
    let inside = filled.count < 8 ? 1 / (1 + distance * distance) : 0
    for c in 0..<channels {
      let squares = filled.map { n in
        let index = n * channels + c
        let distance = mean[index] - means[c]
        return m2[index] / max(count[n], 1) + distance * distance
      }
      let between = Self.variance(filled.map { mean[$0 * channels + c] })
      spreads.mean.append(between + inside * (variances[c] - between))
      let betweenSquares = Self.variance(squares)
      spreads.square.append(
        betweenSquares + inside * (2 * variances[c] * variances[c] - betweenSquares))
    }
    return spreads
  }

  private static func variance(_ values: [Double]) -> Double {
    guard values.count > 1 else { return 0 }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return squares / Double(values.count - 1)
  }
}
