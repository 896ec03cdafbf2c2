import NormaFiles

/// What the values in a checkpoint alone show about its normalization layers.
///
///     let diagnosis = try StateFile(contentsOf: "model.pt").diagnosis()
///     print(diagnosis)
///
/// Layers are found by the names of their tensors. A checkpoint cannot show whether running
/// statistics match the data and the weights; a ``NetworkCapture`` can.
public struct CheckpointDiagnosis: Sendable, Hashable, Codable {
  /// The problems, most important first.
  public let findings: [CheckpointFinding]
  /// The normalization layers, in the order of the file.
  public let layers: [CheckpointLayer]
  /// The path of keys to the model's tensors, joined by dots; empty if they are at the top level.
  public let container: String
  /// A common prefix of all names that an unwrapped model does not have: `module.`.
  public let prefix: String
  /// The number of tensors of the model.
  public let tensors: Int
  /// Tensors that could not be read, with the reason for each.
  public let unread: [String: String]

  /// Whether nothing is wrong; there may still be notes.
  public var isHealthy: Bool { findings.allSatisfy { $0.severity == .note } }
}

/// One problem that the values of a checkpoint show.
public struct CheckpointFinding: Sendable, Hashable, Codable {
  /// Its severity.
  public var severity: DefectFinding.Severity
  /// The problem: the identifier of a ``Defect``, or one that only checkpoints have:
  /// `non-finite-parameters`, `half-precision-range`, `missing-statistics`, `mismatched-shapes`,
  /// `copied-statistics`, `names-with-prefix`, `state-within-state`.
  public var name: String
  /// The affected layers, in the order of the file.
  public var layers: [String] = []
  /// The affected channels of each layer, if not all are affected.
  public var channels: [String: [Int]] = [:]
  /// The problem, in a sentence or two.
  public var statement: String
  /// The evidence, in numbers.
  public var evidence: [String] = []
  /// Other explanations that the values do not exclude.
  public var alternatives: [String] = []
  /// What to do.
  public var repair: DefectFinding.Repair?
}

/// A normalization layer as stored in a checkpoint.
public struct CheckpointLayer: Sendable, Hashable, Codable {
  /// The name of the layer; empty if its tensors are at the top level.
  public let name: String
  /// The number of channels of its tensors.
  public let channels: Int
  /// Whether it has running statistics.
  public let hasStatistics: Bool
  /// The number of batches in the running statistics, or nil if the file does not say.
  public let batchesTracked: Int?
  /// The smallest and the largest running mean.
  public let mean: Extent?
  /// The smallest and the largest running variance.
  public let variance: Extent?
  /// The smallest and the largest weight.
  public let weight: Extent?

  /// The smallest and largest finite numbers, and the number of others.
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
  /// What the values in a checkpoint alone show about its normalization layers.
  ///
  /// Only the tensors of these layers are read.
  ///
  /// - Throws: `FileError` if a tensor is damaged, ``NormaExplain/CheckpointDiagnosisError``
  ///   if the file has no normalization layer.
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

  /// What is missing, and names that the file has.
  public var description: String {
    let names = keys.prefix(6).joined(separator: ", ") + (keys.count > 6 ? ", ..." : "")
    return
      "no normalization layer was found among \(keys.count) tensors by the names running_mean, "
      + "running_var, weight and bias; the file has \(names)"
  }
}
