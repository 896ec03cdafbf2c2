import NormaFiles
import NormaModels
import NormaNN
import NormaTensor

/// A network of a case, with the names of its inputs and outputs.
private struct LoadedNetwork: LoadedModel {
  let network: Module
  let call: ([String: Tensor]) throws -> [String: Tensor]

  var module: Module? { network }

  func outputs(for inputs: [String: Tensor]) throws -> [String: Tensor] { try call(inputs) }
}

/// Networks whose files hold parameters only, by the name of the case.
var networkLoaders: [String: ModelLoader] {
  [
    "pitch_full": loadPitch,
    "pitch_tiny": loadPitch,
    "sentences": loadSentences,
    "speaker": loadSpeaker,
    "face_points": loadFacePoints,
  ]
}

private func input(_ name: String, _ inputs: [String: Tensor]) throws -> Tensor {
  guard let tensor = inputs[name] else { throw CaseObstacle.unreadable("no input \(name)") }
  return tensor
}

private func loadPitch(_ item: ModelCase, _ path: String) throws -> any LoadedModel {
  let network = try CREPE(contentsOf: path)
  return LoadedNetwork(network: network) { ["y": network(try input("x", $0))] }
}

private func loadSentences(_ item: ModelCase, _ path: String) throws -> any LoadedModel {
  let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast()
  let network = try BERT(contentsOf: folder.joined(separator: "/"))
  return LoadedNetwork(network: network) { inputs in
    let (ids, mask) = (try input("ids", inputs), try input("mask", inputs))
    return [
      "embedding": network.sentenceVectors(ids, mask: mask),
      "last_hidden_state": network(ids, mask: mask),
    ]
  }
}

/// The speaker encoder of resemblyzer: the last state of three LSTM layers, a linear map, ReLU,
/// unit length.
private final class SpeakerEncoder: Module {
  let lstm = LSTM(40, 256, numLayers: 3, batchFirst: true)
  let linear = Linear(256, 256)

  func callAsFunction(_ mels: Tensor) -> Tensor {
    let last = lstm(mels).state.hidden[2]
    let y = linear(last).relu()
    return y / y.norm(2, over: [1], keepDims: true)
  }
}

private func loadSpeaker(_ item: ModelCase, _ path: String) throws -> any LoadedModel {
  let network = SpeakerEncoder()
  // The scale and shift of similarities belong to training.
  let state = try StateFile(contentsOf: path).tensors().filter {
    !$0.key.hasPrefix("similarity")
  }
  try network.load(state)
  network.eval()
  return LoadedNetwork(network: network) { ["y": network(try input("mels", $0))] }
}

/// The output network of MTCNN, which finds a box and five points in the picture of a face.
private final class FacePoints: Module {
  let conv1 = Conv2d(3, 32, kernelSize: 3)
  let prelu1 = PReLU(32)
  let conv2 = Conv2d(32, 64, kernelSize: 3)
  let prelu2 = PReLU(64)
  let conv3 = Conv2d(64, 64, kernelSize: 3)
  let prelu3 = PReLU(64)
  let conv4 = Conv2d(64, 128, kernelSize: 2)
  let prelu4 = PReLU(128)
  let dense5 = Linear(1152, 256)
  let prelu5 = PReLU(256)
  let probability = Linear(256, 2)
  let boxes = Linear(256, 4)
  let points = Linear(256, 10)

  override class var stateNames: [String: String] {
    ["probability": "dense6_1", "boxes": "dense6_2", "points": "dense6_3"]
  }

  func callAsFunction(_ x: Tensor) -> [String: Tensor] {
    func pooled(_ x: Tensor, _ size: Int) -> Tensor {
      maxPool2d(x, kernelSize: size, stride: 2, ceilMode: true)
    }
    var y = pooled(prelu1(conv1(x)), 3)
    y = pooled(prelu2(conv2(y)), 3)
    y = pooled(prelu3(conv3(y)), 2)
    y = prelu4(conv4(y))
    // The network came from a system whose pictures lie column by column, channels last.
    y = prelu5(dense5(y.permuted(0, 3, 2, 1).flattened(from: 1)))
    return [
      "probability": probability(y).softmax(over: 1), "boxes": boxes(y), "points": points(y),
    ]
  }
}

private func loadFacePoints(_ item: ModelCase, _ path: String) throws -> any LoadedModel {
  let network = FacePoints()
  try network.load(StateFile(contentsOf: path).tensors())
  network.eval()
  return LoadedNetwork(network: network) { network(try input("x", $0)) }
}
