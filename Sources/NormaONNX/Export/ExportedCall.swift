import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// A network with the inputs of the call that is recorded.
struct ExportedCall {
  struct Input {
    let name: String
    var tensor: Tensor
  }

  /// The operator set of the files.
  static let opset = 18
  /// The largest distance of the file's results from the network's, as a share of their largest
  /// value: sums in another order make a hundredth of it.
  static let tolerance = 1e-4
  /// The most bytes of tensors in one file: protocol buffers hold 2 GB, the graph included.
  static let largestFile = Int(Int32.max) - 1 << 26
  private static let operation = "exportONNX(to:)"

  private let model: Module
  private let inputs: [Input]
  private let outputs: [String]
  private let freeAxes: [String: [Int: String]]
  private let metadata: [String: String]

  init(
    _ model: Module, _ inputs: [Input], outputs: [String], freeAxes: [String: [Int: String]],
    metadata: [String: String]
  ) throws {
    (self.model, self.inputs, self.outputs) = (model, inputs, outputs)
    (self.freeAxes, self.metadata) = (freeAxes, metadata)
    if let wrong = freeAxes.keys.filter({ name in !inputs.contains { $0.name == name } }).min() {
      throw ONNXExportError.name(
        "freeAxes names \(wrong), and the inputs are \(inputs.map(\.name).joined(separator: ", "))")
    }
    if Set(inputs.map(\.name) + outputs).count != inputs.count + outputs.count {
      throw ONNXExportError.name("a name of an input or output occurs twice")
    }
    for input in inputs {
      for axis in freeAxes[input.name, default: [:]].keys
      where !input.tensor.shape.indices.contains(axis) {
        throw ONNXExportError.name(
          "axis \(axis) of \(input.name) is out of range for shape \(input.tensor.shape)")
      }
    }
  }

  /// Writes the file, and one beside it for the tensors if they have more than `limit` bytes.
  func write(
    to path: String, limit: Int = ExportedCall.largestFile,
    _ forward: ([Tensor]) throws -> [Tensor]
  ) throws {
    let others = inputs.map(other)
    let (first, problems) = try recorded(inputs, forward)
    let symbols = symbols(others)
    var (graph, found) = (first, problems)
    var merge = AxisMerge(symbols)
    if symbols.isEmpty {
      graph = merge.merge(first, first)
    } else {
      let (second, more) = try recorded(others, forward)
      found += more.filter { !found.contains($0) }
      if found.isEmpty { graph = merge.merge(first, second) }
    }
    found += merge.problems.filter { !found.contains($0) }
    if !found.isEmpty { throw ONNXExportError.unsupported(found) }
    try write(graph, to: path, limit: limit) { try check($0, others, forward) }
  }

  private func write(
    _ graph: ExportedGraph, to path: String, limit: Int, _ check: (ONNXModel) throws -> Void
  ) throws {
    func bytes(_ data: ExportedData?) -> [UInt8] {
      graph.bytes(
        opset: Self.opset, name: "\(type(of: model))", metadata: metadata, external: data)
    }
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent()
    let final = url.lastPathComponent + ".data"
    // Until the file is checked, the tensors have another name, so that an older file stays whole.
    let draft = ".\(UUID().uuidString).\(final)"
    guard var data = ExportedData(graph, location: draft, limit: limit) else {
      let bytes = bytes(nil)
      try check(ONNXModel(bytes: bytes, name: "the exported file"))
      return try writeBytes(bytes, to: path, operation: Self.operation)
    }
    let temporary = folder.appendingPathComponent(draft).path
    defer { try? FileManager.default.removeItem(atPath: temporary) }
    try data.write(graph, to: temporary, operation: Self.operation)
    try check(ONNXModel(bytes: bytes(data), name: "the exported file", folder: folder.path))
    let target = folder.appendingPathComponent(final).path
    guard rename(temporary, target) == 0 else {
      throw FileError(
        kind: .system, operation: Self.operation, path: target, problem: "cannot be written",
        detail: String(cString: strerror(errno)))
    }
    data.location = final
    try writeBytes(bytes(data), to: path, operation: Self.operation)
  }

