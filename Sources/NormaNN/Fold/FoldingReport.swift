/// The result of folding a network's batch norm layers. It prints as text and encodes to JSON.
public struct FoldingReport: Sendable, Hashable, Codable {
  /// A layer that was folded into another one.
  public struct Fold: Sendable, Hashable, Codable {
    /// The norm's name: `1`.
    public let norm: String
    /// The name of the layer that it was folded into: `0`.
    public let layer: String
    /// Whether the norm came before that layer rather than after it.
    public let isBefore: Bool
  }

  /// A layer that was not changed.
  public struct Rest: Sendable, Hashable, Codable {
    /// The norm's name.
    public let norm: String
    /// Why it could not be folded.
    public let reason: String
  }

  /// The folded layers, in order.
  public internal(set) var folds: [Fold] = []
  /// The layers that were not changed.
  public internal(set) var rest: [Rest] = []
  /// The largest difference between finite results of both networks on the verification data; nil
  /// without data.
  public internal(set) var largestDifference: Double?
  /// The largest finite magnitude among the results of the network as it was.
  public internal(set) var largestResult: Double?
  /// The number of positions where only one of the two results is finite, or where both are not
  /// finite and differ.
  public internal(set) var incomparable = 0
}

extension FoldingReport: CustomStringConvertible {
  /// One line per layer, and one for the verification.
  public var description: String {
    var lines = folds.map {
      "\($0.norm) folded into \($0.layer) \($0.isBefore ? "after" : "before") it"
    }
    lines += rest.map { "\($0.norm) stays: \($0.reason)" }
    if lines.isEmpty { lines.append("no batch norm") }
    if let largestDifference, let largestResult {
      lines.append(
        "results differ by at most \(largestDifference.shortText); the largest is "
          + "\(largestResult.shortText)")
    }
    if incomparable > 0 { lines.append("\(incomparable) results are not finite in one of them") }
    return lines.joined(separator: "\n")
  }
}
