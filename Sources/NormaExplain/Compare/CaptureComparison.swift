/// Where two captures of one network differ first, and why: a port, a conversion, two versions.
///
/// A value that prints in words and encodes to JSON; ``compareCaptures(_:_:names:)`` makes it.
public struct CaptureComparison: Sendable, Hashable, Codable {
  /// How the layers of two captures were matched.
  public enum Matching: String, Sendable, Hashable, Codable {
    /// By equal names.
    case names
    /// By names that are equal but for a prefix.
    case prefix
    /// By the order of their calls, their kind and their size.
    case order
    /// Some by name, the others by order.
    case mixed
  }

  /// What the comparison comes to.
  public enum Verdict: String, Sendable, Hashable, Codable {
    /// Nothing differs by more than rounding.
    case same
    /// A layer makes other outputs of equal inputs.
    case layer
    /// Equal outputs of one layer arrive as different inputs of the next.
    case between
    /// The inputs of the first layer differ already.
    case inputs
    /// The layers' outputs agree and the networks' results do not.
    case result
    /// The samples agree, or there are none; options, parameters or buffers do not.
    case state
    /// One has layers that the other does not, and nothing else was found.
    case layers
    /// The captures do not hold what would decide.
    case undecided
  }

  /// What the first capture is called.
  public let first: String
  /// What the second capture is called.
  public let second: String
  /// How the layers were matched.
  public let matching: Matching
  /// Whether the matched layers are called in another order.
  public let isReordered: Bool
  /// The matched layers in the order of their first calls in the first capture.
  public let layers: [CapturedPair]
  /// The layers that the first capture alone has.
  public let onlyFirst: [String]
  /// The layers that the second capture alone has.
  public let onlySecond: [String]
  /// The networks' results; nil where they cannot be compared.
  public let result: SampleGap?
  /// What it comes to.
  public let verdict: Verdict
  /// Which of ``layers`` the verdict is about; nil where it is about none.
  public let origin: Int?
  /// What the captures leave open, and what else a reader should know, in sentences.
  public let notes: [String]

  /// Whether nothing differs by more than rounding.
  public var isSame: Bool { verdict == .same }

  /// The layer that the verdict is about.
  public var originLayer: CapturedPair? { origin.map { layers[$0] } }
}

/// How far two samples of the same values are apart.
public struct SampleGap: Sendable, Hashable, Codable {
  /// The largest distance between finite values.
  public let maximum: Double
  /// The root of the mean squared distance.
  public let rootMeanSquare: Double
  /// The standard deviation of the first one's values.
  public let spread: Double
  /// The largest root mean square distance, in spreads, that counts as rounding: half the digits of
  /// the narrowest type on the way, √u, where layer after layer adds its own rounding.
  public let tolerance: Double
  /// At how many positions just one is finite, or both are other than finite and not alike.
  public let incomparable: Int
  /// What one is of the other, in a clause: `255 times those of the first`; nil where it is unknown.
  public let relation: String?

  /// The distance in spreads.
  public var relative: Double { spread > 0 ? rootMeanSquare / spread : rootMeanSquare }

  /// Whether they agree up to rounding.
  public var agrees: Bool { incomparable == 0 && relative <= tolerance }
}

/// Two layers that were matched.
public struct CapturedPair: Sendable, Hashable, Codable {
  /// What a layer makes of equal inputs, compared with the other layer.
  public enum Behaviour: String, Sendable, Hashable, Codable {
    /// The same, up to rounding.
    case same
    /// Something else.
    case different
    /// The captures do not tell.
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
  /// How far their inputs are apart; nil where that is not known.
  public let input: SampleGap?
  /// How far their outputs are apart; nil where that is not known.
  public let output: SampleGap?
  /// Whether they make the same of equal inputs, whatever inputs they got.
  public let behaviour: Behaviour
  /// How far their outputs of one input are apart, and how much of that rounding may be, at the
  /// position where it exceeds rounding most; nil where no formula reproduces a layer.
  public let ownGap: OwnGap?
  /// Why outputs of one input differ, the most important cause first.
  public let causes: [PairCause]
  /// What no cause accounts for.
  public let unexplained: Double
  /// Whether that is no more than rounding.
  public let unexplainedIsRounding: Bool
  /// The options, parameters and buffers that differ, whether that matters in evaluation or not.
  public let differences: [StateDifference]
  /// What keeps the samples from being compared, or limits it, in a sentence.
  public let obstacle: String?

  /// The outputs of one input.
  public struct OwnGap: Sendable, Hashable, Codable {
    /// The largest distance.
    public let maximum: Double
    /// The most that rounding makes of the layer's type at that position.
    public let rounding: Double
  }

  /// The name for people: both, where they differ.
  public var title: String {
    let names = [first, second].map { $0.isEmpty ? "the layer" : $0 }
    return names[0] == names[1] ? names[0] : "\(names[0]) / \(names[1])"
  }
}

/// Why two captured layers make different outputs of one input.
public struct PairCause: Sendable, Hashable, Codable {
  /// The option, as ``NormOption`` writes it, or the kind of mistake, as ``CauseName`` does.
  public let name: String
  /// Its part in the difference; see ``compareLayers(_:_:on:names:file:line:)``.
  public let share: Double
  /// The largest difference that it makes where nothing else differs.
  public let differenceAlone: Double
  /// What the first layer does.
  public let first: String
  /// What the second layer does.
  public let second: String
  /// Why that makes a difference; empty where the two above say it.
  public let reason: String
  /// Lines of Python that give the second layer what the first has; empty where none are known.
  public let pytorch: [String]
}

/// An option, a parameter or a buffer that two captured layers do not share.
public struct StateDifference: Sendable, Hashable, Codable {
  /// Its name, as in the capture: `eps`, `running_var`.
  public let name: String
  /// What the first layer has.
  public let first: String
  /// What the second layer has.
  public let second: String
  /// What the second is of the first, in a clause: `the square root of the first`; empty where it is
  /// nothing known.
  public let relation: String
  /// Whether results in evaluation depend on it.
  public let movesResults: Bool
}
