import NormaNN
import NormaTensor

/// A node while its operator is built: its attributes, what is known about its operands, and the
/// model that takes layers.
final class NodeContext {
  let node: NodeProto
  /// The version of the node's operator set.
  let opset: Int
  private let builder: GraphBuilder
  private var used: Set<String> = []
  /// What passes may know about the operator.
  var role = StepRole.plain
  /// Whether a layer holds a part of the operator's state.
  private(set) var hasLayer = false

  init(_ node: NodeProto, opset: Int, _ builder: GraphBuilder) {
    self.node = node
    self.opset = opset
    self.builder = builder
  }

  /// Attributes that say nothing about the result.
  private static let silent: Set<String> = ["consumed_inputs", "__torch_module__"]

  /// The attributes that the builder has not asked for.
  var unread: [String] {
    node.attributes.map(\.name).filter { !used.contains($0) && !Self.silent.contains($0) }
  }

  private func attribute(_ name: String) -> AttributeProto.Value? {
    used.insert(name)
    return node.attributes.first { $0.name == name }?.value
  }

  private func wrong(_ name: String) -> Unsupported {
    Unsupported("\(node.title) whose attribute \(name) has another type than ONNX gives it")
  }

  /// An integer that no axis and no size exceeds, so that arithmetic on it does not overflow.
  func int(_ name: String) throws -> Int? { try whole(name).map(Self.bounded) }

  /// An integer as the file has it.
  func whole(_ name: String) throws -> Int? {
    guard let value = attribute(name) else { return nil }
    guard case .int(let number) = value else { throw wrong(name) }
    return Int(number)
  }

  /// What lies beyond is as wrong, or as far beyond the end of an axis.
  private static func bounded(_ number: Int) -> Int { min(max(number, -1 << 40), 1 << 40) }

  func int(_ name: String, _ fallback: Int) throws -> Int { try int(name) ?? fallback }
  func flag(_ name: String, _ fallback: Bool = false) throws -> Bool {
    try int(name).map { $0 != 0 } ?? fallback
  }

  func ints(_ name: String) throws -> [Int]? { try wholes(name)?.map(Self.bounded) }

  /// Integers as the file has them.
  func wholes(_ name: String) throws -> [Int]? {
    guard let value = attribute(name) else { return nil }
    guard case .ints(let numbers) = value else { throw wrong(name) }
    return numbers.map(Int.init)
  }

  func float(_ name: String) throws -> Double? {
    guard let value = attribute(name) else { return nil }
    guard case .float(let number) = value else { throw wrong(name) }
    return Double(number)
  }

  func float(_ name: String, _ fallback: Double) throws -> Double { try float(name) ?? fallback }

  func floats(_ name: String) throws -> [Double]? {
    guard let value = attribute(name) else { return nil }
    guard case .floats(let numbers) = value else { throw wrong(name) }
    return numbers.map(Double.init)
  }

  func string(_ name: String) throws -> String? {
    guard let value = attribute(name) else { return nil }
    guard case .string(let text) = value else { throw wrong(name) }
    return text
  }

  func string(_ name: String, _ fallback: String) throws -> String { try string(name) ?? fallback }

  func strings(_ name: String) throws -> [String]? {
    guard let value = attribute(name) else { return nil }
    guard case .strings(let texts) = value else { throw wrong(name) }
    return texts
  }

  func tensor(_ name: String) throws -> Tensor? {
    guard let value = attribute(name) else { return nil }
    guard case .tensor(let proto) = value else { throw wrong(name) }
    guard proto.dtype != nil else {
      throw Unsupported("\(node.title) of \(ElementType.name(of: proto.dataType))")
    }
    return try proto.tensor(in: builder.model.folder)
  }

  /// An element type by its number in an attribute.
  func dtype(_ name: String) throws -> DType? {
    guard let number = try int(name) else { return nil }
    guard let dtype = ElementType(rawValue: number)?.dtype else {
      throw Unsupported("\(node.title) to \(ElementType.name(of: number))")
    }
    return dtype
  }

  /// Throws for a value of an attribute that is not supported.
  func require(_ condition: Bool, _ what: String) throws {
    if !condition { throw Unsupported("\(node.title) with \(what)") }
  }

  /// The number of operands that are named, including those left out before the last.
  var inputCount: Int { node.inputs.count }
  var outputCount: Int { node.outputs.count }

  func has(_ input: Int) -> Bool { input < node.inputs.count && !node.inputs[input].isEmpty }
  func wants(_ output: Int) -> Bool { output < node.outputs.count && !node.outputs[output].isEmpty }

  /// The operand, if it is a constant of the model.
  func constant(_ input: Int) -> Value? {
    has(input) ? builder.constant(node.inputs[input])?.value : nil
  }

  /// Integers that older operator sets have as an attribute and newer ones as an operand.
  func integers(_ name: String, input: Int) throws -> (Operands) throws -> [Int]? {
    if let fixed = try ints(name) { return { _ in fixed } }
    if let single = try? int(name) { return { _ in [single] } }
    return { $0.integers(input) }
  }

  /// A graph in an attribute, and the slots of the values that it captures.
  func graph(_ name: String) throws -> Subgraph? {
    guard let value = attribute(name) else { return nil }
    guard case .graph(let proto) = value else { throw wrong(name) }
    return try builder.subgraph(proto, of: node)
  }

  /// Makes or finds the layer whose state are these operands.
  ///
  /// - Returns: nil if an operand is not a constant, or has other uses.
  func layer<L: Module>(inputs: [Int], _ suffixes: [String], make: ([Tensor]) throws -> L) throws
    -> L?
  {
    let layer = try builder.layer(node, inputs: inputs, suffixes, make: make)
    if layer != nil { hasLayer = true }
    return layer
  }
}

/// A graph in an attribute of a node. The values that it captures are further operands of the node.
struct Subgraph {
  let plan: GraphPlan
  /// Where the captured values begin among the node's operands.
  let first: Int

  func run(_ given: [Value], _ operands: Operands) throws -> [Value] {
    let captured = try plan.captures.indices.map { try operands.value(first + $0) }
    return try plan.run(given, outer: captured, in: operands.call)
  }
}
