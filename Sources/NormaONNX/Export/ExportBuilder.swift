import NormaNN
import NormaTensor

/// Turns the record of a call into a graph.
///
/// A value of the graph is a tensor's memory with a layout. Views have no record: when an operation
/// reads memory with another layout than a known one, the steps between them are found
/// (``ViewFinder``).
final class ExportBuilder {
  /// What a graph is made from.
  struct Call {
    let inputs: [(name: String, tensor: Tensor)]
    let results: [(name: String, tensor: Tensor)]
    let modules: [ModuleCall]
    let record: OperationRecord
  }

  private(set) var graph = ExportedGraph()
  /// What cannot be exported, each once.
  private(set) var problems: [String] = []
  private let call: Call
  /// The known values of each block of memory, the first one with the layout in memory.
  private var known: [ObjectIdentifier: [(arrangement: Arrangement, name: String)]] = [:]
  private var parameters: [ObjectIdentifier: (name: String, tensor: Tensor)] = [:]
  /// The innermost layer that made a block of memory and has a node of its own.
  private var layers: [ObjectIdentifier: ModuleCall] = [:]
  private var constants: [String: String] = [:]
  /// The steps of views that were added before.
  private var views: [String: ExportedGraph.Operand] = [:]
  private var taken: Set<String> = []
  private let names: [ObjectIdentifier: String]

  init(_ call: Call, of model: Module) {
    self.call = call
    names = Dictionary(model.namedModules.map { (ObjectIdentifier($0.module), $0.name) }) { a, _ in
      a
    }
    for (name, parameter) in model.namedParameters {
      parameters[parameter.value.source] = (name, parameter.value)
    }
    for (name, buffer) in model.namedBuffers {
      parameters[buffer.value.source] = (name, buffer.value)
    }
    for entry in call.modules where LayerExport.exists(for: entry.module) {
      for result in [entry.output] + entry.lastStates where entry.input.source != result.source {
        layers[result.source] = entry
      }
    }
  }

  func build() -> ExportedGraph {
    taken.formUnion(call.inputs.map(\.name) + call.results.map(\.name))
    for (name, tensor) in call.inputs {
      keep(tensor, name)
      graph.inputs.append(value(name, tensor))
    }
    for (_, tensor) in call.results { make(tensor) }
    for (name, tensor) in call.results {
      graph.add("Identity", [operand(tensor)], [name])
      graph.outputs.append(value(name, tensor))
    }
    graph.removeUnused()
    return graph
  }

  private func value(_ name: String, _ tensor: Tensor) -> ExportedGraph.Value {
    .init(name: name, dtype: tensor.dtype, shape: tensor.shape.map { .fixed($0) })
  }

  // MARK: Order

  /// Adds the operations that a tensor needs, in order, without recursion: a network may be deep.
  private func make(_ tensor: Tensor) {
    var stack: [(tensor: Tensor, isReady: Bool)] = [(tensor, false)]
    while let (tensor, isReady) = stack.popLast() {
      if known[tensor.source] != nil { continue }
      let layer = layers[tensor.source]
      let operation = call.record.operation(of: tensor)
      let operands = layer.map { [$0.input] + $0.states } ?? operation?.operands ?? []
      if isReady || operands.isEmpty {
        if let layer {
          LayerExport(self, layer).add()
        } else if let operation {
          OperationExport(self, operation).add()
        } else {
          keepConstant(tensor)
        }
        if known[tensor.source] == nil { keep(tensor, newName("missing")) }
        continue
      }
      stack.append((tensor, true))
      for operand in operands.reversed() where known[operand.source] == nil {
        stack.append((operand, false))
      }
    }
  }

  // MARK: Values

  func report(_ problem: String) {
    if !problems.contains(problem) { problems.append(problem) }
  }

  /// The name of a module in the network.
  func name(of module: Module) -> String {
    let name = names[ObjectIdentifier(module)] ?? ""
    return name.isEmpty ? "\(type(of: module))" : name
  }

  func newName(_ stem: String) -> String {
    var name = stem
    var number = 1
    while !taken.insert(name).inserted {
      number += 1
      name = "\(stem)_\(number)"
    }
    return name
  }

  /// Notes that a tensor is the value with this name.
  func keep(_ tensor: Tensor, _ name: String) {
    known[tensor.source, default: []].append((tensor.arrangement, name))
  }