  private func recorded(
    _ inputs: [Input], _ forward: ([Tensor]) throws -> [Tensor]
  ) throws -> (graph: ExportedGraph, problems: [String]) {
    try model.withEvaluation {
      let (results, modules, record) = try Module.recordingCalls {
        try withoutGradients { try catchingTensorErrors { try forward(inputs.map(\.tensor)) } }
      }
      if !outputs.isEmpty && outputs.count != results.count {
        throw ONNXExportError.name("\(outputs.count) names for \(results.count) outputs")
      }
      let names = results.indices.map { index in
        outputs.isEmpty ? (index == 0 ? "output" : "output_\(index)") : outputs[index]
      }
      let builder = ExportBuilder(
        ExportBuilder.Call(
          inputs: inputs.map { ($0.name, $0.tensor) }, results: Array(zip(names, results)),
          modules: modules, record: record), of: model)
      let graph = builder.build()
      return (graph, builder.problems)
    }
  }

  /// The same input with other values, and with one or more elements more along free axes.
  private func other(_ input: Input) -> Input {
    var tensor = input.tensor.rank == 0 ? input.tensor : input.tensor.flipped()
    let axes = freeAxes[input.name, default: [:]]
    let growth = growth
    for (axis, name) in axes.sorted(by: { $0.key < $1.key }) where tensor.shape[axis] > 0 {
      let more = tensor.narrowed(over: axis, from: 0, count: 1)
      let parts = [Tensor](repeating: more, count: growth[name] ?? 1)
      tensor = Tensor.concatenated([tensor] + parts, over: axis)
    }
    return Input(name: input.name, tensor: tensor.evaluated())
  }

  /// How many elements more each free axis gets: names differ in how much and in how many times
  /// their length grows, so that sizes that follow from them are told apart.
  private var growth: [String: Int] {
    var lengths: [String: Int] = [:]
    for input in inputs {
      for (axis, name) in freeAxes[input.name, default: [:]] where input.tensor.shape[axis] > 0 {
        lengths[name] = input.tensor.shape[axis]
      }
    }
    var result: [String: Int] = [:]
    for (name, length) in lengths.sorted(by: { $0.key < $1.key }) {
      let more = (1...).first { more in
        result.allSatisfy { $0.value != more && $0.value * length != more * (lengths[$0.key] ?? 0) }
      }
      result[name] = more ?? 1
    }
    return result
  }

  private func symbols(_ others: [Input]) -> [AxisMerge.Symbol] {
    var found: [AxisMerge.Symbol] = []
    for (input, other) in zip(inputs, others) {
      for (axis, name) in freeAxes[input.name, default: [:]].sorted(by: { $0.key < $1.key })
      where !found.contains(where: { $0.name == name }) {
        found.append(
          AxisMerge.Symbol(
            name: name, input: input.name, axis: axis, first: input.tensor.shape[axis],
            second: other.tensor.shape[axis]))
      }
    }
    return found
  }

  /// Compares the file's results with the network's.
  private func check(
    _ file: ONNXModel, _ others: [Input], _ forward: ([Tensor]) throws -> [Tensor]
  ) throws {
    file.eval()
    let tensors = others.map(\.tensor)
    let wanted = try model.withEvaluation {
      try withoutGradients { try catchingTensorErrors { try forward(tensors) } }
    }
    let found = try withoutGradients { try file(tensors) }
    for (index, (one, other)) in zip(found, wanted).enumerated() {
      let name = file.outputs[index].name
      guard one.shape == other.shape else {
        throw ONNXExportError.differs(output: name, distance: .infinity)
      }
      if one.count == 0 { continue }
      let (a, b) = (one.cast(to: .float64), other.cast(to: .float64))
      // Where both are NaN, or the same infinity, they agree.
      let isSame = (a .== b) .| (a.isNaN() .& b.isNaN())
      let distance = Tensor.where(isSame, 0, (a - b).abs()).max().item() as Double
      let largest = Tensor.where(b.isFinite(), b.abs(), 0).max().item() as Double
      if !(distance <= Self.tolerance * largest) {
        throw ONNXExportError.differs(output: name, distance: distance / largest)
      }
    }
  }
}
