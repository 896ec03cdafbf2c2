/// What a normalization layer computes, and why its result differs from the expected one.
///
/// `print(explanation)` prints it as text; it is also a Codable value for files and tools.
public struct Explanation: Codable, Sendable, Hashable {
  /// The layer, such as `BatchNorm2d(64)`.
  public let layer: String

  /// Whether the layer was in training mode.
  public let isTraining: Bool

  /// The statistics that the layer normalizes with, and what they are based on.
  public let statistics: LayerStatistics

  /// The difference between the layer's result and the expected one; nil if none was given.
  public let gap: Explanation.Gap?

  /// Why there is a gap, most important cause first; empty if there is no cause.
  public let causes: [Explanation.Cause]

  /// The steps that close the gap: one change after the other, each with its code and the gap that
  /// remains after it. The change that closes most comes first.
  public let steps: [LadderStep]

  /// The fraction of the gap that no cause accounts for: `1 - sum of the shares`.
  public let unexplained: Double

  /// Whether the unexplained part is just rounding, element by element.
  public let unexplainedIsRounding: Bool

  /// Remarks: differences without effect, inputs that would distinguish causes.
  public let notes: [String]

  /// The tensors with NaN or infinite values, and their positions; empty if there are none.
  public let nonFinite: [NonFinite]

  /// Samples of the difference, for charts.
  var differences = DifferenceSamples()

  /// Whether the results agree up to rounding.
  public var agrees: Bool {
    gap != nil && causes.isEmpty && unexplainedIsRounding && nonFinite.isEmpty
  }

  private enum CodingKeys: String, CodingKey {
    case layer, isTraining, statistics, gap, causes, steps, unexplained, unexplainedIsRounding
    case notes, nonFinite
  }
}

/// Samples of the difference between two results, now and with all causes fixed.
///
/// They are for charts, and part of neither JSON nor equality, as the other values of the
/// explanation contain the same information.
struct DifferenceSamples: Sendable, Hashable {
  var now: [Double] = []
  var after: [Double] = []

  static func == (a: Self, b: Self) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}

extension Explanation {
  /// The size of a difference between two results.
  public struct Gap: Codable, Sendable, Hashable {
    /// The largest absolute difference.
    public let maximum: Double
    /// The root mean square difference.
    public let rootMeanSquare: Double
  }
}

/// The values in a normalization layer's formula, `y = (x - mean) / sqrt(variance + epsilon) *
/// weight + bias`.
///
/// Statistics are listed in the order of the dimensions that they are not taken over: one for
/// every channel (batch norm), sample and channel (instance norm), sample and group (group norm),
/// or sample and position (layer and RMS norm).
public struct LayerStatistics: Codable, Sendable, Hashable {
  /// The shape of the layer's input.
  public let shape: [Int]
  /// The dimensions that a statistic is taken over.
  public let axes: [Int]
  /// The number of groups of channels, if there are groups: a statistic is taken over the channels
  /// of one group.
  public let groups: Int?
  /// The unit with a statistic of its own, such as `channel` or `group of a sample`.
  public let unit: String
  /// Whether the mean is subtracted. If not, as in RMS norm, the variances are mean squares.
  public let subtractsMean: Bool
  /// The number of values in a statistic.
  public let count: Int
  /// Whether the layer divides by running statistics instead of the batch's own.
  public let usesRunning: Bool
  /// The input's mean for every unit.
  public let mean: [Double]
  /// The input's mean squared deviation, over `count`.
  public let biasedVariance: [Double]
  /// The same over `count - 1`; NaN for a single value.
  public let unbiasedVariance: [Double]
  /// The running statistics before the call, if the layer has them.
  public let runningMean: [Double]?
  /// See `runningMean`.
  public let runningVariance: [Double]?
  /// The constant that is added to the variance.
  public let epsilon: Double
  /// `epsilon / (variance + epsilon)` for every unit, with the variance that is used.
  public let epsilonShare: [Double]
  /// The factor of every channel, or position, if there is one.
  public let weight: [Double]?
  /// The shift of every channel, or position, if there is one.
  public let bias: [Double]?

  /// Whether weight and bias have an effect.
  var hasAffine: Bool {
    weight?.contains { $0 != 1 } ?? false || bias?.contains { $0 != 0 } ?? false
  }

  /// The mean that the layer subtracts; 0 if it subtracts none.
  public var usedMean: [Double] {
    let own = subtractsMean ? mean : mean.map { _ in 0 }
    return usesRunning ? runningMean ?? own : own
  }
  /// The variance under the layer's square root.
  public var usedVariance: [Double] {
    usesRunning ? runningVariance ?? biasedVariance : biasedVariance
  }
}
