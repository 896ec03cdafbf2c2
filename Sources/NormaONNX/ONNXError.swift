import NormaTensor

/// Why a model cannot be opened, or a call cannot run. Files that cannot be read throw a
/// `FileError`.
public enum ONNXError: Error, Sendable, Hashable {
  /// The model uses what Norma does not have: all of it, one entry for each kind, with the number
  /// of nodes and the name of the first.
  case unsupported(model: String, [String])
  /// The graph contradicts itself: a value that nothing makes, an operator without its operands.
  case malformed(model: String, String)
  /// A call passes other inputs than the model has.
  case input(String)
  /// An operator met values that it cannot take.
  case node(String, String)
}

extension ONNXError: CustomStringConvertible {
  /// The model, or the call, and what is wrong.
  public var description: String {
    switch self {
    case .unsupported(let model, let reasons):
      "ONNXModel(contentsOf:): \(model) uses what is not supported: "
        + reasons.joined(separator: "; ")
    case .malformed(let model, let reason):
      "ONNXModel(contentsOf:): \(model) is damaged: \(reason)"
    case .input(let reason): "ONNXModel(_:): \(reason)"
    case .node(let node, let reason): "ONNXModel(_:): node \(node): \(reason)"
    }
  }
}

/// What a builder of an operator does not support.
struct Unsupported: Error {
  let reason: String
  init(_ reason: String) { self.reason = reason }
}
