/// Puts the nodes of functions that a model defines in the place of their calls.
///
/// Inner values get names of their own. A function may call others, `deepest` levels; the number of
/// nodes is limited, because functions that call each other twice grow without end.
struct FunctionInliner {
  static let deepest = 32
  static let mostNodes = 1 << 20

  private let functions: [String: FunctionProto]
  private var calls = 0
  private var nodeCount = 0

  init(_ functions: [FunctionProto]) {
    self.functions = Dictionary(functions.map { (Self.key($0.domain, $0.name), $0) }) { $1 }
  }

  private static func key(_ domain: String, _ name: String) -> String { "\(domain)::\(name)" }

  /// The graph without calls of functions, in its subgraphs either.
  mutating func inlined(_ graph: GraphProto) throws -> GraphProto {
    if functions.isEmpty { return graph }
    var graph = graph
    graph.nodes = try inlined(graph.nodes, depth: 0)
    return graph
  }

  private mutating func inlined(_ nodes: [NodeProto], depth: Int) throws -> [NodeProto] {
    var result: [NodeProto] = []
    for node in nodes {
      if let function = functions[Self.key(node.domain, node.op)] {
        guard depth < Self.deepest else {
          throw Unsupported("functions that call each other over \(Self.deepest) levels")
        }
        result += try inlined(body(of: function, for: node), depth: depth + 1)
      } else {
        result.append(try withInlinedGraphs(node, depth: depth))
      }
      nodeCount += 1
      if nodeCount > Self.mostNodes {
        throw Unsupported("functions with over \(Self.mostNodes) nodes in all")
      }
    }
    return result
  }

  private mutating func withInlinedGraphs(_ node: NodeProto, depth: Int) throws -> NodeProto {
    var node = node
    for index in node.attributes.indices {
      if case .graph(var graph) = node.attributes[index].value {
        graph.nodes = try inlined(graph.nodes, depth: depth)
        node.attributes[index].value = .graph(graph)
      }
    }
    return node
  }

  /// The nodes of a function with the operands, results and attributes of a call.
  private mutating func body(of function: FunctionProto, for call: NodeProto) -> [NodeProto] {
    calls += 1
    var names: [String: String] = [:]
    for (index, name) in function.inputs.enumerated() {
      names[name] = index < call.inputs.count ? call.inputs[index] : ""
    }
    for (index, name) in function.outputs.enumerated() {
      let given = index < call.outputs.count ? call.outputs[index] : ""
      names[name] = given.isEmpty ? "\(call.name)/\(calls)/\(name)" : given
    }
    var given = Dictionary(function.defaults.map { ($0.name, $0.value) }) { $1 }
    for attribute in call.attributes { given[attribute.name] = attribute.value }
    let prefix = "\(call.name)/\(calls)/"
    return function.nodes.map { renamed($0, &names, prefix, given) }
  }

  private func renamed(
    _ node: NodeProto, _ names: inout [String: String], _ prefix: String,
    _ given: [String: AttributeProto.Value]
  ) -> NodeProto {
    func rename(_ name: String) -> String {
      if name.isEmpty { return name }
      if let known = names[name] { return known }
      names[name] = prefix + name
      return prefix + name
    }
    var node = node
    node.inputs = node.inputs.map(rename)
    node.outputs = node.outputs.map(rename)
    node.attributes = node.attributes.compactMap { attribute in
      var attribute = attribute
      if !attribute.reference.isEmpty {
        guard let value = given[attribute.reference] else { return nil }
        attribute.value = value
        attribute.reference = ""
      }
      if case .graph(var graph) = attribute.value {
        var inner = names
        for name in graph.initializers.map(\.name) + graph.inputs.map(\.name) {
          inner[name] = name
        }
        graph.nodes = graph.nodes.map { renamed($0, &inner, prefix, given) }
        graph.outputs = graph.outputs.map { output in
          ONNXValue(
            name: inner[output.name] ?? output.name, dtype: output.dtype, shape: output.shape,
            typeName: output.typeName)
        }
        attribute.value = .graph(graph)
      }
      return attribute
    }
    return node
  }
}
