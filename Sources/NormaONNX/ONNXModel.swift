import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// A network from an ONNX file, as a module that runs and trains.
///
///     let model = try ONNXModel(contentsOf: "classifier.onnx")
///     model.eval()
///     let result = try model(["x": images])
///     print(result["scores"])
///
/// Weights are parameters with the names of the file. Batch norms, layer norms, group norms and
/// instance norms are layers, which are found by name like those of any other module. In training
/// mode batch norms normalize with the batch and update their running statistics. Gradients are
/// recorded as everywhere.
///
/// Evaluation without gradients, in `withoutGradients { }` or with all parameters frozen, is
/// faster: it leaves out and folds what ``Options`` names.
///
/// Opening checks everything: all that is unsupported is one error, before anything runs.
///
/// - Types: real types, `int8` to `uint64` and Booleans; no strings, sequences or 8-bit reals.
/// - Cost: opening reads each tensor once. A call runs the nodes in order and releases each value
///   after its last use.
/// - PyTorch has no counterpart; ONNX Runtime: `InferenceSession`.
public final class ONNXModel: Module {
  /// The inputs of a call, in the file's order.
  public let inputs: [ONNXValue]
  /// The results of a call, in the file's order.
  public let outputs: [ONNXValue]
  /// The notes that the file carries, such as the classes' names.
  public let metadata: [String: String]
  /// The program that wrote the file, with its version.
  public let producer: String
  /// The versions of the operator sets by domain; the default one is `""`.
  public let opsets: [String: Int]

  /// The graph's plan. It is a function, so that the search for members sees weights only once.
  private let run: ([Value], ModelCall) throws -> [Value]
  /// The titles of the steps of an evaluation without gradients, for tests.
  let evaluationSteps: () throws -> [String]
  /// The kernels of recent evaluations without gradients; nil if the options say so.
  private let calls: RepeatedCalls?
  /// Whether all batch norms are maps of channels that nothing observes.
  private let hasFixedNorms: () -> Bool
  private let foldsNorms: Bool
  private let usesWinograd: Bool
  private let weights: [String: Parameter]
  private let layers: [(name: String, module: Module)]

  /// Opens a file. Tensors in other files must lie in the same folder.
  ///
  /// - Throws: `FileError` if the file cannot be read or is no ONNX model; ``ONNXError`` for a
  ///   graph that cannot run.
  public convenience init(contentsOf path: String, options: Options = Options()) throws {
    let file = try InputFile(path: path, operation: "ONNXModel(contentsOf:)")
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    try self.init(file, name: path, folder: folder, options: options)
  }

  /// Opens a file that is already in memory, without tensors in other files; `name` identifies it
  /// in errors.
  ///
  /// - Throws: as ``init(contentsOf:options:)``.
  public convenience init(
    bytes: [UInt8], name: String = "the data", options: Options = Options()
  ) throws {
    try self.init(bytes: bytes, name: name, folder: nil, options: options)
  }

  /// The same with a folder for tensors in other files.
  convenience init(
    bytes: [UInt8], name: String, folder: String?, options: Options = Options()
  ) throws {
    let file = InputFile(bytes: bytes, name: name, operation: "ONNXModel(bytes:)")
    try self.init(file, name: name, folder: folder, options: options)
  }

  private init(_ file: InputFile, name: String, folder: String?, options: Options) throws {
    let proto = try ModelProto(file)
    guard var graph = proto.graph, !graph.outputs.isEmpty else {
      throw file.context.malformed("is no ONNX model", "it has no graph with an output")
    }
    do {
      var inliner = FunctionInliner(proto.functions)
      graph = try inliner.inlined(graph)
    } catch let problem as Unsupported {
      throw ONNXError.unsupported(model: name, [problem.reason])
    }
    let builder = ModelBuilder(
      graph, opsets: proto.allOpsets, name: name, folder: folder, options: options)
    let plan: GraphPlan
    do {
      plan = try catchingTensorErrors { try builder.build(graph) }
    } catch let error as TensorError {
      throw builder.malformed(error.description)
    }
    run = { try plan.run($0, in: $1) }
    evaluationSteps = plan.evaluationSteps
    let norms = builder.layers.compactMap { $0.module as? BatchNorm }
    hasFixedNorms = {
      norms.isEmpty || !BatchNorm.areCallsRecorded && norms.allSatisfy(\.isFixedMap)
    }
    foldsNorms = options.foldsNorms
    usesWinograd = options.usesWinograd
    weights = builder.weights
    layers = builder.layers
    let state = layers.flatMap { layer in
      layer.module.parameters.map { parameter in { parameter.value } }
        + layer.module.namedBuffers.map { named in { named.buffer.value } }
    }
    calls =
      options.repeatsCalls
      ? RepeatedCalls(weights.values.map { weight in { weight.value } } + state) : nil
    let known = Set(graph.initializers.map(\.name))
    inputs = graph.inputs.filter { !known.contains($0.name) }
    outputs = graph.outputs
    metadata = Dictionary(proto.metadata.map { ($0.key, $0.value) }) { $1 }
    producer = proto.producer
    opsets = proto.opsets
    super.init()
  }

