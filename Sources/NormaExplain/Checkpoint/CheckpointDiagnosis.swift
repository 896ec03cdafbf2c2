import NormaFiles

/// What the numbers of a checkpoint alone tell about its normalization layers.
///
///     let diagnosis = try StateFile(contentsOf: "model.pt").diagnosis()
///     print(diagnosis)
///
/// Layers are found by the names of their tensors. Whether running statistics fit the data and the
/// weights no checkpoint can tell; a ``NetworkCapture`` can.
public struct CheckpointDiagnosis: Sendable, Hashable, Codable {
  /// What is wrong, the most important first.
  public let findings: [CheckpointFinding]
  /// The normalization layers, in the order of the file.
  public let layers: [CheckpointLayer]
  /// The keys that lead to the model's tensors, joined by points; empty where they lie at the top.
  public let container: String
  /// What all names begin with and a model that is not wrapped does not have: `module.`.
  public let prefix: String
  /// How many tensors the model has.
  public let tensors: Int
  /// Tensors that could not be read, each with the reason.
  public let unread: [String: String]

  /// Whether nothing is wrong; notes may be left.
  public var isHealthy: Bool { findings.allSatisfy { $0.severity == .note } }
}

/// One thing that the numbers of a checkpoint show.
public struct CheckpointFinding: Sendable, Hashable, Codable {
  /// How much it matters.
  public var severity: DefectFinding.Severity
  /// What is wrong: the identifier of a ``Defect``, or one that only checkpoints have:
  /// `non-finite-parameters`, `half-precision-range`, `missing-statistics`, `mismatched-shapes`,
  /// `copied-statistics`, `names-with-prefix`, `state-within-state`.
  public var name: String
  /// The layers concerned, in the order of the file.
  public var layers: [String] = []
  /// Of each layer the channels concerned, where not all are.
  public var channels: [String: [Int]] = [:]
  /// What is wrong, in a sentence or two.
  public var statement: String
  /// What shows it, in numbers.
  public var evidence: [String] = []
  /// What the numbers cannot exclude.
  public var alternatives: [String] = []
  /// What to do.
  public var repair: DefectFinding.Repair?
}

/// A normalization layer as a checkpoint has it.
public struct CheckpointLayer: Sendable, Hashable, Codable {
  /// The name of the layer; empty where its tensors lie at the top.
  public let name: String
  /// How many channels its tensors have.
  public let channels: Int
  /// Whether it has running statistics.
  public let hasStatistics: Bool
  /// How many batches the running statistics have followed, or nil where the file does not say.
  public let batchesTracked: Int?
  /// The smallest and the largest running mean.
  public let mean: Extent?
  /// The smallest and the largest running variance.
  public let variance: Extent?
  /// The smallest and the largest weight.
  public let weight: Extent?

  /// Two ends of finite numbers, and how many others there are.
  public struct Extent: Sendable, Hashable, Codable {
    /// The smallest finite number.
    public let smallest: Double
    /// The largest finite number.
    public let largest: Double
    /// How many numbers are NaN or infinite.
    public let nonFinite: Int
  }
}

extension StateFile {
  /// What the numbers of a checkpoint alone tell about its normalization layers.
  ///
  /// Only the tensors of these layers are read.
  ///
  /// - Throws: `FileError` where a tensor is damaged, ``NormaExplain/CheckpointDiagnosisError`` where the file has no
  ///   normalization layer.
  public func diagnosis() throws -> CheckpointDiagnosis {
    var reader = StoredLayers(self)
    try reader.read()
    if reader.layers.isEmpty { throw CheckpointDiagnosisError(keys: keys) }
    var search = try CheckpointSearch(layers: reader.layers, self)
    search.run()
    var unread: [String: String] = [:]
    for entry in entries { unread[entry.name] = entry.reason }
    return CheckpointDiagnosis(
      findings: search.sorted, layers: reader.layers.map(\.summary),
      container: container, prefix: search.prefix, tensors: keys.count, unread: unread)
  }
}

/// A file without a normalization layer.
public struct CheckpointDiagnosisError: Error, Sendable, CustomStringConvertible {
  /// The names of its tensors.
  public let keys: [String]

  /// What is missing, with names that the file has.
  public var description: String {
    let names = keys.prefix(6).joined(separator: ", ") + (keys.count > 6 ? ", ..." : "")
    return
      "no normalization layer was found among \(keys.count) tensors by the names running_mean, "
      + "running_var, weight and bias; the file has \(names)"
  }
}
