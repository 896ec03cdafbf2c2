import ArgumentParser
import Foundation
import Norma
import NormaTensor
import Testing

@testable import NormaCLI

// Inside the other suite, because both draw from the process's generator.
extension TrainTests {
  /// `norma doctor` on networks that were trained with a wrong setting.
  @Suite(.serialized) struct DoctorTests {
    private let images: SmallImages
    private let file: String

    init() throws {
      images = try SmallImages()
      file = images.folder + "/run.safetensors"
    }

    /// Trains a network of width 4 and writes its checkpoint.
    private func train(_ change: (inout TrainingOptions) -> Void = { _ in }) throws {
      var options = TrainingOptions(
        epochs: 20, steps: nil, batch: 8, learningRate: 0.05, width: 4, seed: 1)
      change(&options)
      let run = try TrainingRun(options, ClothingData(folder: images.folder))
      while run.step < run.totalSteps { _ = try run.trainEpoch { _ in true } }
      try run.checkpoint().write(to: file)
    }

    private func patient(_ path: String? = nil) throws -> Patient {
      try Patient(checkpoint: path ?? file, data: images.folder)
    }

    private func command(_ arguments: String...) throws -> DoctorCommand {
      try #require(
        NormaCommand.parseAsRoot(["doctor", "--data", images.folder] + arguments) as? DoctorCommand)
    }

    @Test func healthyNetworksAreLeftAlone() throws {
      defer { images.remove() }
      try train()
      let report = try patient().examined(count: 24)
      #expect(!report.diagnosis.findings.contains { $0.defect != .deadChannels }, "\(report)")
      #expect(report.diagnosis.layers.count == 15 && report.steps == 60)
      #expect(report.repair == nil)
    }

    /// The cause has its name, the repair restores the accuracy, and the repaired checkpoint is
    /// that of the run except for the statistics.
    @Test(
      arguments: [
        (0.001, nil, Defect.notConverged), (nil, 0, .neverTrained), (nil, 6, .stale),
      ] as [(Double?, Int?, Defect)])
    func wrongSettings(momentum: Double?, frozen: Int?, defect: Defect) throws {
      defer { images.remove() }
      try train {
        $0.bnMomentum = momentum
        $0.freezeStatistics = frozen
      }
      let before = try Checkpoint(contentsOf: file)
      let target = images.folder + "/repaired.safetensors"
      let report = try patient().repaired(count: 24, to: target)
      #expect(report.diagnosis.findings.first?.defect == defect, "\(report.diagnosis)")
      #expect(report.diagnosis.layers.count == 15)
      if defect == .stale {
        let facts = report.diagnosis.findings.first?.evidence ?? []
        #expect(facts.allSatisfy { $0.contains("it followed 6 of 60") }, "\(facts)")
      }
      let repair = try #require(report.repair)
      #expect(repair.accuracy == 1 && report.accuracy < 0.7, "\(report.accuracy)")
      #expect(repair.images == 24 && repair.layers.count == 15)
      #expect(
        !repair.diagnosis.findings.contains { $0.defect != .deadChannels }, "\(repair.diagnosis)")
      let text = report.text(checkpoint: file, data: images.folder, style: Terminal.style)
      #expect(text.contains("before, 100.00 % after") && text.contains(defect.rawValue))

      let after = try Checkpoint(contentsOf: target)
      for (name, tensor) in before.model {
        let isStatistics = name.contains("running_") || name.hasSuffix("num_batches_tracked")
        let values = try #require(after.model[name]).array(of: Double.self)
        #expect(isStatistics || values == tensor.array(of: Double.self), "\(name)")
      }
      // Two diagnoses of the same network give the same numbers, and a run continues from it.
      let again = try patient(target).examined(count: 24)
      #expect(again.diagnosis == repair.diagnosis && again.accuracy == repair.accuracy)
      let options = try TrainingOptions(after, path: target)
      #expect(options.bnMomentum == momentum && options.freezeStatistics == nil)
      let run = try TrainingRun(options, ClothingData(folder: images.folder))
      #expect(try run.restore(after, path: target) == TensorThreads.count)
    }

    @Test func exitStatusesSayWhatWasFound() throws {
      defer { images.remove() }
      try train { $0.freezeStatistics = 0 }
      func status(_ arguments: String...) throws -> Int32 {
        let command = try #require(
          NormaCommand.parseAsRoot(["doctor", "--data", images.folder] + arguments)
            as? DoctorCommand)
        do {
          try command.run()
          return 0
        } catch let code as ExitCode {
          return code.rawValue
        }
      }
      #expect(try status("--checkpoint", file, "--json") == 1)
      #expect(try status("--checkpoint", file + ".none") == 2)
      #expect(try status("--checkpoint", images.folder + "/t10k-labels-idx1-ubyte") == 2)
      var command = try self.command("--checkpoint", file)
      command.data = images.folder + "/none"
      #expect(throws: ExitCode(2)) { try command.run() }
      #expect(throws: (any Error).self) { try self.command("--checkpoint", file, "--count", "1") }
      #expect(throws: (any Error).self) { try self.command() }
      // A network of another program.
      var saved = try Checkpoint(contentsOf: file)
      saved.notes[TrainingOptions.note] = nil
      try saved.write(to: file)
      #expect { try patient() } throws: { "\($0)".contains("was not written by norma train") }
    }

    /// A repair that cannot be written leaves what was there.
    @Test func whatCannotBeWrittenIsSaid() throws {
      defer { images.remove() }
      try train { $0.epochs = 1 }
      let before = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(throws: FileError.self) {
        try patient().repaired(count: 8, to: images.folder + "/none/x.safetensors")
      }
      #expect(try Data(contentsOf: URL(fileURLWithPath: file)) == before)
    }
  }
}