  public override class var stateNames: [String: String] { ["weights": ""] }

  /// The layers of the graph, under the names that their state has in the file.
  public override var children: [(name: String, module: Module)] { layers }

  public override var optionsDescription: String {
    "\(inputs.map(\.name).joined(separator: ", ")) -> "
      + outputs.map(\.name).joined(separator: ", ")
  }

  /// Runs the graph on inputs by name and returns its outputs by name.
  ///
  /// - Throws: ``ONNXError`` for missing or unknown names, types that differ from the file's, and
  ///   shapes with another number of axes; `TensorError` if shapes do not fit inside.
  public func callAsFunction(_ values: [String: Tensor]) throws -> [String: Tensor] {
    let known = Set(inputs.map(\.name))
    if let wrong = values.keys.filter({ !known.contains($0) }).min() {
      throw ONNXError.input("there is no input \(quoted(wrong)); \(inputText)")
    }
    let results = try callAsFunction(
      inputs.map { input in
        guard let value = values[input.name] else {
          throw ONNXError.input("the input \(quoted(input.name)) is missing; \(inputText)")
        }
        return value
      })
    return Dictionary(zip(outputs.map(\.name), results)) { first, _ in first }
  }

  /// Runs the graph on inputs in the order of ``inputs`` and returns the results in the order of
  /// ``outputs``.
  ///
  /// - Throws: as the call by name.
  public func callAsFunction(_ values: [Tensor]) throws -> [Tensor] {
    guard values.count == inputs.count else {
      throw ONNXError.input("\(values.count) tensors for \(inputs.count) inputs; \(inputText)")
    }
    for (input, value) in zip(inputs, values) { try check(value, input) }
    let call = ModelCall(
      isTraining: isTraining,
      isEvaluation: !isTraining && !isRecorded(values) && hasFixedNorms())
    if call.isTraining { calls?.forget() }
    return try CallFrame.$current.withValue(CallFrame { "node \(call.node)" }) {
      try catchingTensorErrors {
        let given = values.map { Value.tensor($0).onHost }
        guard call.isEvaluation else { return try run(given, call).map(\.tensor) }
        return try usesWinograd ? withWinograd { try evaluate(given, call) } : evaluate(given, call)
      }
    }
  }

  private func evaluate(_ given: [Value], _ call: ModelCall) throws -> [Tensor] {
    if let calls, !layers.contains(where: \.module.isReplacedOrWatched) {
      return try calls.results(given) { try run($0, call) }.map(\.tensor)
    }
    return try run(given, call).map(\.tensor)
  }

  /// Whether the kernels of the last evaluation without gradients are known.
  var areCallsRepeated: Bool { calls?.isRepeated ?? false }

  /// Whether a call records gradients.
  private func isRecorded(_ values: [Tensor]) -> Bool {
    GradientMode.isRecording
      && (Tensor.isRecorded(values) || parameters.contains { !$0.isFrozen })
  }

  private func check(_ value: Tensor, _ input: ONNXValue) throws {
    if let dtype = input.dtype, value.dtype != dtype {
      throw ONNXError.input(
        "the input \(quoted(input.name)) is \(dtype), and the tensor is \(value.dtype); "
          + "cast(to: .\(dtype))")
    }
    if let shape = input.shape, !shape.isEmpty, shape.count != value.rank {
      throw ONNXError.input(
        "the input \(quoted(input.name)) has \(shape.count) axes, \(text(of: input)), and the "
          + "tensor has shape \(value.shape)")
    }
  }

  private var inputText: String {
    "the inputs are "
      + inputs.map { "\(quoted($0.name)) \(text(of: $0))" }.joined(separator: ", ")
  }

  private func text(of input: ONNXValue) -> String {
    let shape = input.shape.map { "[\($0.map(\.description).joined(separator: ", "))]" } ?? ""
    return "\(input.typeName)\(shape)"
  }
}

extension ONNXModel: FoldsNormsItself {
  package var foldingRule: String {
    foldsNorms
      ? "an ONNX model folds norms by itself in evaluation without gradients"
      : "an ONNX model folds norms by itself, and its option foldsNorms is off"
  }
}
