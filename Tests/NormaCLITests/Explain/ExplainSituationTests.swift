import Foundation
import Norma
import NormaTensor
import Testing

@testable import NormaCLI

/// Typical inputs of `norma explain`: modes, states, masks, and files of all kinds.
@Suite struct ExplainSituationTests {
  /// Files of one test, removed with it.
  private final class Folder {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString)"
    init() throws {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func npy(_ name: String, _ tensor: Tensor) throws -> String {
      try tensor.write(npy: "\(path)/\(name).npy")
      return "\(path)/\(name).npy"
    }
  }

  private let folder: Folder
  private let x = withSeed(3) { Tensor.randn(4, 6, 5, 5) * 2 + 1 }.evaluated()

  init() throws { folder = try Folder() }

  private func explanation(_ arguments: String...) throws -> Explanation {
    let command = try NormaCommand.parseAsRoot(["explain"] + arguments) as? ExplainCommand
    let explain = try #require(command)
    return try explain.explanation(of: try #require(explain.input))
  }

  private func message(_ arguments: String...) -> String {
    do {
      let command = try NormaCommand.parseAsRoot(["explain"] + arguments) as? ExplainCommand
      _ = try command?.explanation(of: command?.input ?? "")
      return ""
    } catch { return NormaCommand.message(for: error) + "\(error)" }
  }

  /// A layer that has seen a few batches, in evaluation; and those batches.
  private func trained() -> (layer: BatchNorm2d, batches: [Tensor]) {
    let layer = BatchNorm2d(6)
    layer.weight?.value = Tensor([0.5, 0.7, 0.9, 1.1, 1.3, 1.5] as [Float])
    layer.bias?.value = Tensor([0.1, -0.2, 0.3, -0.4, 0.5, -0.6] as [Float])
    let batches = (0..<3).map { seed in
      withSeed(UInt64(seed)) { Tensor.randn(4, 6, 5, 5) * 3 - 1 }.evaluated()
    }
    for batch in batches { _ = layer(batch).evaluated() }
    layer.eval()
    return (layer, batches)
  }

  private func checkpoint(_ layer: BatchNorm2d) throws -> String {
    var state: [String: Tensor] = ["fc.weight": Tensor.ones(3, 6), "layer1.ln.weight": .ones(5)]
    for (name, value) in layer.stateDict() { state["layer1.0.bn1.\(name)"] = value }
    try SafeTensors.write(state, to: folder.path + "/model.safetensors")
    return folder.path + "/model.safetensors"
  }

  @Test func evaluationWithTheStateOfACheckpoint() throws {
    let (layer, _) = trained()
    let (input, state) = (try folder.npy("x", x), try checkpoint(layer))
    let same = try folder.npy("same", layer(x).evaluated())
    let own = ["explain", "--input", input, "--expect", same, "--state", state]
    #expect(exitStatus(own + ["--name", "layer1.0.bn1", "--evaluation"]) == 0)
    layer.train()
    let batch = try folder.npy("batch", layer(x).evaluated())
    let found = try explanation(
      "--input", input, "--expect", batch, "--state", state, "--name", "layer1.0.bn1", "--eval")
    #expect(found.causes.map(\.name) == [.runningVersusBatch] && !found.isTraining)
  }

  @Test func namesThatAreNotThere() throws {
    let (input, state) = (try folder.npy("x", x), try checkpoint(trained().layer))
    let wrong = message("--input", input, "--state", state, "--name", "layer1.0.bn2")
    #expect(wrong.contains("nothing named layer1.0.bn2"))
    #expect(wrong.contains("the nearest: layer1.0.bn1"), "\(wrong)")
    #expect(
      message("--input", input, "--state", state)
        .contains("--name selects a layer of the file: layer1.0.bn1, layer1.ln"))
    let tensor = message("--input", input, "--expect", "\(state):layer1.0.bn1.weigth")
    #expect(tensor.contains("the nearest: layer1.0.bn1.weight"), "\(tensor)")
    #expect(
      message("--input", input, "--state", state, "--name", "layer1.ln").contains("--layer"))
    #expect(exitStatus("explain", "--input", input, "--state", state) == 2)
    #expect(exitStatus("explain", "--input", input, "--name", "layer1.0.bn1") == 64)
  }

  @Test func filesOfSeveralTensors() throws {
    let path = folder.path + "/data.npz"
    let y = BatchNorm2d(6, eps: 1e-3)(x).evaluated()
    try NPZ.write(["x": x, "y": y], to: path)
    let found = try explanation("--input", "\(path):x", "--expect", "\(path):y")
    #expect(found.causes.first?.name == .epsilonValue)
    #expect(message("--input", path).contains("contains 2 tensors; name one of them"))
    let other = folder.path + "/data.safetensors"
    try SafeTensors.write(["the.x": x], to: other)
    #expect(try explanation("--input", other, "--expect", "\(path):y").gap == found.gap)
    #expect(try explanation("--input", "\(other):the.x", "--expect", "\(path):y").gap == found.gap)
  }

  @Test func runningStatisticsAfterACall() throws {
    let (layer, _) = trained()
    let input = try folder.npy("x", x)
    let mean = try folder.npy("mean", layer.runningMean?.value ?? x)
    let variance = try folder.npy("variance", layer.runningVar?.value ?? x)
    layer.train()
    _ = layer(x)
    let running = try folder.npy("after", layer.runningVar?.value ?? x)
    let own = ["--input", input, "--running-mean", mean, "--running-var", variance]
    #expect(exitStatus(["explain"] + own + ["--expect-running-var", running]) == 0)
    let found = try explanation(
      "--input", input, "--running-mean", mean, "--running-var", variance, "--momentum", "0.9",
      "--expect-running-var", running)
    #expect(found.causes.map(\.name) == [.momentumConvention], "\(found)")
    #expect(found.steps.first?.code?.pytorch.contains("running_var = ") == true)
    #expect(exitStatus(["explain"] + own + ["--expect-running-mean", input]) == 2)
  }

  /// Without running statistics they are those of the history; with them it tells what led there.
  @Test func histories() throws {
    let (layer, batches) = trained()
    let input = try folder.npy("x", x)
    let stack = try folder.npy("history", .stacked(batches))
    let weight = try folder.npy("w", layer.weight?.value ?? x)
    let bias = try folder.npy("b", layer.bias?.value ?? x)
    let y = try folder.npy("y", layer(x).evaluated())
    let own = [
      "explain", "--input", input, "--expect", y, "--weight", weight, "--bias", bias, "--eval",
    ]
    #expect(exitStatus(own + ["--history", stack]) == 0)
    let one = try batches.enumerated().flatMap { index, batch in
      ["--history", try folder.npy("h\(index)", batch)]
    }
    #expect(exitStatus(own + one) == 0)
    #expect(exitStatus(own + one + ["--momentum", "0.9"]) == 1)
    #expect(exitStatus(own.dropLast() + one) == 64)
    #expect(exitStatus(own + ["--history", weight]) == 2)
  }

  @Test func masks() throws {
    let tokens = withSeed(5) { Tensor.randn(3, 4, 8) }.evaluated()
    var values = [Float](repeating: 1, count: 32)
    for i in 20..<32 { values[i] = 0 }
    let mask = Tensor(Array(values.prefix(24)), shape: [3, 8])
    let layer = BatchNorm1d(4)
    let wide = mask.reshaped(3, 1, 8)
    let count = wide.sum().item()
    let mean = (tokens * wide).sum(over: 0, 2, keepDims: true) / count
    let centred = tokens - mean
    let variance = (centred.squared() * wide).sum(over: 0, 2, keepDims: true) / count
    let y = (centred / (variance + layer.eps).sqrt()).evaluated()
    let found = try explanation(
      "--input", try folder.npy("t", tokens), "--expect", try folder.npy("ty", y), "--mask",
      try folder.npy("mask", mask))
    #expect(found.causes.map(\.name) == [.mask], "\(found)")
    #expect(
      message(
        "--input", try folder.npy("t", tokens), "--expect", try folder.npy("ty", y), "--mask",
        try folder.npy("bad", Tensor.ones(5, 5))
      ).contains("does not broadcast"))
  }

  @Test func whatAKindCannotUseIsRefused() throws {
    let refused: [[String]] = [
      [
        "--layer", "groupnorm", "--groups", "2", "--running-mean", "m.npy", "--running-var",
        "v.npy",
      ],
      ["--layer", "layernorm", "--eval"], ["--layer", "rmsnorm", "--momentum", "0.1"],
      ["--layer", "layernorm", "--expect-running-mean", "m.npy"], ["--running-mean", "m.npy"],
      ["--eval"], ["--momentum", "0.1"], ["--momentum", "2", "--expect-running-mean", "m.npy"],
      ["--mask", "m.npy"], ["--state", "s.safetensors", "--weight", "w.npy"],
      ["--expect", "y.npy", "--expect-running-mean", "m.npy"], ["--history", "h.npy"],
    ]
    for options in refused {
      #expect(exitStatus(["explain", "--input", "x.npy"] + options) == 64, "\(options)")
    }
    #expect(exitStatus("explain", "--state", "s.safetensors") == 64)
    #expect(exitStatus("explain", "--eps", "1e-3") == 64)
  }

  /// A capture knows the layer's kind and options.
  @Test func statesOfCaptures() throws {
    let norm = LayerNorm(5, eps: 1e-3)
    norm.weight?.value = Tensor([2, 1, 1, 1, 1] as [Float])
    var captured = CapturedLayer(
      name: "norm", kind: "LayerNorm",
      options: CapturedOptions(normalizedShape: [5], epsilon: 1e-3, isAffine: true))
    (captured.weight, captured.bias) = (norm.weight?.value, norm.bias?.value)
    var capture = NetworkCapture(framework: "torch", model: "Net", samples: 4)
    capture.layers = [captured]
    let path = folder.path + "/capture.safetensors"
    try capture.write(to: path)
    let y = norm(x).evaluated()
    let found = try explanation(
      "--input", try folder.npy("x", x), "--expect", try folder.npy("y", y), "--state", path)
    #expect(found.agrees && found.layer == "LayerNorm(5)", "\(found)")
    #expect(
      message("--input", folder.path + "/x.npy", "--state", path, "--layer", "batchnorm")
        .contains("is a LayerNorm"))
  }

  /// A value that is NaN has a position, and the status says that something is wrong.
  @Test func notANumber() throws {
    var values = x.array(of: Float.self)
    values[30] = .nan
    let input = try folder.npy("nan", Tensor(values, shape: x.shape))
    #expect(exitStatus("explain", "--input", input) == 1)
    #expect(exitStatus("explain", "--input", input, "--correction", "0", "--json") == 1)
    #expect(try explanation("--input", input).nonFinite.first?.index == [0, 1, 1, 0])
  }

  @Test func nearNames() {
    let names = ["bn1.weight", "bn1.bias", "layer4.1.bn2.weight", "fc.bias"]
    #expect(nearestNames(to: "bn1.weigth", among: names).first == "bn1.weight")
    #expect(nearestNames(to: "module.bn1.bias", among: names).first == "bn1.bias")
    #expect(nearestNames(to: "zzz", among: names).isEmpty)
    #expect(namesInWords(to: "a", among: []) == "it has none")
  }
}
