/// A kind of channel normalization that ``convertNorms(in:to:)`` can convert to.
public enum NormKind: Sendable, Hashable, Codable {
  /// Batch norm.
  case batch
  /// Batch norm whose statistics and parameters never change: ``FrozenBatchNorm2d``.
  case frozen
  /// Batch norm over parts of `partSize` samples: ``GhostBatchNorm``.
  case ghost(partSize: Int)
  /// Batch norm with a separate layer for each of this many parts: ``SplitBatchNorm2d``.
  case split(Int)
  /// Group norm with this many groups: ``GroupNorm``.
  case group(Int)
}

/// The result of converting a network's norms.
public struct NormConversionReport: Sendable, Hashable, Codable, CustomStringConvertible {
  /// A layer that was converted.
  public struct Conversion: Sendable, Hashable, Codable {
    /// The layer's name.
    public let name: String
    /// What it was: `BatchNorm2d`.
    public let from: String
    /// What it is: `GroupNorm`.
    public let to: String
    /// Whether its results in evaluation are unchanged. Otherwise only weight and bias were kept,
    /// and a batch norm needs new statistics: ``recalibrate(_:over:rule:order:progress:forward:)``.
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
