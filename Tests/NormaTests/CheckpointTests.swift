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
    checkpoint.loader = DataLoaderState(generator: Generator(seed: 3).state, batch: 7)
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
  }

  /// A file that was cut off anywhere is refused; a whole one is replaced only by a whole one.
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
      $0 is CheckpointError && "\($0)".contains("no checkpoint of Norma")
    }
    try SafeTensors.write(
      ["model.weight": .ones(2)], metadata: ["format": "norma.checkpoint", "version": "9"], to: path
    )
    #expect { try Checkpoint(contentsOf: path) } throws: { "\($0)".contains("has version 9") }
    try Data("PK\u{3}\u{4}".utf8).write(to: URL(fileURLWithPath: path))
    #expect(throws: FileError.self) { try Checkpoint(contentsOf: path) }
  }
}
