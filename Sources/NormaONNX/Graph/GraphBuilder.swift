import NormaFiles
import NormaNN
import NormaTensor

/// Turns a graph of a file into a ``GraphPlan``: names become slots, nodes become operators, and
/// nodes of constants become constants.
final class GraphBuilder {
  let model: ModelBuilder
  private let proto: GraphProto
  private let parent: GraphBuilder?
  private let plan = GraphPlan()
  private var slots: [String: Int] = [:]
  private var slotCount = 0
  private var constants: [String: Constant] = [:]
  /// The captures of subgraphs of the node that is being built.
  private var captured: [Int] = []

  init(_ proto: GraphProto, _ model: ModelBuilder, parent: GraphBuilder? = nil) {
    self.proto = proto
    self.model = model
    self.parent = parent
  }

  func build() throws -> GraphPlan {
    if proto.sparseInitializers > 0 { model.report("sparse initializers", at: proto.name) }
    for tensor in proto.initializers {
      guard tensor.dtype != nil else {
        model.report("initializers of \(ElementType.name(of: tensor.dataType))", at: tensor.name)
        continue
      }
      constants[tensor.name] = Constant(
        tensor.name, Value.tensor(try tensor.tensor(in: model.folder)).onHost)
    }
    // Files of old versions list initializers among the inputs.
    for input in proto.inputs where constants[input.name] == nil || parent != nil {
      plan.inputs.append(slot(making: input.name))
    }
    for node in recognized() { try build(node) }
    plan.outputs = try proto.outputs.map { output in
      guard let slot = find(output.name) else {
        if model.hasProblems { return 0 }
        throw model.malformed("nothing makes the output \(quoted(output.name))")
      }
      return slot
    }
    return plan
  }

  /// The nodes, with one operator in the place of the steps of norms and activations.
  private func recognized() -> [NodeProto] {
    var graph = proto
    if model.options.recognizesNorms {
      graph.nodes = LayerNormPass(patterns: patterns(graph)).nodes()
    }
    if model.options.recognizesActivations {
      graph.nodes = ActivationPass(patterns: patterns(graph)).nodes()
    }
    return graph.nodes
  }

  private func patterns(_ graph: GraphProto) -> GraphPatterns {
    GraphPatterns(graph, uses: model.uses, folder: model.folder)
  }

  /// Finishes the plan, after all weights have become parameters.
  func finish() { plan.finish(slots: slotCount, options: model.options) }

  private func slot(making name: String) -> Int {
    let slot = slotCount
    slotCount += 1
    if !name.isEmpty { slots[name] = slot }
    return slot
  }

  /// The constant with a name, here or in an enclosing graph.
  func constant(_ name: String) -> Constant? {
    if slots[name] != nil && constants[name] == nil { return nil }
    return constants[name] ?? parent?.constant(name)
  }

  /// The slot of a value; a constant, or a value of an enclosing graph, gets one here.
  private func find(_ name: String) -> Int? {
    if let slot = slots[name] { return slot }
    if let constant = constant(name) {
      let slot = slot(making: name)
      plan.constants.append((slot, constant))
      // Kept under its name, so that builders still see it.
      constants[name] = constant
      return slot
    }
    guard let parent, let outer = parent.find(name) else { return nil }
    let slot = slot(making: name)
    plan.captures.append((outer, slot))
    return slot
  }

  private func build(_ node: NodeProto) throws {
    if node.op == "Identity", node.domain.isEmpty, model.options.folding,
      let input = node.inputs.first, let output = node.outputs.first, let shared = constant(input)
    {
      constants[output] = Constant(output, shared.value)
      return
    }
    let context = NodeContext(node, opset: node.version ?? model.opset(node.domain), self)
    captured = []
    do {
      guard let make = OperatorTable.builder(node.domain, node.op) else {
        throw Unsupported("operator \(node.title)")
      }
      let run = try make(context)
      if let attribute = context.unread.first {
        throw Unsupported("\(node.title) with the attribute \(attribute)")
      }
      try add(node, run, context)
    } catch let problem as Unsupported {
      model.report(problem.reason, at: node.name.isEmpty ? node.outputs.first ?? "" : node.name)
      for output in node.outputs where !output.isEmpty { _ = slot(making: output) }
    }
  }

