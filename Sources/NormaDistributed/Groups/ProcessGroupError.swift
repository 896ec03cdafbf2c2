import NormaTensor

/// A call of a process group that could not be completed: a process is missing, or has called
/// something else.
public struct ProcessGroupError: Error, Sendable, CustomStringConvertible {
  /// The call.
  public let call: String
  /// What happened, with the ranks that are at fault.
  public let reason: String
  /// The ranks that are at fault, where they are known.
  public let ranks: [Int]

  init(_ call: String, _ reason: String, ranks: [Int] = []) {
    self.call = call
    self.reason = reason
    self.ranks = ranks
  }

  /// The call and the reason.
  public var description: String { "\(call): \(reason)" }

  /// The same for calls whose errors are those of tensors.
  var asTensorError: TensorError { TensorError(call, reason) }
}
