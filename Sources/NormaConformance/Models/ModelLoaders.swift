import NormaFiles
import NormaNN
import NormaTensor

/// A loaded model of a case, in evaluation mode.
protocol LoadedModel {
  /// The outputs by name, for inputs by name.
  func outputs(for inputs: [String: Tensor]) throws -> [String: Tensor]
  /// The module with the model's parameters and buffers under the names of its file, if there is
  /// one: gradients and running statistics are compared with those recorded.
  var module: Module? { get }
  /// Texts in the file, such as the characters of a text reader.
  var notes: [String: String] { get }
}

extension LoadedModel {
  var module: Module? { nil }
  var notes: [String: String] { [:] }
}

/// Opens the model of a case from the path of its file.
typealias ModelLoader = (_ item: ModelCase, _ path: String) throws -> any LoadedModel

/// A small model of the standard: only loading and one call are checked. Returns what is wrong.
typealias LightCheck = (_ item: JSON, _ model: String, _ output: String) throws -> String?

enum ModelLoaders {
  /// Loaders by the name of a case, or by format for all others.
  static var all: [String: ModelLoader] {
    networkLoaders.merging(["onnx": onnx]) { network, _ in network }
  }

  /// The check of the manifest's `light` models; nil without a reader for them.
  static var light: LightCheck? { lightONNX }

  static func loader(for item: ModelCase) -> ModelLoader? { all[item.name] ?? all[item.format] }
}
