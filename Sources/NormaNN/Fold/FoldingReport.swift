/// What became of a network's batch norm layers when they were folded; a value that prints in words and
/// encodes to JSON.
public struct FoldingReport: Sendable, Hashable, Codable {
  /// A layer that is part of another one now.
  public struct Fold: Sendable, Hashable, Codable {
    /// The norm's name: `1`.
    public let norm: String
    /// The name of the layer that took it in: `0`.
    public let layer: String
    /// Whether the norm stood in front of that layer, and not behind it.
    public let isBefore: Bool
  }

  /// A layer that stays as it was.
  public struct Rest: Sendable, Hashable, Codable {
    /// The norm's name.
    public let norm: String
    /// Why it could not be folded.
    public let reason: String
  }

  /// The layers that were folded, in their order.
  public internal(set) var folds: [Fold] = []
  /// The layers that stay.
  public internal(set) var rest: [Rest] = []
  /// The largest distance between finite results of both networks on the data for verification; nil
  /// without data.
  public internal(set) var largestDifference: Double?
  /// The largest finite magnitude among the results of the network as it was.
  public internal(set) var largestResult: Double?
  /// At how many places just one of both results is finite, or both are other than finite and not
  /// alike.
  public internal(set) var incomparable = 0
}

extension FoldingReport: CustomStringConvertible {
  /// One line for each layer, and one for the verification.
  public var description: String {
    var lines = folds.map {
      "\($0.norm) folded into \($0.layer) \($0.isBefore ? "behind" : "before") it"
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
