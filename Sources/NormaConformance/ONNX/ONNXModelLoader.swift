import NormaONNX
import NormaTensor

/// An ONNX model of a case.
struct ONNXLoadedModel: LoadedModel {
  private let model: ONNXModel

  init(_ path: String) throws {
    model = try ONNXModel(contentsOf: path)
    model.eval()
  }

  func outputs(for inputs: [String: Tensor]) throws -> [String: Tensor] {
    if GradientMode.isRecording { return try model(inputs) }
    let given = model.inputs.compactMap { inputs[$0.name] }
    if given.count < model.inputs.count { return try model(inputs) }
    let results = try model.resultsAfterOtherCalls(given)
    return Dictionary(zip(model.outputs.map(\.name), results)) { first, _ in first }
  }

  var module: Module? { model }
  var notes: [String: String] { model.metadata }
}

extension ModelLoaders {
  static var onnx: ModelLoader { { _, path in try ONNXLoadedModel(path) } }

  /// A small model with the recorded rule for its input: the position of each element, divided by
  /// their number.
  static func lightONNX(_ item: JSON, _ path: String, _ output: String) throws -> String? {
    let model = try ONNXModel(contentsOf: path)
    model.eval()
    let shape = (item["input"]?["shape"]?.arrayValue ?? []).compactMap(\.intValue)
    let count = shape.reduce(1, *)
    let x = Tensor.arange(count).cast(to: .float64).reshaped(shape) / Double(count)
    let result = try withoutGradients { try model([x.cast(to: .float32)]) }
    let expected = try Tensor(onnx: output)
    guard let first = result.first, first.shape == expected.shape else {
      return "shape \(result.first?.shape ?? []) instead of \(expected.shape)"
    }
    return first.allClose(to: expected, rtol: 1e-3, atol: 1e-7) ? nil : "other numbers"
  }
}
