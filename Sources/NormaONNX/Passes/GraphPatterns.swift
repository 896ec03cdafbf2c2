import NormaTensor

/// A graph in which passes look for operators that exporters wrote as their steps.
struct GraphPatterns {
  let graph: GraphProto
  /// How often each name is an operand, in all graphs.
  private let uses: [String: Int]
  private let folder: String?
  private var makers: [String: NodeProto] = [:]
  private var constants: [String: TensorProto] = [:]

  init(_ graph: GraphProto, uses: [String: Int], folder: String?) {
    self.graph = graph
    self.uses = uses
    self.folder = folder
    for node in graph.nodes {
      for output in node.outputs { makers[output] = node }
      if node.op == "Constant", let output = node.outputs.first,
        case .tensor(let tensor)? = node.attributes.first(where: { $0.name == "value" })?.value
      {
        constants[output] = tensor
      }
    }
    for tensor in graph.initializers { constants[tensor.name] = tensor }
  }

  /// Several steps that are one operator.
  struct Match {
    /// The operator, with the results of the last step.
    var node: NodeProto
    /// The names of the values between the steps.
    var inside: [String]

    init(_ last: NodeProto, _ op: String, _ inputs: [String], _ inside: [String]) {
      node = last
      node.op = op
      node.inputs = inputs
      node.attributes = []
      self.inside = inside
    }
  }

  /// The nodes of the graph, with an operator in the place of the last step of each match.
  func replacing(_ match: (NodeProto) -> Match?) -> [NodeProto] {
    var replaced: [String: NodeProto] = [:]
    var gone: Set<String> = []
    for node in graph.nodes where node.domain.isEmpty {
      guard let output = node.outputs.first, let match = match(node),
        isPrivate(match.inside, to: node)
      else { continue }
      replaced[output] = match.node
      gone.formUnion(match.inside)
    }
    return graph.nodes.compactMap { node in
      guard let output = node.outputs.first else { return node }
      return replaced[output] ?? (gone.contains(output) ? nil : node)
    }
  }

  /// Whether nothing but the steps themselves uses the values between them.
  private func isPrivate(_ inside: [String], to last: NodeProto) -> Bool {
    var own = Dictionary(inside.map { ($0, 0) }) { first, _ in first }
    for name in own.keys {
      guard let maker = makers[name] else { continue }
      for input in maker.inputs where own[input] != nil { own[input, default: 0] += 1 }
    }
    for input in last.inputs where own[input] != nil { own[input, default: 0] += 1 }
    return own.allSatisfy { uses[$0.key] == $0.value }
  }

  /// The node that makes a value, if it is an `op`.
  func maker(_ name: String, _ op: String) -> NodeProto? {
    guard let node = makers[name], node.op == op, node.domain.isEmpty else { return nil }
    return node
  }

  /// The node that makes a value.
  func maker(_ name: String) -> NodeProto? {
    guard let node = makers[name], node.domain.isEmpty else { return nil }
    return node
  }

  /// How often a value is used.
  func useCount(_ name: String) -> Int { uses[name] ?? 0 }

  /// The shape of a constant; nil for other values.
  func constantShape(_ name: String) -> [Int]? {
    constants[name]?.dims.map(Int.init)
  }

  /// A constant that is one number.
  func number(_ name: String) -> Double? {
    guard let tensor = constants[name], tensor.dims.count <= 1, tensor.dims.allSatisfy({ $0 == 1 }),
      let value = try? tensor.tensor(in: folder), value.count == 1
    else { return nil }
    return value.item()
  }

  /// The elements of a constant of integers.
  func integers(_ name: String) -> [Int]? {
    guard let proto = constants[name], proto.dims.count == 1,
      proto.dims[0] <= Int64(HostIntegers.most),
      let tensor = try? proto.tensor(in: folder)
    else { return nil }
    return tensor.array(of: Int64.self).map(Int.init)
  }

  /// The number in a sum of a number and another value, with the other value.
  func sum(_ node: NodeProto) -> (number: Double, other: String)? {
    guard node.op == "Add", node.inputs.count == 2 else { return nil }
    for (value, constant) in [(0, 1), (1, 0)] {
      if let number = number(node.inputs[constant]) { return (number, node.inputs[value]) }
    }
    return nil
  }

  /// The axes of a reduction that keeps its rank; nil if they are not known.
  func axes(of node: NodeProto) -> [Int]? {
    var axes: [Int]?
    for attribute in node.attributes {
      switch (attribute.name, attribute.value) {
      case ("axes", .ints(let values)): axes = values.map(Int.init)
      case ("keepdims", .int(0)): return nil
      default: break
      }
    }
    if axes == nil, node.inputs.count > 1 { axes = integers(node.inputs[1]) }
    return axes?.sorted()
  }
}

extension NodeProto {
  /// A real number in an attribute.
  func float(_ name: String) -> Double? {
    guard case .float(let value)? = attributes.first(where: { $0.name == name })?.value else {
      return nil
    }
    return Double(value)
  }
}
