/// A batch norm layer's running statistics compared with those of a batch.
public struct LayerDiagnosis: Sendable, Hashable, Codable {
  /// The layer's name: `blocks.0.bn1`.
  public let name: String
  /// Its class: `BatchNorm2d`.
  public let kind: String
  /// The number of values per channel in the batch.
  public let count: Double
  /// The number of batches in the running statistics; nil if the layer does not count them.
  public let batchesTracked: Int?
  /// The channels.
  public let channels: [ChannelDiagnosis]
  /// The difference that running statistics make to the layer's result, in standard deviations of
  /// the batch: root mean square over the channels.
  public let gap: Double
  /// The part of the gap that such a batch shows by chance.
  public let expectedGap: Double
  /// Whether the gap is more than chance and large enough to matter.
  public let isOff: Bool
  /// How much the network's result changes when only this layer normalizes with the batch, relative
  /// to the result's own spread; nil if the layer is not off, or if unknown.
  public let effect: Double?

  /// The largest distance between means, in standard deviations.
  public var largestShift: Double { channels.map { abs($0.shift) }.max() ?? 0 }
  /// The median distance between means, in standard deviations.
  public var medianShift: Double { median(channels.map { abs($0.shift) }) ?? 0 }
  /// The gap as a multiple of what chance explains.
  public var multipleOfChance: Double { expectedGap > 0 ? gap / expectedGap : 0 }
}

/// One channel's running statistics compared with those of a batch.
public struct ChannelDiagnosis: Sendable, Hashable, Codable {
  /// The mean of the batch.
  public let mean: Double
  /// The variance of the batch, divided by n - 1.
  public let variance: Double
  /// The layer's running mean.
  public let runningMean: Double
  /// The layer's running variance.
  public let runningVariance: Double
  /// (running mean - mean) / √(variance + eps).
  public let shift: Double
  /// (running variance + eps) / (variance + eps).
  public let varianceRatio: Double
  /// The standard error of the mean for a batch of this many samples.
  public let standardErrorOfMean: Double
  /// The standard error of the variance for a batch of this many samples.
  public let standardErrorOfVariance: Double
}

/// A layer, group, instance or RMS norm whose results were compared with its formula.
public struct FormulaDiagnosis: Sendable, Hashable, Codable {
  /// The layer's name.
  public let name: String
  /// Its class: `LayerNorm`.
  public let kind: String
  /// The number of samples that were compared.
  public let samples: Int
  /// The largest distance of its results from those of its formula; nil if they could not be
  /// compared.
  public let gap: Double?
  /// The distance that rounding explains.
  public let expectedGap: Double
  /// Whether the layer computes something other than its formula.
  public let isOff: Bool
  /// Why it could not be compared; or nil.
  public let obstacle: String?
}
