import ArgumentParser
import Foundation
import NormaExplain
import NormaFiles
import NormaTensor
import Testing

@testable import NormaCLI

/// `norma doctor` on captures that norma_capture.py wrote: Tools/make-capture-fixtures.py.
@Suite struct CaptureDoctorTests {
  private static func fixture(_ name: String) -> String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .deletingLastPathComponent()
      .appendingPathComponent("Fixtures/\(name).safetensors").path
  }

  private func status(_ arguments: String...) throws -> Int32 {
    let command = try #require(
      NormaCommand.parseAsRoot(["doctor"] + arguments + ["--json"]) as? DoctorCommand)
    do {
      try command.run()
      return 0
    } catch let code as ExitCode {
      return code.rawValue
    }
  }

  private func withFile<R>(_ body: (String) throws -> R) rethrows -> R {
    let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).safetensors").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(path)
  }

  @Test func exitStatusesSayWhatWasFound() throws {
    #expect(try status(Self.fixture("healthy")) == 0)
    #expect(try status(Self.fixture("own-norms")) == 0)
    #expect(try status(Self.fixture("lost")) == 1)
    #expect(try status(Self.fixture("other-data")) == 1)
    #expect(try status(Self.fixture("none")) == 2)
    // Captures of two networks, whose layers have other names.
    #expect(try status(Self.fixture("lost"), "--train", Self.fixture("healthy")) == 2)
    #expect(try status(Self.fixture("lost"), "--repair", "/none/there/fixed.safetensors") == 2)
    // Nothing has running statistics here.
    try withFile { path in
      let found = try status(Self.fixture("own-norms"), "--repair", path)
      #expect(found == 2)
      #expect(!FileManager.default.fileExists(atPath: path))
    }
  }

  @Test func healthyNetworksAreClean() throws {
    let report = try CaptureReport(file: Self.fixture("healthy"), training: nil, repair: nil)
    #expect(report.diagnosis.findings.isEmpty && report.diagnosis.layers.count == 2)
    let text = report.text(style: Terminal.style, showsAll: false)
    #expect(text.contains("Healthy") && !text.contains("--repair"), "\(text)")
  }

  /// A second capture distinguishes other data from other statistics.
  @Test func dataOfTrainingDecide() throws {
    let file = Self.fixture("other-data")
    let alone = try CaptureReport(file: file, training: nil, repair: nil).diagnosis
    let first = try #require(alone.findings.first)
    #expect(first.defect == .domainShift && first.alternatives.count >= 2, "\(alone)")
    let decided = try CaptureReport(file: file, training: Self.fixture("training"), repair: nil)
      .diagnosis
    let certain = try #require(decided.findings.first)
    #expect(certain.defect == .domainShift && certain.alternatives.isEmpty, "\(decided)")
    #expect(certain.evidence.contains { $0.contains("fit the data of the second capture") })
  }

  /// The repair contains the statistics of the batch under the names of the state, and no problems
  /// remain.
  @Test(arguments: [nil, "training"] as [String?])
  func repairsHoldTheStatisticsOfTheirData(training: String?) throws {
    let file = Self.fixture(training == nil ? "lost" : "other-data")
    try withFile { path in
      let report = try CaptureReport(
        file: file, training: training.map(Self.fixture), repair: path)
      let repair = try #require(report.repair)
      #expect(repair.layers == 2 && repair.samples == 64)
      #expect(repair.isTraining == (training != nil))
      #expect(repair.pytorch.contains { $0.contains("load_file(\"\(path)\")") })
      let text = report.text(style: Terminal.style, showsAll: false)
      #expect(text.contains("prepared as in training. To load") == (training == nil), "\(text)")

      let state = try SafeTensors(contentsOf: path).tensors()
      let source = try NetworkCapture(contentsOf: training.map(Self.fixture) ?? file)
      #expect(state.count == 6)
      var repaired = source
      for index in source.layers.indices {
        let layer = source.layers[index]
        let prefix = training == nil ? "module." : ""
        #expect(layer.name.hasPrefix(prefix + "norm"))
        let mean = try #require(state[layer.name + ".running_mean"])
        let variance = try #require(state[layer.name + ".running_var"])
        let total = try #require(layer.batch).total
        for (c, value) in mean.array(of: Double.self).enumerated() {
          #expect(abs(value - total.mean[c]) <= 1e-6)
        }
        for (c, value) in variance.array(of: Double.self).enumerated() {
          #expect(abs(value / total.variance(correction: 1)[c] - 1) < 1e-6)
        }
        #expect(state[layer.name + ".num_batches_tracked"]?.dtype == .int64)
        (repaired.layers[index].runningMean, repaired.layers[index].runningVariance) =
          (mean, variance)
        // The samples of the output are those of the old statistics.
        repaired.layers[index].y = nil
      }
      #expect(repaired.diagnosis().findings.isEmpty)
      #expect(repaired.diagnosis().layers.allSatisfy { $0.gap < 1e-6 })
    }
  }

  /// Custom classes: one computes what RMSNorm does, one layer norm with n - 1.
  @Test func ownClassesAreComparedWithTheFormulasThatTheyMayHave() throws {
    let found = try CaptureReport(file: Self.fixture("own-norms"), training: nil, repair: nil)
      .diagnosis
    #expect(found.formulas.map(\.kind) == ["RMSNorm", "LayerNorm"])
    #expect(found.formulas.map(\.isOff) == [false, true])
    let finding = try #require(found.findings.first)
    #expect(found.findings.count == 1 && found.isHealthy)
    #expect(finding.defect == .differentFormula && finding.severity == .note)
    #expect(finding.layers == ["norm2"])
    #expect(finding.evidence.contains { $0.hasPrefix("correction: in HandWrittenNorm, n - 1") })
    #expect("\(found)".contains("Healthy, with a note"))
  }
}
