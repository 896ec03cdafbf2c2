/// What can be wrong with the batch normalization of a network.
public enum Defect: String, Sendable, Hashable, Codable, CaseIterable {
  /// Running statistics hold NaN or infinity.
  case nonFinite = "non-finite-statistics"
  /// A running variance is below zero, which no variance is.
  case negativeVariance = "negative-running-variance"
  /// Running statistics are as they were at first: mean 0, variance 1.
  case neverTrained = "never-trained-statistics"
  /// Running statistics are those of another layer.
  case exchanged = "exchanged-statistics"
  /// The momentum is too small for the batches that were seen: the first values are still in the
  /// running statistics, or batches of long ago.
  case notConverged = "statistics-not-converged"
  /// Running statistics were updated more often than there were batches.
  case doubleUpdate = "double-update"
  /// Running statistics stood still while the weights moved on.
  case stale = "stale-statistics"
  /// Running statistics rest on too few values: batches too small, or a momentum too large.
  case noisy = "noisy-statistics"
  /// The layer's epsilon is not the one that the weights were trained with, or it dominates the
  /// variance.
  case epsilon = "epsilon-mismatch"
  /// The batch is of another kind than the data of training.
  case domainShift = "domain-shift"
  /// Channels give the same number whatever comes in.
  case deadChannels = "dead-channels"
}

/// One thing that is wrong, where, how one can tell, and what to try.
public struct DefectFinding: Sendable, Hashable, Codable {
  /// What is wrong.
  public let defect: Defect
  /// The layers concerned, in the order of their calls.
  public let layers: [String]
  /// Of each layer the channels concerned, where not all are.
  public let channels: [String: [Int]]
  /// What is wrong, in a sentence.
  public let statement: String
  /// What shows it, in numbers.
  public let evidence: [String]
  /// What to try, the most promising first.
  public let repairs: [String]
}

/// A batch norm layer's running statistics beside those of a batch.
public struct LayerDiagnosis: Sendable, Hashable, Codable {
  /// Where the layer is: `blocks.0.bn1`.
  public let name: String
  /// Its class: `BatchNorm2d`.
  public let kind: String
  /// How many values of each channel the batch has.
  public let count: Double
  /// How many batches the running statistics have followed.
  public let batchesTracked: Int
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
  /// to the result's own spread; nil where the layer is not off.
  public let effect: Double?

  /// The largest distance of means, in standard deviations.
  public var largestShift: Double { channels.map { abs($0.shift) }.max() ?? 0 }
  /// Half of the distances of means are below this, in standard deviations.
  public var medianShift: Double { median(channels.map { abs($0.shift) }) ?? 0 }
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
