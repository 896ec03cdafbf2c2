import NormaTensor

/// The arguments of a recorded call, read by position or by Python's name.
///
/// It keeps track of what was read, so that an option that an operation does not support is
/// reported instead of ignored.
final class CaseArguments {
  private let positional: [CaseValue]
  private let named: [String: CaseValue]
  private var readPositions: Set<Int> = []
  private var readNames: Set<String> = []

  /// What the call should leave in its arguments, by key: `in.1`.
  var mutated = StateDict()

  /// Keywords that do not affect a result on a CPU.
  private static let silent: Set = ["device", "layout", "requires_grad", "pin_memory"]

  init(_ positional: [CaseValue], _ named: [String: CaseValue] = [:]) {
    self.positional = positional
    self.named = named
  }

  var count: Int { positional.count }

  /// An argument that was not read, or nil.
  var unread: String? {
    if let name = named.keys.sorted().first(where: {
      !readNames.contains($0) && !Self.silent.contains($0)
    }) {
      return "argument \(name)"
    }
    return positional.indices.first { !readPositions.contains($0) }.map { "argument \($0)" }
  }

  /// The argument at a position or with a name; nil if it was omitted.
  func value(_ position: Int?, _ name: String) -> CaseValue? {
    if let position, position < positional.count {
      readPositions.insert(position)
      return positional[position]
    }
    readNames.insert(name)
    return named[name]
  }

  /// All positional arguments from one on, as in `f(x, 1, 2, 3)`.
  func rest(from position: Int) -> [CaseValue] {
    guard position < positional.count else { return [] }
    readPositions.formUnion(position..<positional.count)
    return Array(positional[position...])
  }

  func tensor(_ position: Int, _ name: String = "input") throws -> Tensor {
    guard let tensor = try optionalTensor(position, name) else { throw missing(name) }
    return tensor
  }

  func optionalTensor(_ position: Int?, _ name: String) throws -> Tensor? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .tensor(let tensor): return tensor
    default: throw mistyped(name, "a tensor")
    }
  }

  func int(_ position: Int?, _ name: String) throws -> Int? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .int(let value): return value
    default: throw mistyped(name, "an integer")
    }
  }

  func double(_ position: Int?, _ name: String) throws -> Double? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .int(let value): return Double(value)
    case .double(let value): return value
    default: throw mistyped(name, "a number")
    }
  }

  func bool(_ position: Int?, _ name: String) throws -> Bool? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .bool(let value): return value
    default: throw mistyped(name, "a Boolean")
    }
  }

  /// One integer or several: axes, a shape.
  func ints(_ position: Int?, _ name: String) throws -> [Int]? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .int(let value): return [value]
    case .list(let values), .tuple(let values): return try values.map { try integer($0, name) }
    default: throw mistyped(name, "integers")
    }
  }

  /// The axes of a reduction of `x`: in PyTorch, no `dim` and an empty one mean all of them.
  func axes(_ position: Int?, of x: Tensor) throws -> [Int] {
    let axes = try ints(position, "dim") ?? []
    return axes.isEmpty ? Array(x.shape.indices) : axes
  }

  /// Integers in a sequence or as the remaining arguments: `view(x, (2, 3))`, `view(x, 2, 3)`.
  func variadicInts(from position: Int, _ name: String) throws -> [Int] {
    if position < positional.count, case .int = positional[position] {
      return try rest(from: position).map { try integer($0, name) }
    }
    guard let values = try ints(position, name) else { throw missing(name) }
    return values
  }

  /// An element type; nil if none is given.
  func dtype(_ position: Int?, _ name: String = "dtype") throws -> DType? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .dtype(let text):
      guard let dtype = DType.named(text) else {
        throw CaseObstacle.unsupported("dtype \(text)")
      }
      return dtype
    default: throw mistyped(name, "an element type")
    }
  }

  /// A tensor or a number.
  func operand(_ position: Int, _ name: String) throws -> Operand {
    switch value(position, name) {
    case .tensor(let tensor): return .tensor(tensor)
    case .int(let value): return .number(value)
    case .double(let value): return .number(value)
    case .bool(let value): return .number(value)
    default: throw mistyped(name, "a tensor or a number")
    }
  }

  /// A tensor or a number; nil if it is None or was omitted.
  func optionalOperand(_ position: Int, _ name: String) throws -> Operand? {
    switch value(position, name) {
    case nil, .some(.none): nil
    default: try operand(position, name)
    }
  }

  /// A text given by name; nil if it was omitted.
  func text(_ name: String) throws -> String? { try text(nil, name) }

  /// Tensors in a sequence.
  func tensors(_ position: Int, _ name: String) throws -> [Tensor] {
    switch value(position, name) {
    case .list(let values), .tuple(let values):
      return try values.map {
        guard case .tensor(let tensor) = $0 else { throw mistyped(name, "tensors") }
        return tensor
      }
    default: throw mistyped(name, "tensors")
    }
  }

  /// Marks everything as read: the options of a constructor that are passed on.
  func readEverything() {
    readPositions.formUnion(positional.indices)
    readNames.formUnion(named.keys)
  }

  /// These arguments with the named ones of `options`.
  func with(_ options: CaseArguments) -> CaseArguments {
    readEverything()
    return CaseArguments(positional, named.merging(options.named) { own, _ in own })
  }

  private func integer(_ value: CaseValue, _ name: String) throws -> Int {
    guard case .int(let value) = value else { throw mistyped(name, "integers") }
    return value
  }

  func missing(_ name: String) -> CaseObstacle { .notWritable("\(name) is missing") }

  func mistyped(_ name: String, _ expected: String) -> CaseObstacle {
    .notWritable("\(name) is not \(expected)")
  }
}

/// One side of an operator.
enum Operand {
  case tensor(Tensor)
  case number(any TensorElement)
}

extension DType {
  /// The type with this name in PyTorch, or nil if Norma has none.
  static func named(_ name: String) -> DType? {
    allCases.first { $0.description == name }
  }
}
