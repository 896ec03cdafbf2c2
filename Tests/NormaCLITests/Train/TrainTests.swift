import ArgumentParser
import Foundation
import Norma
import NormaTensor
import Testing

@testable import NormaCLI

/// `norma train` and `norma predict` on 24 small images of three classes.
@Suite(.serialized) struct TrainTests {
  private let images: SmallImages
  private let folder: String
  private let file: String

  init() throws {
    images = try SmallImages()
    folder = images.folder
    file = folder + "/run.safetensors"
  }

  private func options(seed: Int = 1) -> TrainingOptions {
    TrainingOptions(
      epochs: 3, steps: nil, batch: 5, learningRate: 0.05, width: 2, seed: seed, bnMomentum: 0.3,
      freezeStatistics: 9)
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
    defer { images.remove() }
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
      #expect(try second.restore(saved, path: file) == TensorThreads.count)
      #expect(try finish(second) == whole, "stopped after \(stop) steps")
    }
  }

  /// Momentum and the step after which statistics stand still reach every layer.
  @Test func runningStatisticsFollowTheOptions() throws {
    defer { images.remove() }
    func numbers(_ run: TrainingRun) throws -> [String: [Double]] {
      try finish(run).filter { $0.key.contains("running_") || $0.key.contains("num_batches") }
    }
    let last = try numbers(try run())
    #expect(last.count == 45)
    for (name, values) in last where name.hasSuffix("num_batches_tracked") {
      #expect(values == [9], "\(name)")
    }
    var other = options()
    other.freezeStatistics = nil
    let whole = try TrainingRun(other, ClothingData(folder: folder))
    #expect(whole.network.norms.allSatisfy { $0.momentum == 0.3 })
    while whole.step < 9 { _ = try whole.trainEpoch { _ in whole.step < 9 } }
    for (name, values) in try whole.checkpoint().model where last.keys.contains(name) {
      #expect(values.array(of: Double.self) == last[name], "\(name)")
    }
    other.freezeStatistics = 0
    for (name, values) in try numbers(TrainingRun(other, ClothingData(folder: folder))) {
      #expect(values.allSatisfy { $0 == (name.hasSuffix("var") ? 1 : 0) }, "\(name)")
    }
  }

  @Test func commandsTrainAndPredict() throws {
    defer { images.remove() }
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
    try expectOnlyTheSizeOfTraining(saved)
    // Completed training has nothing left to do.
    let again = try NormaCommand.parseAsRoot(["train", "--data", folder, "--resume", file])
    command = try #require(again as? TrainCommand)
    try command.run()
    // A file that cannot be used fails the command, but the others are still classified.
    prediction.images = [folder + "/none.png", images]
    #expect(throws: ExitCode(1)) { try prediction.run() }
  }

  /// Images of another size are rejected, or resized on request.
  private func expectOnlyTheSizeOfTraining(_ saved: Checkpoint) throws {
    #expect(saved.notes["image"] == "8 x 8")
    for size in [4, 5, 12] {
      let other = "\(folder)/other-\(size).npy"
      try Tensor.full([1, size, size], 9, dtype: .uint8).write(npy: other)
      #expect(exitStatus("predict", "--checkpoint", file, other) == 1)
      #expect(exitStatus("predict", "--checkpoint", file, "--resize", other) == 0)
    }
    var strange = saved
    let path = "\(folder)/strange.safetensors"
    strange.notes["image"] = "-1 x 99999999999"
    try strange.write(to: path)
    let image = "\(folder)/other-5.npy"
    #expect(exitStatus("predict", "--checkpoint", path, "--resize", image) == 1)
    strange.notes["image"] = nil
    try strange.write(to: path)
    #expect(exitStatus("predict", "--checkpoint", path, image) == 0)
  }

  /// The path of the checkpoint is checked before training.
  @Test func outputsAreCheckedFirst() throws {
    defer { images.remove() }
    let path = "\(folder)/none/run.safetensors"
    for (out, text) in [(path, "there is no folder"), (folder, "is a folder"), ("", "is a folder")]
    {
      #expect { try OutputPath.check(out, option: "--out") } throws: { "\($0)".contains(text) }
    }
    try OutputPath.check(file, option: "--out")
    try OutputPath.check("run.safetensors", option: "--out")
    #expect(exitStatus("train", "--data", "\(folder)/none", "--out", path) == 1)
  }

  @Test func filesAreNamedWithoutTheCallThatReadThem() {
    let found = #expect(throws: FileError.self) { try Tensor(png: folder + "/none.png") }
    if let found {
      #expect(plainText(found).hasPrefix("\(folder)/none.png "))
      #expect(!plainText(found).contains("Tensor("))
    }
    images.remove()
  }

  @Test func checkpointsOfOtherRunsAreRefused() throws {
    defer { images.remove() }
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
    // Older checkpoints know neither momentum nor frozen statistics.
    saved.notes[TrainingOptions.note] =
      #"{"batch":5,"epochs":3,"learningRate":0.05,"seed":1,"width":2}"#
    #expect(
      try TrainingOptions(saved, path: file)
        == TrainingOptions(
          epochs: 3, steps: nil, batch: 5, learningRate: 0.05, width: 2, seed: 1))
    for text in [
      "{", "{\"epochs\":1}", try options().text().replacing("\"width\":2", with: "\"width\":-2"),
      try options().text().replacing("\"bnMomentum\":0.3", with: "\"bnMomentum\":3"),
    ] {
      saved.notes[TrainingOptions.note] = text
      #expect(throws: CheckpointError.self) { try TrainingOptions(saved, path: file) }
    }
  }

  @Test func wrongOptionsAndFoldersAreRefused() throws {
    defer { images.remove() }
    for arguments in [
      ["--epochs", "0"], ["--lr", "-1"], ["--threads", "0"], ["--bn-momentum", "1.5"],
      ["--freeze-statistics", "-1"], ["--resume", file, "--bn-momentum", "0.5"],
      ["--resume", file, "--freeze-statistics", "3"],
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
    try SmallImages.write([0, 0, 8, 1], [3], [0, 1, 2], labels)
    #expect { try ClothingData(folder: folder) } throws: { "\($0)".contains("do not match") }
    try SmallImages.write([0, 0, 8, 1], [24], [UInt8](repeating: 77, count: 24), labels)
    #expect { try ClothingData(folder: folder) } throws: { "\($0)".contains("go up to 77") }
  }
}
