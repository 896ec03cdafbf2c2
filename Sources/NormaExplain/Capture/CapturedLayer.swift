import NormaNN
import NormaTensor

/// One normalization layer of a ``NetworkCapture``: what it is, what it holds, what it saw and did.
public struct CapturedLayer: Sendable {
  /// Where the layer is: `blocks.0.bn1`; empty where the network is the layer.
  public var name: String
  /// Its kind in PyTorch's words, such as `BatchNorm2d`; `custom` for a class that is none of them.
  public var kind: String
  /// The full name of its class.
  public var className: String
  /// How often the network called it.
  public var calls: Int
  /// What it was made with.
  public var options: CapturedOptions
  /// Whether it was in training mode when the network was captured.
  public var isTraining: Bool
  /// The shape of its first input.
  public var shape: [Int]
  /// The element type of its input in PyTorch's words: `float32`.
  public var dtype: String
  /// Other names of the same layer.
  public var otherNames: [String]
  /// What was called right before it.
  public var before: CapturedNeighbour?
  /// What was called right after it.
  public var after: CapturedNeighbour?
  /// What was called between the normalization layer before it and it, in order; empty where that is
  /// nothing or was not written.
  public var between: [CapturedNeighbour]
  /// Why its running statistics do not follow batches of training: `frozen`; nil where they do, or it
  /// is not known.
  public var standsStill: String?

  /// The weight, gamma.
  public var weight: Tensor?
  /// The bias, beta.
  public var bias: Tensor?
  /// The running means.
  public var runningMean: Tensor?
  /// The running variances.
  public var runningVariance: Tensor?
  /// How many batches the running statistics have followed.
  public var batchesTracked: Int?

  /// The first samples of its input, in evaluation.
  public var x: Tensor?
  /// What it made of them.
  public var y: Tensor?
  /// What it saw when all batch norms normalized with the batch, as in training.
  public var batch: SampleMoments?
  /// What it saw when the network ran as it is, in evaluation.
  public var evaluation: SampleMoments?
  /// Values of the network's result when this layer alone normalizes with the batch.
  public var aloneResult: [Double]?

  /// A layer of which nothing else is known.
  public init(name: String, kind: String, options: CapturedOptions = CapturedOptions()) {
    self.name = name
    self.kind = kind
    className = kind
    calls = 1
    self.options = options
    isTraining = false
    shape = []
    dtype = "float32"
    otherNames = []
    between = []
  }

  /// The name for people: that of a network that is the layer itself is empty.
  public var title: String { name.isEmpty ? "the layer" : name }

  /// Whether it is a batch norm of any number of axes.
  public var isBatchNorm: Bool {
    kind.hasPrefix("BatchNorm") || kind == "SyncBatchNorm" || kind.hasPrefix("LazyBatchNorm")
  }

  /// Whether it normalizes with running statistics in evaluation.
  public var usesRunningStatistics: Bool { runningMean != nil && runningVariance != nil }
}

/// What a captured layer was made with; nil where the kind has no such option or it was not written.
public struct CapturedOptions: Sendable, Hashable {
  /// The number of channels: `num_features` or `num_channels`.
  public var features: Int?
  /// The number of groups.
  public var groups: Int?
  /// The shape that layer and root mean square norm normalize.
  public var normalizedShape: [Int]?
  /// Epsilon; nil for the kind's own.
  public var epsilon: Double?
  /// The share of a new batch in the running statistics.
  public var momentum: Momentum?
  /// Whether there are weight and bias.
  public var isAffine: Bool?
  /// Whether there are running statistics.
  public var tracksRunningStatistics: Bool?
  /// Every option as the file has it, in its own words.
  public var texts: [String: String]

  /// Options.
  public init(
    features: Int? = nil, groups: Int? = nil, normalizedShape: [Int]? = nil,
    epsilon: Double? = nil, momentum: Momentum? = nil, isAffine: Bool? = nil,
    tracksRunningStatistics: Bool? = nil, texts: [String: String] = [:]
  ) {
    self.features = features
    self.groups = groups
    self.normalizedShape = normalizedShape
    self.epsilon = epsilon
    self.momentum = momentum
    self.isAffine = isAffine
    self.tracksRunningStatistics = tracksRunningStatistics
    self.texts = texts
  }
}

/// A layer that was called right before or after another one.
public struct CapturedNeighbour: Sendable, Hashable {
  /// Its class: `Dropout`.
  public var kind: String
  /// Where it is.
  public var name: String
  /// The share that a dropout leaves out.
  public var dropout: Double?
  /// Whether it adds a bias; nil where it cannot, or it is not known.
  public var hasBias: Bool?

  /// A neighbour.
  public init(kind: String, name: String, dropout: Double? = nil, hasBias: Bool? = nil) {
    self.kind = kind
    self.name = name
    self.hasBias = hasBias
    self.dropout = dropout
  }

  /// Whether it is a normalization, by its name.
  var isNorm: Bool { kind.lowercased().contains("norm") }
}
