import NormaTensor

/// The operators that Norma has, by domain and name. Each family has a file with its entries.
enum OperatorTable {
  /// Reads a node's attributes and returns its operator; throws `Unsupported` for what is missing.
  typealias Builder = (NodeContext) throws -> GraphPlan.Run
  typealias Entries = [String: Builder]

  /// Operators of the default domain.
  // A table of functions without state.
  nonisolated(unsafe) private static let standard: Entries = merged([
    elementwise, arithmetic, comparisons, activations, shapes, joins, reductions, convolution,
    pooling, normalization, linear, indexing, control, random, creation, resizing, quantized,
    recurrent, losses, attention, signal, sampling, boxes,
  ])

  /// Operators of ONNX Runtime's domain.
  nonisolated(unsafe) private static let microsoft: Entries = merged([microsoftFused])

  static func builder(_ domain: String, _ name: String) -> Builder? {
    switch domain {
    case "": standard[name]
    case "com.microsoft": microsoft[name]
    default: nil
    }
  }

  /// Operators whose results are not the same at every call, so that they are never folded.
  static let changing: Set<String> = [
    "RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike", "Bernoulli",
    "Multinomial", "Dropout", "If", "Loop", "Scan",
  ]

  private static func merged(_ all: [Entries]) -> Entries {
    all.reduce(into: [:]) { $0.merge($1) { first, _ in first } }
  }

  /// An operator of one tensor without attributes.
  static func unary(_ apply: @escaping (Tensor) -> Tensor) -> Builder {
    { _ in { [.tensor(apply(try $0.tensor(0)))] } }
  }

  /// An operator of one tensor and one number in an attribute.
  static func unary(
    _ name: String, _ fallback: Double, _ apply: @escaping (Tensor, Double) -> Tensor
  ) -> Builder {
    { node in
      let number = try node.float(name, fallback)
      return { [.tensor(apply(try $0.tensor(0), number))] }
    }
  }
}

extension Tensor {
  /// An axis counted from the front, for a tensor of this rank; throws with the node's name.
  func axis(_ axis: Int, _ operands: Operands, rank: Int? = nil) throws -> Int {
    let rank = rank ?? self.rank
    let result = axis < 0 ? axis + rank : axis
    guard (0..<Swift.max(rank, 1)).contains(result) else {
      throw operands.failure("axis \(axis) is out of range for shape \(shape)")
    }
    return result
  }
}
