import NormaFiles
import NormaNN
import NormaTensor

/// What is common to all graphs of a model while they are built.
final class ModelBuilder {
  let name: String
  /// The folder whose files may hold tensors.
  let folder: String?
  let options: ONNXModel.Options
  private let opsets: [String: Int]
  /// How often each name is an operand, in all graphs.
  let uses: [String: Int]
  private(set) var layers: [(name: String, module: Module)] = []
  private(set) var weights: [String: Parameter] = [:]
  private var problems: [(reason: String, first: String, count: Int)] = []
  private var unfinished: [GraphBuilder] = []
  /// The operands that a layer holds, by the first output of its node.
  private var held: [String: Set<String>] = [:]

  init(
    _ graph: GraphProto, opsets: [String: Int], name: String, folder: String?,
    options: ONNXModel.Options
  ) {
    self.name = name
    self.folder = folder
    self.options = options
    self.opsets = opsets
    var uses: [String: Int] = [:]
    func count(_ graph: GraphProto) {
      let weights = Set(graph.initializers.map(\.name))
      for node in graph.nodes {
        // Exporters share equal weights so; each is one of its own.
        if node.op == "Identity", weights.contains(node.inputs.first ?? "") { continue }
        for input in node.inputs { uses[input, default: 0] += 1 }
        for attribute in node.attributes {
          if case .graph(let inner) = attribute.value { count(inner) }
        }
      }
      for output in graph.outputs { uses[output.name, default: 0] += 1 }
    }
    count(graph)
    self.uses = uses
  }

  func opset(_ domain: String) -> Int { opsets[domain] ?? (domain.isEmpty ? 1 : 0) }

  var hasProblems: Bool { !problems.isEmpty }

  func report(_ reason: String, at place: String) {
    if let index = problems.firstIndex(where: { $0.reason == reason }) {
      problems[index].count += 1
    } else {
      problems.append((reason, place, 1))
    }
  }

  func malformed(_ reason: String) -> ONNXError { .malformed(model: name, reason) }

  /// Builds the model's graph; throws for all that is unsupported together.
  func build(_ graph: GraphProto) throws -> GraphPlan {
    for input in graph.inputs where input.dtype == nil && !input.typeName.hasPrefix("an undecl") {
      report("inputs of \(input.typeName)", at: input.name)
    }
    // Builders hold this one.
    defer { unfinished = [] }
    let builder = GraphBuilder(graph, self)
    let plan = try builder.build()
    if hasProblems {
      let reasons = problems.map { problem in
        "\(problem.reason) (\(problem.count == 1 ? "" : "\(problem.count) times, first ")"
          + "\(quoted(problem.first)))"
      }
      throw ONNXError.unsupported(model: name, reasons)
    }
    finish(builder)
    for builder in unfinished { builder.finish() }
    return plan
  }

  /// Finishes a graph when the weights of all graphs are known.
  func finish(_ builder: GraphBuilder) { unfinished.append(builder) }

  func noteWeight(_ constant: Constant, isCertain: Bool) {
    guard constant.parameter == nil, case .tensor(let tensor) = constant.value,
      tensor.dtype.isFloatingPoint, WeightRule.mayBeWeight(constant)
    else { return }
    let parameter = Parameter(tensor)
    constant.parameter = parameter
    var name = constant.name
    while weights[name] != nil { name += "_" }
    weights[name] = parameter
  }

  /// Whether a layer of the node holds the operand, so that the graph need not pass it.
  func isInLayer(_ operand: String, of node: NodeProto) -> Bool {
    held[node.outputs.first ?? ""]?.contains(operand) ?? false
  }

  /// Keeps a layer under the name that its state has in the file: `bn1` for `bn1.weight`.
  func add(_ layer: Module, for node: NodeProto, holding names: [String], _ suffixes: [String]) {
    held[node.outputs.first ?? "", default: []].formUnion(names)
    var name = node.name.isEmpty ? node.outputs.first ?? node.op : node.name
    if let first = names.first,
      let suffix = suffixes.first(where: { first.hasSuffix($0) && first.count > $0.count })
    {
      name = String(first.dropLast(suffix.count))
    }
    while layers.contains(where: { $0.name == name }) { name += "_" }
    layers.append((name, layer))
  }
}
