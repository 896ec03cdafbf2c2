import Foundation
import Norma
import NormaTensor
import Testing

@testable import NormaCLI

/// `norma train` and `norma predict` on 24 small images of three classes.
@Suite(.serialized) struct TrainTests {
  private let folder: String
  private let file: String

  init() throws {
    folder = NSTemporaryDirectory() + "norma-\(UUID().uuidString)"
    file = folder + "/run.safetensors"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, count) in [("train", 24), ("t10k", 6)] {
      let labels = (0..<count).map { UInt8($0 % 3) }
      var pixels: [UInt8] = []
      for image in 0..<count {
        for place in 0..<64 {
          // Each class is bright in rows of its own.
          let isBright = place / 24 == image % 3
          let noise = (image * 7 + place * 3) % 40
          pixels.append(UInt8(isBright ? 200 + noise : noise))
        }
      }
      try Self.write([0, 0, 8, 3], [count, 8, 8], pixels, "\(folder)/\(name)-images-idx3-ubyte")
      try Self.write([0, 0, 8, 1], [count], labels, "\(folder)/\(name)-labels-idx1-ubyte")
    }
  }

  private static func write(
    _ magic: [UInt8], _ shape: [Int], _ values: [UInt8], _ path: String
  ) throws {
    let lengths: [UInt8] = shape.flatMap { [0, 0, 0, UInt8($0)] as [UInt8] }
    try Data(magic + lengths + values).write(to: URL(fileURLWithPath: path))
  }

  private func options(seed: Int = 1) -> TrainingOptions {
    TrainingOptions(epochs: 3, steps: nil, batch: 5, learningRate: 0.05, width: 2, seed: seed)
  }

  private func run(seed: Int = 1) throws -> TrainingRun {
    try TrainingRun(options(seed: seed), ClothingData(folder: folder))
  }

  private func finish(_ run: TrainingRun) throws -> [String: [Double]] {
    while run.step < run.totalSteps { _ = try run.trainEpoch { _ in true } }
    return try run.checkpoint().model.mapValues { $0.array(of: Double.self) }
  }

  /// Stops after every number of steps, also at the ends of epochs.
  @Test func resumedRunsEndInTheSameBits() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let whole = try finish(try run())
    #expect(whole.count > 20)
    for stop in [1, 3, 4, 6, 11] {
      let first = try run()
      while first.step < stop { _ = try first.trainEpoch { _ in first.step < stop } }
      #expect(first.step == stop)
      try first.checkpoint().write(to: file)
      // Another run in between must not matter.
      _ = try run(seed: 9).trainEpoch { _ in true }
      let saved = try Checkpoint(contentsOf: file)
      let second = try TrainingRun(
        TrainingOptions(saved, path: file), ClothingData(folder: folder))
      #expect(try second.restore(saved, path: file) == Threads.count)
      #expect(try finish(second) == whole, "stopped after \(stop) steps")
    }
  }

  @Test func commandsTrainAndPredict() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let train = try NormaCommand.parseAsRoot([
      "train", "--data", folder, "--epochs", "2", "--batch", "6", "--width", "2", "--out", file,
      "--json",
    ])
    var command = try #require(train as? TrainCommand)
    try command.run()
    let saved = try Checkpoint(contentsOf: file)
    #expect(saved.notes["step"] == "8")
    let images = "\(folder)/t10k-images-idx3-ubyte"
    let predict = try NormaCommand.parseAsRoot(["predict", "--checkpoint", file, images])
    var prediction = try #require(predict as? PredictCommand)
    try prediction.run()
    // What was trained to its end has nothing left to do.
    let again = try NormaCommand.parseAsRoot(["train", "--data", folder, "--resume", file])
    command = try #require(again as? TrainCommand)
    try command.run()
    prediction.images = [folder + "/none.png"]
    #expect(throws: FileError.self) { try prediction.run() }
  }

  @Test func checkpointsOfOtherRunsAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let run = try run()
    var saved = try run.checkpoint()
    saved.notes["samples"] = "60000"
    #expect { try run.restore(saved, path: file) } throws: { "\($0)".contains("60000 training") }
    saved = try run.checkpoint()
    saved.model["fc.weight"] = .zeros(1)
    #expect { try run.restore(saved, path: file) } throws: { "\($0)".contains("fc.weight") }
    saved = try run.checkpoint()
    saved.optimizer = nil
    #expect(throws: CheckpointError.self) { try run.restore(saved, path: file) }
    for text in [
      "{", "{\"epochs\":1}", try options().text().replacing("\"width\":2", with: "\"width\":-2"),
    ] {
      saved.notes[TrainingOptions.note] = text
      #expect(throws: CheckpointError.self) { try TrainingOptions(saved, path: file) }
    }
  }

  @Test func wrongOptionsAndFoldersAreRefused() throws {
    defer { try? FileManager.default.removeItem(atPath: folder) }
    for arguments in [
      ["--epochs", "0"], ["--lr", "-1"], ["--threads", "0"],
      ["--resume", file, "--width", "4"],
    ] {
      #expect(throws: (any Error).self) {
        try NormaCommand.parseAsRoot(["train", "--data", folder] + arguments)
      }
    }
    #expect { try ClothingData(folder: folder + "/none") } throws: {
      "\($0)".contains("has no train")
    }
    let labels = "\(folder)/train-labels-idx1-ubyte"
    try Self.write([0, 0, 8, 1], [3], [0, 1, 2], labels)
    #expect { try ClothingData(folder: folder) } throws: { "\($0)".contains("do not go together") }
    try Self.write([0, 0, 8, 1], [24], [UInt8](repeating: 77, count: 24), labels)
    #expect { try ClothingData(folder: folder) } throws: { "\($0)".contains("go up to 77") }
  }
}