  private func add(
    _ node: NodeProto, _ run: @escaping GraphPlan.Run, _ context: NodeContext
  ) throws {
    let title = node.name.isEmpty ? "\(node.title) (\(node.outputs.first ?? ""))" : node.name
    if let folded = try fold(node, run, title) {
      for (name, value) in zip(node.outputs, folded) where !name.isEmpty {
        constants[name] = Constant(name, value.onHost)
      }
      return
    }
    var inputs: [Int?] = []
    for name in node.inputs {
      if name.isEmpty || model.isInLayer(name, of: node) {
        inputs.append(nil)
        continue
      }
      guard let slot = find(name) else {
        throw model.malformed("nothing makes \(quoted(name)), which node \(quoted(title)) reads")
      }
      inputs.append(slot)
    }
    inputs += captured
    let outputs = node.outputs.map { $0.isEmpty ? nil : slot(making: $0) }
    if let constants = WeightRule.weights(of: node) {
      for index in constants
      where index < node.inputs.count && !model.isInLayer(node.inputs[index], of: node) {
        constant(node.inputs[index]).map { model.noteWeight($0, isCertain: index > 0) }
      }
    }
    let isRepeatable = !OperatorTable.changing.contains(node.op)
    plan.steps.append(
      GraphPlan.Step(
        title: title, inputs: inputs, outputs: outputs, run: run, role: context.role,
        isPure: isRepeatable && captured.isEmpty && !context.hasLayer, isQuiet: isRepeatable))
  }

  /// The results of a node whose operands are all constants, unless they are weights, which must
  /// stay what they are.
  private func fold(
    _ node: NodeProto, _ run: GraphPlan.Run, _ title: String
  ) throws -> [Value]? {
    guard captured.isEmpty, !OperatorTable.changing.contains(node.op), !model.hasProblems else {
      return nil
    }
    var values: [Value?] = []
    for name in node.inputs {
      if name.isEmpty {
        values.append(nil)
        continue
      }
      guard let constant = constant(name), !WeightRule.mayBeWeight(constant) else { return nil }
      values.append(constant.value)
    }
    if node.op != "Constant" && !model.options.folding { return nil }
    let operands = Operands(values: values, title: title, call: ModelCall(isTraining: false))
    return try catchingTensorErrors {
      try run(operands).map { value in
        if case .tensor(let tensor) = value { return .tensor(try tensor.validated().evaluated()) }
        return value
      }
    }
  }

  /// Builds a graph in an attribute.
  func subgraph(_ proto: GraphProto, of node: NodeProto) throws -> Subgraph {
    let outer = captured
    let builder = GraphBuilder(proto, model, parent: self)
    let plan = try builder.build()
    model.finish(builder)
    let first = node.inputs.count + outer.count
    captured = outer + plan.captures.map(\.outer)
    return Subgraph(plan: plan, first: first)
  }

  /// Makes the layer of a node, or finds the one that has the same state.
  func layer<L: Module>(
    _ node: NodeProto, inputs: [Int], _ suffixes: [String], make: ([Tensor]) throws -> L
  ) throws -> L? {
    var tensors: [Tensor] = []
    for index in inputs {
      guard index < node.inputs.count, let constant = constant(node.inputs[index]) else {
        return nil
      }
      tensors.append(constant.value.tensor)
    }
    let names = inputs.map { node.inputs[$0] }
    guard names.allSatisfy({ model.uses[$0] == 1 }) else { return nil }
    let layer = try make(tensors)
    model.add(layer, for: node, holding: names, suffixes)
    return layer
  }
}
