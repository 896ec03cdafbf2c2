/// Where two captures of the same network first diverge, and why: for a port, a conversion, or two
/// versions.
///
/// It prints as text and encodes to JSON; ``compareCaptures(_:_:names:)`` creates it.
public struct CaptureComparison: Sendable, Hashable, Codable {
  /// How the layers of two captures were matched.
  public enum Matching: String, Sendable, Hashable, Codable {
    /// By equal names.
    case names
    /// By names that are equal except for a prefix.
    case prefix
    /// By the order of their calls, their kind and their size.
    case order
    /// Some by name, the others by order.
    case mixed
  }

  /// The result of the comparison.
  public enum Verdict: String, Sendable, Hashable, Codable {
    /// Nothing differs by more than rounding.
    case same
    /// A layer computes different outputs from equal inputs.
    case layer
    /// Equal outputs of one layer reach the next layer as different inputs.
    case between
    /// The inputs of the first layer already differ.
    case inputs
    /// The layers' outputs agree but the networks' results do not.
    case result
    /// The samples agree, or there are none; options, parameters or buffers differ.
    case state
    /// One has layers that the other lacks, and nothing else was found.
    case layers
    /// The captures do not contain enough to decide.
    case undecided
  }

  /// The name of the first capture.
  public let first: String
  /// The name of the second capture.
  public let second: String
  /// How the layers were matched.
  public let matching: Matching
  /// Whether the matched layers are called in a different order.
  public let isReordered: Bool
  /// The matched layers in the order of their first calls in the first capture.
  public let layers: [CapturedPair]
  /// The layers that only the first capture has.
  public let onlyFirst: [String]
  /// The layers that only the second capture has.
  public let onlySecond: [String]
  /// The networks' results; nil if they cannot be compared.
  public let result: SampleGap?
  /// The result of the comparison.
  public let verdict: Verdict
  /// The index in ``layers`` of the layer that the verdict is about; nil if it is about none.
  public let origin: Int?
  /// Open questions and other remarks, in sentences.
  public let notes: [String]

  /// Whether nothing differs by more than rounding.
  public var isSame: Bool { verdict == .same }

  /// The layer that the verdict is about.
  public var originLayer: CapturedPair? { origin.map { layers[$0] } }
}

/// The distance between two samples of the same values.
public struct SampleGap: Sendable, Hashable, Codable {
  /// The largest distance between finite values.
  public let maximum: Double
  /// The root mean square of the differences.
  public let rootMeanSquare: Double
  /// The standard deviation of the first sample's values.
  public let spread: Double
  /// The largest relative root mean square distance that counts as rounding: half the digits of the
  /// narrowest type so far, √u, as each layer adds its own rounding.
  public let tolerance: Double
  /// The number of positions where only one value is finite, or both are not finite and differ.
  public let incomparable: Int
  /// The relation of the second to the first, as a clause: `255 times those of the first`; nil if
  /// unknown.
  public let relation: String?

  /// The distance in units of the spread.
  public var relative: Double { spread > 0 ? rootMeanSquare / spread : rootMeanSquare }

  /// Whether they agree up to rounding.
  public var agrees: Bool { incomparable == 0 && relative <= tolerance }
}

/// Two layers that were matched.
public struct CapturedPair: Sendable, Hashable, Codable {
  /// Whether a layer and its counterpart compute the same from equal inputs.
  public enum Behaviour: String, Sendable, Hashable, Codable {
    /// The same, up to rounding.
    case same
    /// Something different.
    case different
    /// Unknown from the captures.
    case unknown
  }

  /// The name in the first capture.
  public let first: String
  /// The name in the second capture.
  public let second: String
  /// The kind in the first capture.
  public let firstKind: String
  /// The kind in the second capture.
  public let secondKind: String
  /// The distance between their inputs; nil if unknown.
  public let input: SampleGap?
  /// The distance between their outputs; nil if unknown.
  public let output: SampleGap?
  /// Whether they compute the same from equal inputs, whatever inputs they got.
  public let behaviour: Behaviour
  /// The distance between their outputs for the same input, and the part that may be rounding, at
  /// the position where it exceeds rounding most; nil if no formula reproduces a layer.
  public let ownGap: OwnGap?
  /// Why outputs for the same input differ, most important cause first.
  public let causes: [PairCause]
  /// The share that no cause accounts for.
  public let unexplained: Double
  /// Whether that is just rounding.
  public let unexplainedIsRounding: Bool
  /// The options, parameters and buffers that differ, whether or not that matters in evaluation.
  public let differences: [StateDifference]
  /// What prevents or limits a comparison of the samples, in a sentence.
  public let obstacle: String?

  /// The distance between outputs for the same input.
  public struct OwnGap: Sendable, Hashable, Codable {
    /// The largest distance.
    public let maximum: Double
    /// The largest rounding error of the layer's type at that position.
    public let rounding: Double
  }

  /// The name to display: both names, if they differ.
  public var title: String {
    let names = [first, second].map { $0.isEmpty ? "the layer" : $0 }
    return names[0] == names[1] ? names[0] : "\(names[0]) / \(names[1])"
  }
}

/// Why two captured layers compute different outputs from the same input.
public struct PairCause: Sendable, Hashable, Codable {
  /// The option, as ``NormOption`` writes it, or the kind of mistake, as ``CauseName`` does.
  public let name: String
  /// Its share of the difference; see ``compareLayers(_:_:on:names:file:line:)``.
  public let share: Double
  /// The largest difference that it causes if nothing else differs.
  public let differenceAlone: Double
  /// What the first layer does.
  public let first: String
  /// What the second layer does.
  public let second: String
  /// Why that causes a difference; empty if `first` and `second` already say it.
  public let reason: String
  /// Lines of Python that change the second layer to match the first; empty if none are known.
  public let pytorch: [String]
}

/// An option, a parameter or a buffer that differs between two captured layers.
public struct StateDifference: Sendable, Hashable, Codable {
  /// Its name, as in the capture: `eps`, `running_var`.
  public let name: String
  /// The first layer's value.
  public let first: String
  /// The second layer's value.
  public let second: String
  /// The relation of the second to the first, as a clause: `the square root of the first`; empty if
  /// unknown.
  public let relation: String
  /// Whether results in evaluation depend on it.
  public let movesResults: Bool
}
