import Foundation
import Norma
import NormaONNX

@testable import NormaCLI

/// A folder with an ONNX model, whose batch norms have the statistics of `pictures`, and files with
/// data for it.
struct SmallModel {
  let folder: String
  var path: String { folder + "/model.onnx" }

  /// Pictures with values around 0, each with its own brightness.
  static func pictures(_ count: Int, seed: UInt64) -> Tensor {
    withSeed(seed) { Tensor.randn(count, 3, 8, 8) * 0.3 + Tensor.randn(count, 3, 1, 1) * 0.1 }
  }

  /// Calls `body` with a new folder, which is removed afterwards.
  static func with<R>(hasNorms: Bool = true, _ body: (SmallModel) throws -> R) throws -> R {
    let folder = NSTemporaryDirectory() + "norma-model-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let network = withSeed(3) {
      hasNorms
        ? Sequential(
          Conv2d(3, 8, kernelSize: 3), BatchNorm2d(8), ReLU(), Conv2d(8, 8, kernelSize: 3),
          BatchNorm2d(8), ReLU(), AdaptiveAvgPool2d(1), Flatten(), Linear(8, 4))
        : Sequential(Conv2d(3, 8, kernelSize: 3), ReLU(), LayerNorm([8, 6, 6]), Flatten())
    }
    if hasNorms { try recalibrate(network, over: [pictures(256, seed: 4)]) }
    let model = SmallModel(folder: folder)
    try network.exportONNX(to: model.path, input: pictures(2, seed: 5))
    return try body(model)
  }

  /// A file with these values.
  func file(_ name: String, _ values: Tensor) throws -> String {
    let path = "\(folder)/\(name).npy"
    try values.write(npy: path)
    return path
  }
}
