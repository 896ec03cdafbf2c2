/// A kind of normalization over channels, to which ``convertNorms(in:to:)`` can bring a network.
public enum NormKind: Sendable, Hashable, Codable {
  /// Batch norm.
  case batch
  /// Batch norm whose statistics and parameters never change: ``FrozenBatchNorm2d``.
  case frozen
  /// Batch norm by parts of so many samples: ``GhostBatchNorm``.
  case ghost(partSize: Int)
  /// Batch norm with a layer of its own for each of so many parts: ``SplitBatchNorm2d``.
  case split(Int)
  /// Group norm with so many groups: ``GroupNorm``.
  case group(Int)
}

/// What became of a network's norms when they were converted.
public struct NormConversionReport: Sendable, Hashable, Codable, CustomStringConvertible {
  /// A layer of another kind now.
  public struct Conversion: Sendable, Hashable, Codable {
    /// The layer's name.
    public let name: String
    /// What it was: `BatchNorm2d`.
    public let from: String
    /// What it is: `GroupNorm`.
    public let to: String
    /// Whether it does the same in evaluation as before. Otherwise it has kept weight and bias alone,
    /// and a batch norm needs statistics: ``recalibrate(_:over:rule:order:progress:forward:)``.
    public let isExactInEvaluation: Bool
  }

  /// The layers that were converted, in order.
  public internal(set) var conversions: [Conversion] = []
  /// The norms that could not be converted, by name, with the reason.
  public internal(set) var rest: [FoldingReport.Rest] = []

  /// One line for each layer.
  public var description: String {
    let lines =
      conversions.map {
        "\($0.name): \($0.from) is \($0.to) now"
          + ($0.isExactInEvaluation ? "" : ", with its weight and bias alone")
      } + rest.map { "\($0.norm) stays: \($0.reason)" }
    return lines.isEmpty ? "nothing to convert" : lines.joined(separator: "\n")
  }
}
