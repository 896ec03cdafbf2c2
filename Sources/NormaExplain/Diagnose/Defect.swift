/// What can be wrong with the normalization of a network.
public enum Defect: String, Sendable, Hashable, Codable, CaseIterable {
  /// Running statistics hold NaN or infinity.
  case nonFinite = "non-finite-statistics"
  /// A running variance is below zero, which no variance is.
  case negativeVariance = "negative-running-variance"
  /// Running statistics are as they were at first: mean 0, variance 1.
  case neverTrained = "never-trained-statistics"
  /// Running statistics, or the means or variances alone, are those of another layer or of other
  /// channels.
  case exchanged = "exchanged-statistics"
  /// Running statistics belong to other weights: another training, another checkpoint.
  case foreign = "foreign-statistics"
  /// The momentum is too small for the batches that were seen: the first values are still in the
  /// running statistics, or batches of long ago.
  case notConverged = "statistics-not-converged"
  /// The momentum is the share of the old value where the layer takes that of the new one.
  case momentumConvention = "momentum-convention"
  /// Running statistics were updated more often than there were batches.
  case doubleUpdate = "double-update"
  /// Batches that are no batches of training have replaced what training left: inference in training
  /// mode.
  case overwritten = "overwritten-statistics"
  /// Running statistics stood still while the weights moved on.
  case stale = "stale-statistics"
  /// Running statistics rest on too few values: batches too small, or a momentum too large.
  case noisy = "noisy-statistics"
  /// Running statistics come from a part of the data that does not stand for all: one class, one
  /// process' share.
  case unrepresentative = "unrepresentative-statistics"
  /// A dropout in front of the layer made the variance of training larger than that of evaluation.
  case dropoutShift = "dropout-variance-shift"
  /// The layer's epsilon is not the one that the weights were trained with, or it dominates the
  /// variance.
  case epsilon = "epsilon-mismatch"
  /// The batch is of another kind than the data of training.
  case domainShift = "domain-shift"
  /// Channels give the same number whatever comes in.
  case deadChannels = "dead-channels"
  /// A layer's results are not those of its formula: other axes, other groups, another divisor.
  case differentFormula = "different-formula"
}

extension DefectFinding {
  /// How much a finding matters; the larger, the more.
  public enum Severity: String, Sendable, Hashable, Codable, CaseIterable, Comparable {
    /// True, and no reason to do anything.
    case note
    /// It costs something, or will.
    case warning
    /// The network's results are wrong because of it.
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

/// One thing that is wrong: where, what shows it, what else it could be, and what to do.
public struct DefectFinding: Sendable, Hashable, Codable {
  /// How much it matters.
  public var severity: DefectFinding.Severity
  /// What is wrong, as the most likely cause.
  public var defect: Defect
  /// The layers concerned, in the order of their calls.
  public var layers: [String]
  /// Of each layer the channels concerned, where not all are.
  public var channels: [String: [Int]]
  /// What is wrong, in a sentence or two.
  public var statement: String
  /// What shows it, in numbers.
  public var evidence: [String]
  /// What the data cannot exclude.
  public var alternatives: [Alternative]
  /// What would decide between the cause and its alternatives, as questions and things to try.
  public var decides: [String]
  /// How much the network's result changes when these layers normalize with the batch, relative to
  /// the result's own spread: the largest of the layers alone; nil where it is not known.
  public var effect: Double?
  /// What repairs this network.
  public var now: Repair
  /// What keeps it from happening in the next training; nil where nothing has to change.
  public var next: Repair?

  /// Another cause that the data cannot exclude.
  public struct Alternative: Sendable, Hashable, Codable {
    /// The other cause; nil where it has no name.
    public var defect: Defect?
    /// Why it cannot be excluded, or what would speak for it.
    public var reason: String

    /// An alternative.
    public init(_ defect: Defect?, _ reason: String) {
      self.defect = defect
      self.reason = reason
    }
  }

  /// What to do, in a sentence and in code.
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

    /// A repair whose Python is the same for all frameworks.
    init(_ text: String, python: [String], norma: [String]) {
      self.init(text, pytorch: python, keras: python, flax: python, norma: norma)
    }

    /// The lines for a framework; empty where the sentence says it all.
    public func code(for framework: NetworkCapture.Framework) -> [String] {
      switch framework {
      case .pytorch: pytorch
      case .keras: keras
      case .flax: flax
      case .norma: norma
      }
    }
  }

  /// What to do, now and in the next training, as sentences.
  public var repairs: [String] { [now.text] + (next.map { [$0.text] } ?? []) }
}
