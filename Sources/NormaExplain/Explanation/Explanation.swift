/// Why a normalization layer's result is what it is, and why it is not what was expected.
///
/// `print(explanation)` writes it in words; as a Codable value it goes into files and tools.
public struct Explanation: Codable, Sendable, Hashable {
  /// The layer, such as `BatchNorm2d(64)`.
  public let layer: String

  /// Whether the layer was in training mode.
  public let isTraining: Bool

  /// The statistics that the layer divides by, and what they rest on.
  public let statistics: LayerStatistics

  /// The difference between the layer's result and the expected one; nil when none was given.
  public let gap: Explanation.Gap?

  /// Why there is a gap, the most important cause first; empty when there is nothing to blame.
  public let causes: [Explanation.Cause]

  /// The way from the whole gap down: one change after the other, each with the code that makes it
  /// and what is left behind it. The change that closes most comes first.
  public let steps: [LadderStep]

  /// The part of the gap that no cause carries: `1 - sum of the shares`.
  public let unexplained: Double

  /// Whether the unexplained part is what rounding makes, element by element.
  public let unexplainedIsRounding: Bool

  /// Remarks: differences without influence, inputs that would tell causes apart.
  public let notes: [String]

  /// The tensors that hold NaN or infinite values, and where; empty where there are none.
  public let nonFinite: [NonFinite]

  /// What a page draws of the difference.
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

/// Samples of the difference between two results, now and with all causes put right.
///
/// Pages draw them. They are no part of the JSON, and no part of what makes two explanations equal: the
/// numbers of the explanation say the same.
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

/// The numbers in a normalization layer's formula,
/// `y = (x - mean) / sqrt(variance + epsilon) * weight + bias`.
///
/// Statistics are listed in the order of the dimensions that they are not taken over: one for
/// every channel (batch norm), sample and channel (instance norm), sample and group (group norm),
/// or sample and position (layer and RMS norm).
public struct LayerStatistics: Codable, Sendable, Hashable {
  /// The shape of the layer's input.
  public let shape: [Int]
  /// The dimensions that a statistic is taken over.
  public let axes: [Int]
  /// The number of groups that the channels form, when they do: a statistic is taken over the
  /// channels of one group.
  public let groups: Int?
  /// What has a statistic of its own, such as `channel` or `group of a sample`.
  public let unit: String
  /// Whether the mean is subtracted. Where it is not, as in RMS norm, the variances are mean
  /// squares.
  public let subtractsMean: Bool
  /// The number of values that a statistic rests on.
  public let count: Int
  /// Whether the layer divides by running statistics instead of the batch's own.
  public let usesRunning: Bool
  /// The input's mean of every unit.
  public let mean: [Double]
  /// The input's mean squared deviation, over `count`.
  public let biasedVariance: [Double]
  /// The same over `count - 1`; nan for a single value.
  public let unbiasedVariance: [Double]
  /// The running statistics before the call, when the layer keeps them.
  public let runningMean: [Double]?
  /// See `runningMean`.
  public let runningVariance: [Double]?
  /// The number that is added to the variance.
  public let epsilon: Double
  /// `epsilon / (variance + epsilon)` of every unit, for the variance that is used.
  public let epsilonShare: [Double]
  /// The factor of every channel, or position, when the layer has one.
  public let weight: [Double]?
  /// The addend of every channel, or position, when the layer has one.
  public let bias: [Double]?

  /// Whether weight and bias change anything.
  var hasAffine: Bool {
    weight?.contains { $0 != 1 } ?? false || bias?.contains { $0 != 0 } ?? false
  }

  /// The mean that the layer subtracts; 0 where it subtracts none.
  public var usedMean: [Double] {
    let own = subtractsMean ? mean : mean.map { _ in 0 }
    return usesRunning ? runningMean ?? own : own
  }
  /// The variance under the layer's root.
  public var usedVariance: [Double] {
    usesRunning ? runningVariance ?? biasedVariance : biasedVariance
  }
}
