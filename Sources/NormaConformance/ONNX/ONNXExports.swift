import Foundation
import NormaFiles
import NormaModels
import NormaNN
import NormaONNX
import NormaTensor

/// Networks with random weights as ONNX files, for `Tools/check-onnx-export.py`.
///
/// Each is a file NAME.onnx, and a file NAME.npz with inputs and results of another number of
/// samples than the exported ones: `in.x`, `out.scores`.
public func writeONNXExports(to folder: String) throws {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  try withSeed(0) {
    for network in ExportedNetwork.all() {
      let path = "\(folder)/\(network.name)"
      network.module.shakeStatistics()
      try network.module.exportONNX(
        to: path + ".onnx", inputs: [network.input: network.sample(2)], outputs: ["output"],
        freeAxes: [network.input: [0: "batch"]]
      ) { [network.forward($0[0])] }
      network.module.eval()
      let x = network.sample(3)
      let result = withoutGradients { network.forward(x) }
      try NPZ.write(["in.\(network.input)": x, "out.output": result], to: path + ".npz")
      print("\(network.name): \(network.module.namedParameters.count) parameters")
    }
  }
}

/// A network, and how it is called.
private struct ExportedNetwork {
  let name: String
  let module: Module
  let input: String
  let sample: (_ count: Int) -> Tensor
  let forward: (Tensor) -> Tensor

  static func all() -> [ExportedNetwork] {
    func images(_ name: String, _ layer: some Layer, _ size: Int) -> ExportedNetwork {
      ExportedNetwork(
        name: name, module: layer, input: "x", sample: { .randn($0, 3, size, size) },
        forward: { layer($0) })
    }
    var vision = VisionTransformer.Options()
    (vision.size, vision.width, vision.layers, vision.heads) = (64, 192, 4, 3)
    var bert = BERT.Options()
    (bert.width, bert.layers, bert.heads, bert.innerWidth) = (128, 3, 4, 256)
    var gpt = GPT2.Options()
    (gpt.width, gpt.layers, gpt.heads, gpt.tokens) = (128, 3, 4, 1000)
    let (sentences, writer, crepe) = (BERT(bert), GPT2(gpt), CREPE(.tiny))
    let lstm = LSTM(12, 32, numLayers: 2, batchFirst: true, bidirectional: true)
    func tokens(_ count: Int) -> Tensor { .randint([count, 17], high: 1000) }
    return [
      images("resnet18", ResNet(.resNet18), 96), images("mobilenet_v2", MobileNet(.v2), 96),
      images("mobilenet_v3", MobileNet(.v3Small), 96), images("vit", VisionTransformer(vision), 64),
      images("convnext", ConvNeXt(.init(widths: [32, 64, 96, 128], blocks: [1, 1, 2, 1])), 64),
      ExportedNetwork(
        name: "bert", module: sentences, input: "ids", sample: tokens,
        forward: { sentences($0) }),
      ExportedNetwork(
        name: "gpt2", module: writer, input: "ids", sample: tokens, forward: { writer($0) }),
      ExportedNetwork(
        name: "lstm", module: lstm, input: "x", sample: { .randn($0, 20, 12) },
        forward: { lstm($0).output }),
      ExportedNetwork(
        name: "crepe", module: crepe, input: "frames", sample: { .randn($0, 1024) },
        forward: { crepe($0) }),
    ]
  }
}

extension Module {
  /// Gives batch norms statistics that a mistake would show.
  fileprivate func shakeStatistics() {
    for case let norm as BatchNorm in namedModules.map(\.module) {
      norm.runningMean?.value = Tensor.randn(norm.features) * 0.1
      norm.runningVar?.value = Tensor.rand(norm.features) + 0.5
    }
  }
}
