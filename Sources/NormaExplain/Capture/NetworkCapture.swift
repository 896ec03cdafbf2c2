import NormaNN
import NormaTensor

/// The inputs and outputs of a network's normalization layers for one batch. A capture can be read
/// from a file, written to one, diagnosed and compared.
///
///     let capture = try NetworkCapture(contentsOf: "mine.safetensors")
///     print(capture.diagnosis())
///
/// A capture comes from a network in any framework; docs/capture-format.md describes the file. What
/// a file does not contain is nil here, and diagnoses then say less.
public struct NetworkCapture: Sendable {
  /// The framework that created it: `torch 2.13.0`.
  public var framework: String
  /// The class of the network.
  public var model: String
  /// The number of samples in the batch.
  public var samples: Int
  /// Whether the network was in training mode when it was captured.
  public var isTraining: Bool
  /// What the user said about the data and the training.
  public var facts: CaptureFacts
  /// The half type of automatic mixed precision, if it was on: `float16`.
  public var autocast: String?
  /// The normalization layers in the order of their first calls.
  public var layers: [CapturedLayer]
  /// What layers see with other epsilons.
  public var probes: [CaptureProbe]
  /// Values of the network's result in evaluation.
  public var result: [Double]?
  /// The same values when all batch norms normalize with the batch.
  public var batchResult: [Double]?

  /// A capture without layers.
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

  /// The layer with a name.
  public subscript(name: String) -> CapturedLayer? { layers.first { $0.name == name } }
}

/// What a user says about the data of a capture and about the training; nil if unknown.
public struct CaptureFacts: Sendable, Hashable, Codable {
  /// The number of batches that the network was trained with.
  public var batches: Int?
  /// The number of samples in a training batch.
  public var batchSize: Int?
  /// The source of the capture's data.
  public var data: Origin?
  /// Whether the samples of the capture are shuffled, and of all classes.
  public var isShuffled: Bool?

  /// Sources of data.
  public enum Origin: String, Sendable, Hashable, Codable {
    /// The data that the network was trained with.
    case training
    /// The data that the network is used on.
    case use
  }

  /// Facts; all are unknown by default.
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
  /// The layers with another epsilon.
  public var layers: [String]
  /// Their epsilon.
  public var epsilon: Double
  /// What each layer then sees, by name, while all normalize with the batch.
  public var moments: [String: SampleMoments]

  /// A probe.
  public init(layers: [String], epsilon: Double, moments: [String: SampleMoments]) {
    self.layers = layers
    self.epsilon = epsilon
    self.moments = moments
  }
}
