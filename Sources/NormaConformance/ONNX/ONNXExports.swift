import Foundation
import NormaFiles
import NormaModels
import NormaNN
import NormaONNX
import NormaTensor

/// Networks with random weights as ONNX files, for `Tools/check-onnx-export.py`.
///
/// Each is a file NAME.onnx, and a file NAME.npz with inputs and results of another number of
/// samples, and of other lengths, than the exported ones: `in.x`, `out.scores`.
public func writeONNXExports(to folder: String) throws {
  try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
  try withSeed(0) {
    for network in ExportedNetwork.all() {
      let path = "\(folder)/\(network.name)"
      network.module.shakeStatistics()
      try network.module.exportONNX(
        to: path + ".onnx", inputs: network.sample(2), outputs: network.outputs,
        freeAxes: network.freeAxes, forward: network.forward)
      network.module.eval()
      let inputs = network.sample(3)
      let results = withoutGradients { network.forward(inputs.map(\.value)) }
      var arrays = StateDict()
      for (name, tensor) in inputs { arrays["in.\(name)"] = tensor }
      for (name, tensor) in zip(network.outputs, results) { arrays["out.\(name)"] = tensor }
      try NPZ.write(arrays, to: path + ".npz")
      print("\(network.name): \(network.module.namedParameters.count) parameters")
    }
  }
}

/// A network, and how it is called.
private struct ExportedNetwork {
  let name: String
  let module: Module
  let freeAxes: [String: [Int: String]]
  let outputs: [String]
  /// Inputs for a number of samples.
  let sample: (_ count: Int) -> KeyValuePairs<String, Tensor>
  let forward: ([Tensor]) -> [Tensor]

  /// A network with one input, of any number of samples, and one result.
  init(
    _ name: String, _ module: Module, _ input: String, isFree: [Int: String] = [0: "batch"],
    sample: @escaping (_ count: Int) -> Tensor, forward: @escaping (Tensor) -> Tensor
  ) {
    (self.name, self.module, outputs) = (name, module, ["output"])
    freeAxes = [input: isFree]
    self.sample = { [input: sample($0)] }
    self.forward = { [forward($0[0])] }
  }

  /// An LSTM that goes on from given states, and returns its last ones.
  init(_ name: String, _ lstm: LSTM, states: Int, hidden: Int, cell: Int) {
    (self.name, module) = (name, lstm)
    outputs = ["output", "last_hidden", "last_cell"]
    freeAxes = ["x": [0: "batch", 1: "time"], "hidden": [1: "batch"], "cell": [1: "batch"]]
    sample = {
      [
        "x": .randn($0, 10 + $0, lstm.inputSize), "hidden": .randn(states, $0, hidden),
        "cell": .randn(states, $0, cell),
      ]
    }
    forward = {
      let (output, state) = lstm($0[0], state: LSTMState(hidden: $0[1], cell: $0[2]))
      return [output, state.hidden, state.cell]
    }
  }

  static func all() -> [ExportedNetwork] {
    func images(_ name: String, _ layer: some Layer, _ size: Int) -> ExportedNetwork {
      ExportedNetwork(
        name, layer, "x", sample: { .randn($0, 3, size, size) }, forward: { layer($0) })
    }
    var vision = VisionTransformer.Options()
    (vision.size, vision.width, vision.layers, vision.heads) = (64, 192, 4, 3)
    var bert = BERT.Options()
    (bert.width, bert.layers, bert.heads, bert.innerWidth) = (128, 3, 4, 256)
    var gpt = GPT2.Options()
    (gpt.width, gpt.layers, gpt.heads, gpt.tokens) = (128, 3, 4, 1000)
    let (sentences, writer, crepe) = (BERT(bert), GPT2(gpt), CREPE(.tiny))
    let lstm = LSTM(12, 32, numLayers: 2, batchFirst: true, bidirectional: true)
    let projected = LSTM(
      12, 32, numLayers: 2, batchFirst: true, bidirectional: true, projSize: 8)
    func tokens(_ name: String, _ module: Module, _ forward: @escaping (Tensor) -> Tensor)
      -> ExportedNetwork
    {
      ExportedNetwork(
        name, module, "ids", isFree: [0: "batch", 1: "length"],
        sample: { .randint([$0, 11 + 3 * $0], high: 1000) }, forward: forward)
    }
    return [
      images("resnet18", ResNet(.resNet18), 96), images("mobilenet_v2", MobileNet(.v2), 96),
      images("mobilenet_v3", MobileNet(.v3Small), 96), images("vit", VisionTransformer(vision), 64),
      images("convnext", ConvNeXt(.init(widths: [32, 64, 96, 128], blocks: [1, 1, 2, 1])), 64),
      tokens("bert", sentences) { sentences($0) }, tokens("gpt2", writer) { writer($0) },
      ExportedNetwork(
        "lstm", lstm, "x", sample: { .randn($0, 20, 12) }, forward: { lstm($0).output }),
      ExportedNetwork("lstm_states", lstm, states: 4, hidden: 32, cell: 32),
      ExportedNetwork("lstm_projection", projected, states: 4, hidden: 8, cell: 32),
      ExportedNetwork(
        "crepe", crepe, "frames", sample: { .randn($0, 1024) }, forward: { crepe($0) }),
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
