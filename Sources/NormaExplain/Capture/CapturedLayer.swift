import NormaNN
import NormaTensor

/// One normalization layer of a ``NetworkCapture``: its kind and state, its input and its output.
public struct CapturedLayer: Sendable {
  /// The layer's name: `blocks.0.bn1`; empty if the layer is the whole network.
  public var name: String
  /// Its kind in PyTorch's terms, such as `BatchNorm2d`; `custom` for any other class.
  public var kind: String
  /// The full name of its class.
  public var className: String
  /// How many times the network called it.
  public var calls: Int
  /// The options that it was created with.
  public var options: CapturedOptions
  /// Whether it was in training mode when the network was captured.
  public var isTraining: Bool
  /// The shape of its first input.
  public var shape: [Int]
  /// The element type of its input in PyTorch's terms: `float32`.
  public var dtype: String
  /// Other names of the same layer.
  public var otherNames: [String]
  /// The module called right before it.
  public var before: CapturedNeighbour?
  /// The module called right after it.
  public var after: CapturedNeighbour?
  /// The modules called between the previous normalization layer and this one, in order; empty if
  /// there are none or they were not recorded.
  public var between: [CapturedNeighbour]
  /// Why training batches do not update its running statistics: `frozen`; nil if they do, or if it
  /// is unknown.
  public var standsStill: String?

  /// The weight, gamma.
  public var weight: Tensor?
  /// The bias, beta.
  public var bias: Tensor?
  /// The running means.
  public var runningMean: Tensor?
  /// The running variances.
  public var runningVariance: Tensor?
  /// The number of batches in the running statistics.
  public var batchesTracked: Int?

  /// The first samples of its input, in evaluation.
  public var x: Tensor?
  /// Its output for them.
  public var y: Tensor?
  /// What it saw when all batch norms normalized with the batch, as in training.
  public var batch: SampleMoments?
  /// What it saw when the network ran as it is, in evaluation.
  public var evaluation: SampleMoments?
  /// Values of the network's result when only this layer normalizes with the batch.
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

  /// The name to display; a network that is itself the layer has no name.
  public var title: String { name.isEmpty ? "the layer" : name }

  /// Whether it is a batch norm, for inputs of any rank.
  public var isBatchNorm: Bool {
    kind.hasPrefix("BatchNorm") || kind == "SyncBatchNorm" || kind.hasPrefix("LazyBatchNorm")
  }

  /// Whether it normalizes with running statistics in evaluation.
  public var usesRunningStatistics: Bool { runningMean != nil && runningVariance != nil }
}

/// The options of a captured layer; nil if the kind has no such option or it was not recorded.
public struct CapturedOptions: Sendable, Hashable {
  /// The number of channels: `num_features` or `num_channels`.
  public var features: Int?
  /// The number of groups.
  public var groups: Int?
  /// The shape that layer norm and RMS norm normalize.
  public var normalizedShape: [Int]?
  /// Epsilon; nil for the default of the kind.
  public var epsilon: Double?
  /// The weight of a new batch in the running statistics.
  public var momentum: Momentum?
  /// Whether there are weight and bias.
  public var isAffine: Bool?
  /// Whether there are running statistics.
  public var tracksRunningStatistics: Bool?
  /// Every option as text, as written in the file.
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

/// A module that was called right before or after a layer.
public struct CapturedNeighbour: Sendable, Hashable {
  /// Its class: `Dropout`.
  public var kind: String
  /// Its name.
  public var name: String
  /// The drop probability of a dropout layer.
  public var dropout: Double?
  /// Whether it adds a bias; nil if it has no such option, or if unknown.
  public var hasBias: Bool?

  /// A neighbor.
  public init(kind: String, name: String, dropout: Double? = nil, hasBias: Bool? = nil) {
    self.kind = kind
    self.name = name
    self.hasBias = hasBias
    self.dropout = dropout
  }

  /// Whether it is a normalization, judged by its name.
  var isNorm: Bool { kind.lowercased().contains("norm") }
}