  /// A tensor that no recorded operation made: a parameter, or a constant of the network.
  private func keepConstant(_ tensor: Tensor) {
    let parameter = parameters[tensor.source]
    let whole = parameter?.tensor ?? tensor
    let name = newName(parameter?.name ?? "constant")
    graph.tensors.append((name, whole.detached()))
    keep(whole, name)
  }

  /// A tensor that belongs to the graph alone.
  func constant(_ tensor: Tensor, named stem: String) -> ExportedGraph.Operand {
    let name = newName(stem)
    graph.tensors.append((name, tensor.detached()))
    return .value(name)
  }

  /// A scalar.
  func number(_ value: Double, _ dtype: DType) -> ExportedGraph.Operand {
    let key = "\(value) \(dtype)"
    if let name = constants[key] { return .value(name) }
    let name = newName("number")
    graph.tensors.append((name, Tensor(value).cast(to: dtype)))
    constants[key] = name
    return .value(name)
  }

  /// The value of a tensor, after adding the steps of its view.
  func operand(_ tensor: Tensor) -> ExportedGraph.Operand {
    if known[tensor.source] == nil { make(tensor) }
    let view = tensor.arrangement
    let values = known[tensor.source] ?? []
    if let same = values.first(where: { $0.arrangement == view }) { return .value(same.name) }
    var found: (name: String, steps: [ViewStep])?
    for value in values.reversed() {
      if let steps = ViewFinder(base: value.arrangement).simpleSteps(to: view) {
        found = (value.name, steps)
        break
      }
    }
    if found == nil {
      for value in values where value.arrangement.isDense {
        guard let steps = ViewFinder(base: value.arrangement).steps(to: view) else { continue }
        found = (value.name, steps)
        break
      }
    }
    guard let (name, steps) = found else {
      if call.record.operation(of: tensor) == nil, layers[tensor.source] == nil {
        let name = newName("constant")
        graph.tensors.append((name, tensor.detached()))
        keep(tensor, name)
        return .value(name)
      }
      report("a view \(tensor.shape) with strides \(tensor.strides) of another tensor")
      return .value("")
    }
    let result = steps.reduce(ExportedGraph.Operand.value(name)) { add($1, to: $0) }
    if case .value(let name) = result { keep(tensor, name) }
    return result
  }

  private func add(_ step: ViewStep, to operand: ExportedGraph.Operand) -> ExportedGraph.Operand {
    guard case .value(let name) = operand else { return operand }
    let key = "\(name) \(step)"
    if let known = views[key] { return known }
    let result =
      switch step {
      case .reshape(let shape): add("Reshape", [operand, .sizes(shape)])
      case .transpose(let order): add("Transpose", [operand], [("perm", .ints(order))])
      case .expand(let shape): add("Expand", [operand, .sizes(shape)])
      case .slice(let axes, let starts, let ends, let steps):
        add("Slice", [operand, .sizes(starts), .sizes(ends), .sizes(axes), .sizes(steps)])
      }
    views[key] = result
    return result
  }

  /// Adds a node with one result, and returns it.
  func add(
    _ op: String, _ inputs: [ExportedGraph.Operand],
    _ attributes: [(name: String, value: ExportedGraph.Attribute)] = []
  ) -> ExportedGraph.Operand { add(op, inputs, results: 1, attributes)[0] }

  /// Adds a node with several results, and returns them.
  func add(
    _ op: String, _ inputs: [ExportedGraph.Operand], results: Int,
    _ attributes: [(name: String, value: ExportedGraph.Attribute)]
  ) -> [ExportedGraph.Operand] {
    let names = (0..<results).map { _ in newName(op.lowercased()) }
    graph.add(op, inputs, names, attributes)
    return names.map { .value($0) }
  }

  /// Notes that a tensor is the result of a node.
  func keep(_ tensor: Tensor, _ operand: ExportedGraph.Operand) {
    if case .value(let name) = operand { keep(tensor, name) }
  }

  func cast(
    _ operand: ExportedGraph.Operand, _ from: DType, to dtype: DType
  ) -> ExportedGraph.Operand {
    from == dtype
      ? operand : add("Cast", [operand], [("to", .int(ElementType.number(of: dtype)))])
  }
}

extension Tensor {
  var arrangement: Arrangement {
    Arrangement(shape: shape, strides: strides, offset: layout.offset)
  }
}

extension Arrangement {
  /// Without gaps, in some order of the axes.
  var isDense: Bool {
    var step = 1
    for axis in shape.indices.filter({ shape[$0] > 1 }).sorted(by: { strides[$0] < strides[$1] }) {
      if strides[axis] != step { return false }
      step *= shape[axis]
    }
    return true
  }
}
