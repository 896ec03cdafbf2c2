import NormaTensor

/// Finds layer norms that exporters wrote as their steps, and makes one operator of each: the norm
/// becomes a layer and runs in one pass over memory.
///
/// The steps: c = x - mean(x); c / sqrt(mean(c²) + eps) * weight + bias, over the last axes.
struct LayerNormPass {
  private let graph: GraphProto
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

  /// The nodes, with a `LayerNormalization` in the place of the last step of each.
  func nodes() -> [NodeProto] {
    var replaced: [String: NodeProto] = [:]
    var gone: Set<String> = []
    for node in graph.nodes where node.op == "Add" && node.domain.isEmpty {
      guard let (norm, steps) = match(node), let output = node.outputs.first else { continue }
      replaced[output] = norm
      gone.formUnion(steps)
    }
    return graph.nodes.compactMap { node in
      guard let output = node.outputs.first else { return node }
      return replaced[output] ?? (gone.contains(output) ? nil : node)
    }
  }

  /// The norm that ends in an addition, and the names of the values on the way to it.
  private func match(_ last: NodeProto) -> (NodeProto, steps: [String])? {
    guard let (scaled, bias) = weighted(last, by: "Mul"),
      let (divided, weight) = weighted(scaled, by: "Div"),
      let shape = constants[weight]?.dims, constants[bias]?.dims == shape,
      divided.inputs.count == 2, let centered = maker(divided.inputs[0], "Sub"),
      let root = maker(divided.inputs[1], "Sqrt"), centered.inputs.count == 2,
      let sum = root.inputs.first.flatMap({ maker($0, "Add") }),
      let (eps, varianceName) = number(of: sum),
      let variance = maker(varianceName, "ReduceMean"),
      let square = variance.inputs.first.flatMap({ makers[$0] }),
      let squared = isSquare(square), let inner = maker(squared, "Sub"),
      inner.inputs == centered.inputs, let mean = maker(centered.inputs[1], "ReduceMean"),
      let x = centered.inputs.first, mean.inputs.first == x
    else { return nil }
    let axes = (0..<shape.count).map { $0 - shape.count }
    guard axes == self.axes(of: mean), axes == self.axes(of: variance) else { return nil }
    let inside = [scaled, divided, centered, root, sum, variance, square, inner, mean]
      .compactMap(\.outputs.first)
    // What is used elsewhere must stay.
    var own = Dictionary(inside.map { ($0, 0) }) { first, _ in first }
    for name in own.keys {
      guard let maker = makers[name] else { continue }
      for input in maker.inputs where own[input] != nil { own[input, default: 0] += 1 }
    }
    for input in last.inputs where own[input] != nil { own[input, default: 0] += 1 }
    guard own.allSatisfy({ uses[$0.key] == $0.value }) else { return nil }
    var norm = last
    norm.op = "LayerNormalization"
    norm.inputs = [x, weight, bias]
    norm.attributes = [
      AttributeProto("axis", .int(Int64(-shape.count))), AttributeProto("epsilon", .float(eps)),
    ]
    return (norm, Array(own.keys))
  }

  private func maker(_ name: String, _ op: String) -> NodeProto? {
    guard let node = makers[name], node.op == op, node.domain.isEmpty else { return nil }
    return node
  }

  /// The maker of one operand, which is an `op`, and the constant that is the other.
  private func weighted(_ node: NodeProto, by op: String) -> (NodeProto, constant: String)? {
    guard node.inputs.count == 2 else { return nil }
    for (value, constant) in [(0, 1), (1, 0)] where constants[node.inputs[constant]] != nil {
      if let found = maker(node.inputs[value], op) { return (found, node.inputs[constant]) }
    }
    return nil
  }

  /// The constant number of a sum, and its other operand.
  private func number(of sum: NodeProto) -> (Float, other: String)? {
    guard sum.inputs.count == 2 else { return nil }
    for (value, constant) in [(0, 1), (1, 0)] {
      if let number = number(sum.inputs[constant]) { return (number, sum.inputs[value]) }
    }
    return nil
  }

  private func number(_ name: String) -> Float? {
    guard let tensor = constants[name], tensor.dims.allSatisfy({ $0 == 1 }),
      let value = try? tensor.tensor(in: folder), value.count == 1
    else { return nil }
    return Float(value.item())
  }

  /// What a node squares, if it does.
  private func isSquare(_ node: NodeProto) -> String? {
    guard node.inputs.count == 2 else { return nil }
    switch node.op {
    case "Pow": return number(node.inputs[1]) == 2 ? node.inputs[0] : nil
    case "Mul": return node.inputs[0] == node.inputs[1] ? node.inputs[0] : nil
    default: return nil
    }
  }

  /// The axes of a reduction that keeps its rank; nil if they are not known.
  private func axes(of node: NodeProto) -> [Int]? {
    var axes: [Int64]?
    for attribute in node.attributes {
      switch (attribute.name, attribute.value) {
      case ("axes", .ints(let values)): axes = values
      case ("keepdims", .int(0)): return nil
      default: break
      }
    }
    if axes == nil, node.inputs.count > 1, let tensor = constants[node.inputs[1]] {
      axes = try? tensor.tensor(in: folder).array(of: Int64.self)
    }
    return axes?.map(Int.init).sorted()
  }
}
