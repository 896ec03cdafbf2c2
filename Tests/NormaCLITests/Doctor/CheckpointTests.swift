import ArgumentParser
import Foundation
import Norma
import Testing

@testable import NormaCLI

/// `norma doctor` on third-party files.
@Suite struct `A checkpoint that the doctor gets` {
  /// The fixtures of the readers, written by torch.
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../NormaFilesTests/Fixtures").path

  private func status(_ arguments: String...) throws -> Int32 {
    let command = try NormaCommand.parseAsRoot(["doctor"] + arguments) as? DoctorCommand
    do {
      try #require(command).run()
      return 0
    } catch let exit as ExitCode {
      return exit.rawValue
    } catch {
      return NormaCommand.exitCode(for: error).rawValue
    }
  }

  @Test func `is read where torch.save wrote it, and its model is found`() throws {
    let path = Self.folder + "/training.pt"
    let report = try #require(try CheckpointReport(file: path))
    #expect(report.format == .pytorch && report.diagnosis.container == "state_dict")
    #expect(report.otherParts.contains("optimizer_states"))
    #expect(
      report.diagnosis.findings.map(\.name) == [
        "statistics-not-converged", "state-within-state",
      ])
    let text = report.text(style: Terminal.style, showsAll: false)
    #expect(text.contains("[\"state_dict\"]") && text.contains("norma capture --script"))
    let json = try encoded(report)
    for key in ["file", "format", "diagnosis", "otherParts", "limits", "capture"] {
      #expect(json.contains("\"\(key)\""))
    }
  }

  @Test func `ends with a status`() throws {
    let path = NSTemporaryDirectory() + "norma-\(UUID().uuidString).safetensors"
    defer { try? FileManager.default.removeItem(atPath: path) }
    var state = withSeed(1) { BatchNorm2d(8).stateDict() }
    state["running_mean"] = withSeed(2) { Tensor.randn(8) }
    state["running_var"] = withSeed(3) { Tensor.rand(8) + 0.1 }
    state["num_batches_tracked"] = Tensor.full([], 500, dtype: .int64)
    try SafeTensors.write(state, to: path)
    #expect(try status(path) == 0)
    #expect(try status(path, "--json") == 0)
    #expect(try status(path, "--repair", "x") == 64)
    let page = NSTemporaryDirectory() + "norma-\(UUID().uuidString).html"
    defer { try? FileManager.default.removeItem(atPath: page) }
    #expect(try status(path, "--html", page) == 0)
    let html = try String(contentsOfFile: page, encoding: .utf8)
    #expect(html.contains("a safetensors file") && html.contains("What a checkpoint does not show"))
    state["running_var"] = Tensor.full([8], -1)
    try SafeTensors.write(state, to: path)
    #expect(try status(path) == 1)
    for name in ["refused-system.pt", "refused-module.pt", "refused-empty.pt", "list.pt", "none"] {
      #expect(try status("\(Self.folder)/\(name)") == 2, "\(name)")
    }
  }
}
