/// A possible defect of a network's normalization.
public enum Defect: String, Sendable, Hashable, Codable, CaseIterable {
  /// Running statistics hold NaN or infinity.
  case nonFinite = "non-finite-statistics"
  /// A running variance is below zero, which is impossible for a variance.
  case negativeVariance = "negative-running-variance"
  /// Running statistics have their initial values: mean 0, variance 1.
  case neverTrained = "never-trained-statistics"
  /// Running statistics, or only the means or variances, are those of another layer or of other
  /// channels.
  case exchanged = "exchanged-statistics"
  /// Running statistics belong to other weights: another training run or checkpoint.
  case foreign = "foreign-statistics"
  /// The momentum is too small for the number of batches: the running statistics still contain the
  /// initial values, or batches from long ago.
  case notConverged = "statistics-not-converged"
  /// The momentum is the share of the old value, but the layer expects that of the new one.
  case momentumConvention = "momentum-convention"
  /// Running statistics were updated more often than there were training batches.
  case doubleUpdate = "double-update"
  /// Batches outside of training have overwritten the statistics: inference in training mode.
  case overwritten = "overwritten-statistics"
  /// Running statistics were not updated while the weights changed.
  case stale = "stale-statistics"
  /// Running statistics are based on too few values: batches too small, or a momentum too large.
  case noisy = "noisy-statistics"
  /// Running statistics come from an unrepresentative part of the data: one class, or one process'
  /// share.
  case unrepresentative = "unrepresentative-statistics"
  /// A dropout before the layer made the variance in training larger than in evaluation.
  case dropoutShift = "dropout-variance-shift"
  /// The layer's epsilon differs from the one that the weights were trained with, or it dominates
  /// the variance.
  case epsilon = "epsilon-mismatch"
  /// The batch is of another kind than the training data.
  case domainShift = "domain-shift"
  /// Channels give the same value for every input.
  case deadChannels = "dead-channels"
  /// A layer's results do not match its formula: other axes, other groups, another divisor.
  case differentFormula = "different-formula"
}

extension DefectFinding {
  /// How much a finding matters, in increasing order.
  public enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// True, but no action is needed.
    case note
    /// A present or future cost.
    case warning
    /// It makes the network's results wrong.
    case error

    /// Notes first, errors last.
    public static func < (a: DefectFinding.Severity, b: DefectFinding.Severity) -> Bool {
      a.rank < b.rank
    }

    private var rank: Int {
      switch self {
      case .note: 0
      case .warning: 1
      case .error: 2
      }
    }
  }
}

/// One problem: where it is, its evidence, alternative explanations, and what to do.
public struct DefectFinding: Sendable, Hashable, Codable {
  /// Its severity.
  public var severity: DefectFinding.Severity
  /// The problem, as the most likely cause.
  public var defect: Defect
  /// The affected layers, in the order of their calls.
  public var layers: [String]
  /// The affected channels of each layer, if not all are affected.
  public var channels: [String: [Int]]
  /// The problem, in a sentence or two.
  public var statement: String
  /// The evidence, in numbers.
  public var evidence: [String]
  /// Other explanations that the data do not exclude.
  public var alternatives: [Alternative]
  /// Questions and experiments that would decide between the cause and its alternatives.
  public var decides: [String]
  /// How much the network's result changes when one of these layers normalizes with the batch,
  /// relative to the result's own spread: the largest change; nil if unknown.
  public var effect: Double?
  /// How to repair this network.
  public var now: Repair
  /// How to prevent it in the next training run; nil if nothing has to change.
  public var next: Repair?

  /// Another cause that the data do not exclude.
  public struct Alternative: Sendable, Hashable, Codable {
    /// The other cause; nil if it has no name.
    public var defect: Defect?
    /// Why it cannot be excluded, or what would indicate it.
    public var reason: String

    /// An alternative.
    public init(_ defect: Defect?, _ reason: String) {
      self.defect = defect
      self.reason = reason
    }
  }

  /// What to do, as a sentence and as code.
  public struct Repair: Sendable, Hashable, Codable {
    /// What to do.
    public var text: String
    /// Lines of Python, for PyTorch.
    public var pytorch: [String]
    /// Lines of Python, for Keras 3.
    public var keras: [String]
    /// Lines of Python, for Flax NNX.
    public var flax: [String]
    /// Lines of Swift, for Norma.
    public var norma: [String]

    /// A repair.
    public init(
      _ text: String, pytorch: [String] = [], keras: [String] = [], flax: [String] = [],
      norma: [String] = []
    ) {
      (self.text, self.pytorch, self.keras, self.flax) = (text, pytorch, keras, flax)
      self.norma = norma
    }

    /// A repair with the same Python for all frameworks.
    init(_ text: String, python: [String], norma: [String]) {
      self.init(text, pytorch: python, keras: python, flax: python, norma: norma)
    }

    /// The lines for a framework; empty if the sentence is enough.
    public func code(for framework: NetworkCapture.Framework) -> [String] {
      switch framework {
      case .pytorch: pytorch
      case .keras: keras
      case .flax: flax
      case .norma: norma
      }
    }
  }

  /// What to do now and in the next training run, as sentences.
  public var repairs: [String] { [now.text] + (next.map { [$0.text] } ?? []) }
}
