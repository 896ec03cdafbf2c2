import NormaNN
import NormaTensor

/// What the normalization layers of a network saw and did with one batch: a value that is read from a
/// file, written to one, diagnosed and compared.
///
///     let capture = try NetworkCapture(contentsOf: "mine.safetensors")
///     print(capture.diagnosis())
///
/// A capture comes from a network of any framework; docs/capture-format.md describes the file. What a
/// file does not hold is nil here, and whoever reads a capture then says less.
public struct NetworkCapture: Sendable {
  /// What made it: `torch 2.13.0`.
  public var framework: String
  /// The class of the network.
  public var model: String
  /// The samples of the batch.
  public var samples: Int
  /// Whether the network was in training mode when it was captured.
  public var isTraining: Bool
  /// What its user told of the data and of the training.
  public var facts: CaptureFacts
  /// The half type of automatic mixed precision, where it was on: `float16`.
  public var autocast: String?
  /// The normalization layers in the order of their first calls.
  public var layers: [CapturedLayer]
  /// What layers see with other epsilons.
  public var probes: [CaptureProbe]
  /// Values of the network's result, as it is in evaluation.
  public var result: [Double]?
  /// The same values when all batch norms normalize with the batch.
  public var batchResult: [Double]?

  /// A capture of no layer yet.
  public init(
    framework: String = "", model: String = "", samples: Int, isTraining: Bool = false,
    facts: CaptureFacts = CaptureFacts(), autocast: String? = nil, layers: [CapturedLayer] = [],
    probes: [CaptureProbe] = [], result: [Double]? = nil, batchResult: [Double]? = nil
  ) {
    self.framework = framework
    self.model = model
    self.samples = samples
    self.isTraining = isTraining
    self.facts = facts
    self.autocast = autocast
    self.layers = layers
    self.probes = probes
    self.result = result
    self.batchResult = batchResult
  }

  /// The layer of a name.
  public subscript(name: String) -> CapturedLayer? { layers.first { $0.name == name } }
}

/// What a user tells of the data of a capture, and of the training; nil is not told.
public struct CaptureFacts: Sendable, Hashable, Codable {
  /// How many batches the network was trained with.
  public var batches: Int?
  /// The number of samples in a batch of training.
  public var batchSize: Int?
  /// Where the data of the capture come from.
  public var data: Origin?
  /// Whether the samples of the capture are in random order, and of all kinds.
  public var isShuffled: Bool?

  /// Where data come from.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The data that the network was trained with.
    case training
    /// The data that the network is used on.
    case use
  }

  /// Facts; nothing is told by default.
  public init(
    batches: Int? = nil, batchSize: Int? = nil, data: Origin? = nil, isShuffled: Bool? = nil
  ) {
    self.batches = batches
    self.batchSize = batchSize
    self.data = data
    self.isShuffled = isShuffled
  }
}

/// What batch norm layers see when some of them have another epsilon.
public struct CaptureProbe: Sendable {
  /// The layers whose epsilon is another one.
  public var layers: [String]
  /// Their epsilon.
  public var epsilon: Double
  /// What each layer then sees, while all normalize with the batch, by name.
  public var moments: [String: SampleMoments]

  /// A probe.
  public init(layers: [String], epsilon: Double, moments: [String: SampleMoments]) {
    self.layers = layers
    self.epsilon = epsilon
    self.moments = moments
  }
}
