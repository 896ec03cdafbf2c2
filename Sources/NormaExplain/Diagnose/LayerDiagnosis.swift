/// A batch norm layer's running statistics beside those of a batch.
public struct LayerDiagnosis: Sendable, Hashable, Codable {
  /// Where the layer is: `blocks.0.bn1`.
  public let name: String
  /// Its class: `BatchNorm2d`.
  public let kind: String
  /// How many values of each channel the batch has.
  public let count: Double
  /// How many batches the running statistics have followed; nil where the layer does not count them.
  public let batchesTracked: Int?
  /// Channel by channel.
  public let channels: [ChannelDiagnosis]
  /// The difference that running statistics make to the layer's result, in standard deviations of
  /// the batch: root mean square over the channels.
  public let gap: Double
  /// What of the gap such a batch shows by chance.
  public let expectedGap: Double
  /// Whether the gap is more than chance and large enough to matter.
  public let isOff: Bool
  /// How much the network's result changes when this layer alone normalizes with the batch, relative
  /// to the result's own spread; nil where the layer is not off or it is not known.
  public let effect: Double?

  /// The largest distance of means, in standard deviations.
  public var largestShift: Double { channels.map { abs($0.shift) }.max() ?? 0 }
  /// Half of the distances of means are below this, in standard deviations.
  public var medianShift: Double { median(channels.map { abs($0.shift) }) ?? 0 }
  /// The gap as a multiple of what chance shows.
  public var multipleOfChance: Double { expectedGap > 0 ? gap / expectedGap : 0 }
}

/// One channel's running statistics beside those of a batch.
public struct ChannelDiagnosis: Sendable, Hashable, Codable {
  /// Of the batch.
  public let mean: Double
  /// Of the batch, divided by n - 1.
  public let variance: Double
  /// Of the layer.
  public let runningMean: Double
  /// Of the layer.
  public let runningVariance: Double
  /// (running mean - mean) / √(variance + eps).
  public let shift: Double
  /// (running variance + eps) / (variance + eps).
  public let varianceRatio: Double
  /// How far a batch of so many samples lets the mean stray: its standard error.
  public let standardErrorOfMean: Double
  /// How far a batch of so many samples lets the variance stray: its standard error.
  public let standardErrorOfVariance: Double
}

/// A layer, group, instance or root mean square norm whose results were compared with its formula.
public struct FormulaDiagnosis: Sendable, Hashable, Codable {
  /// Where the layer is.
  public let name: String
  /// Its class: `LayerNorm`.
  public let kind: String
  /// How many of its samples were compared.
  public let samples: Int
  /// The largest distance of its results from those of its formula; nil where they could not be
  /// compared.
  public let gap: Double?
  /// The distance that rounding explains.
  public let expectedGap: Double
  /// Whether the layer does something else than its formula.
  public let isOff: Bool
  /// Why it could not be compared, or nil.
  public let obstacle: String?
}
