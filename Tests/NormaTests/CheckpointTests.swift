import Foundation
import Norma
import NormaTensor
import Testing

@Suite struct CheckpointTests {
  private let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).safetensors"

  private func checkpoint() -> Checkpoint {
    let layer = BatchNorm1d(3)
    let optimizer = SGD(layer.parameters, learningRate: 0.1, momentum: 0.9)
    layer(Tensor.randn(4, 3)).sum().backward()
    optimizer.step()
    var checkpoint = Checkpoint(model: layer.stateDict())
    checkpoint.optimizer = optimizer.state
    checkpoint.loader = DataLoaderState(generator: Generator(seed: 3).state, batch: 7, epoch: 5)
    checkpoint.generators["default"] = Generator(seed: 4).state
    checkpoint.notes["mood"] = "good \"so far\""
    return checkpoint
  }

  @Test func everythingComesBack() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let written = checkpoint()
    try written.write(to: path)
    let read = try Checkpoint(contentsOf: path)
    #expect(Set(read.model.keys) == Set(written.model.keys))
    for (name, tensor) in written.model {
      #expect(
        read.model[name]?.isEqual(to: tensor) == true && read.model[name]?.dtype == tensor.dtype)
    }
    #expect(read.loader == written.loader)
    #expect(read.generators == written.generators)
    #expect(read.notes["mood"] == written.notes["mood"])
    let state = try #require(read.optimizer)
    let optimizer = SGD(BatchNorm1d(3).parameters, learningRate: 1, momentum: 0)
    try optimizer.load(state)
    #expect(optimizer.groups[0].learningRate == 0.1 && optimizer.groups[0].momentum == 0.9)
    #expect(state.groups == written.optimizer?.groups && read.notes["version"] == "2")
  }

  @Test func valuesComeBackWithTheModel() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let x = Tensor([[1, .nan, 3], [2, 5, 0.1], [4, 7, 1e-300]] as [[Double]])
    let imputer = Imputer(fitting: x, addsFlags: true)
    let scaler = StandardScaler(fitting: imputer(x))
    var written = checkpoint()
    try written.encode(imputer, as: "imputer")
    try written.encode(scaler, as: "scaler")
    try written.encode(["a", "b"], as: "columns")
    try written.encode([Double.nan, -.infinity, 0.1], as: "numbers")
    try written.write(to: path)

    let read = try Checkpoint(contentsOf: path)
    #expect(try read.decode(Imputer.self, from: "imputer") == imputer)
    #expect(try read.decode(StandardScaler.self, from: "scaler") == scaler)
    let columns: [String] = try read.decode(from: "columns")
    #expect(columns == ["a", "b"])
    let numbers = try read.decode([Double].self, from: "numbers")
    #expect(numbers[0].isNaN && numbers[1...] == [-.infinity, 0.1])
    #expect { try read.decode(Int.self, from: "options") } throws: {
      "\($0)".contains(path)
        && "\($0)".contains("has no value \"options\"; it has \"columns\", \"imputer\"")
    }
    #expect { try read.decode(Int.self, from: "columns") } throws: {
      "\($0)".contains("value \"columns\" that is not of type Int")
    }
  }

  /// A file written by version 1: Adam with two groups after three steps. Missing steps and options
  /// are those of the optimizer that loads it, which takes the fourth step as the old one did.
  @Test func firstVersionIsRead() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/checkpoint-version-1.safetensors").path
    let read = try Checkpoint(contentsOf: file)
    #expect(read.notes["version"] == "1" && read.notes["epoch"] == "7")
    #expect(read.loader == DataLoaderState(generator: Generator(seed: 3).state, batch: 2))
    let names = ["a", "c", "b"]
    let parameters = try names.map { Parameter(try #require(read.model[$0])) }
    let optimizer = Adam(
      [parameters[0], parameters[1]], betas: (0.9, 0.9), eps: 1e-3, amsgrad: true)
    optimizer.addGroup([parameters[2]]) { _ in }
    try optimizer.load(try #require(read.optimizer))
    #expect(optimizer.groups.map(\.options.beta1) == [0.8, 0.5])
    #expect(optimizer.groups.map(\.options.learningRate) == [0.1, 0.25])
    #expect(optimizer.groups[1].weightDecay == 0.1 && optimizer.groups[1].amsgrad)
    parameters[0].grad = parameters[0].value.detached() * 2
    parameters[2].grad = parameters[2].value.detached() + 1
    optimizer.step()
    let values = [parameters[0], parameters[2]].flatMap { $0.value.array(of: Float.self) }
    let expected = try #require(read.notes["next"]).split(separator: " ").map { UInt32($0) }
    #expect(values.map(\.bitPattern) == expected)
    #expect(parameters[1].value.array() == [4, 5])
  }

  /// A truncated file is rejected; a complete one is only replaced by a complete one.
  @Test func halfWrittenFilesAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try checkpoint().write(to: path)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    for count in stride(from: 0, to: bytes.count, by: max(bytes.count / 97, 1)) {
      try bytes.prefix(count).write(to: URL(fileURLWithPath: path))
      #expect { try Checkpoint(contentsOf: path) } throws: { "\($0)".contains(path) }
    }
    #expect(throws: FileError.self) {
      try checkpoint().write(to: "/nowhere/run.safetensors")
    }
  }

  @Test func foreignFilesAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    try SafeTensors.write(["weight": .ones(2)], to: path)
    #expect { try Checkpoint(contentsOf: path) } throws: {
      $0 is CheckpointError && "\($0)".contains("not a checkpoint of Norma")
    }
    try SafeTensors.write(
      ["model.weight": .ones(2)], metadata: ["format": "norma.checkpoint", "version": "9"], to: path
    )
    #expect { try Checkpoint(contentsOf: path) } throws: { "\($0)".contains("has version 9") }
    try Data("PK\u{3}\u{4}".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try Checkpoint(contentsOf: path) }
  }

  /// What a resumed run needs besides its own checkpoint: a note, and the file of the best network.
  @Test func earlyStoppingGoesOn() throws {
    defer { try? FileManager.default.removeItem(atPath: path) }
    let layer = Linear(2, 1)
    var stopping = EarlyStopping(patience: 2)
    for loss in [3.0, 1, 2] {
      layer.weight.value = .full([1, 2], Float(loss))
      guard stopping.step(loss, layer) else { continue }
      var best = Checkpoint(model: layer.stateDict())
      best.notes["stopping"] = String(
        decoding: try JSONEncoder().encode(stopping.state), as: UTF8.self)
      try best.write(to: path)
    }
    let read = try Checkpoint(contentsOf: path)
    var resumed = EarlyStopping(patience: 2)
    resumed.state = try JSONDecoder().decode(
      EarlyStopping.State.self, from: Data(try #require(read.notes["stopping"]).utf8))
    resumed.bestModel = read.model
    #expect(resumed.state.best == 1 && resumed.state.stepCount == 2)
    #expect(!resumed.step(2) && !resumed.shouldStop && !resumed.step(1.5) && resumed.shouldStop)
    try resumed.restore(layer)
    #expect(layer.weight.value.array() == [1, 1] as [Float])
  }
}
