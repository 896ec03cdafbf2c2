import Foundation
import NormaFiles
import NormaNN
import NormaTensor
import Testing

@testable import NormaConformance

/// The runner of networks with a known defect, on folders made here.
@Suite struct DoctorCaseTests {
  static let architecture = """
    {"layers": [
      {"name": "conv1", "kind": "Conv2d",
        "options": {"in_channels": 2, "out_channels": 4, "kernel_size": 3, "padding": 1}},
      {"name": "bn1", "kind": "BatchNorm2d", "options": {"num_features": 4}},
      {"name": "relu1", "kind": "ReLU", "options": {}},
      {"name": "gap", "kind": "AdaptiveAvgPool2d", "options": {"output_size": 1}},
      {"name": "flatten", "kind": "Flatten", "options": {}},
      {"name": "fc1", "kind": "Linear", "options": {"in_features": 4, "out_features": 3}},
      {"name": "bn2", "kind": "BatchNorm1d", "options": {"num_features": 3, "momentum": null}}
    ], "training": {"batches": 1, "batch_size": 32}}
    """

  /// A folder with one network whose statistics are right but for what `change` does to them.
  static func withCase(
    _ truth: String, change: (inout StateDict) -> Void = { _ in },
    _ body: (ConformanceReport) -> Void
  ) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    let inside = folder.appending(path: "a-case")
    try FileManager.default.createDirectory(at: inside, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let network = try DoctorNetwork(JSON.parse([UInt8](Self.architecture.utf8)))
    let batch = (Tensor.randn(32, 2, 6, 6) * 3 + 4).evaluated()
    try recalibrate(network, over: [batch])
    var state = network.stateDict()
    change(&state)
    try SafeTensors.write(state, to: inside.appending(path: "model.safetensors").path)
    try batch.write(npy: inside.appending(path: "batch.npy").path)
    for (name, text) in [("arch", Self.architecture), ("truth", truth)] {
      try text.write(
        to: inside.appending(path: "\(name).json"), atomically: true, encoding: .utf8)
    }
    body(try runDoctorCases(in: folder.path))
  }

  @Test func rightAnswersPass() throws {
    try Self.withCase(#"{"defect": null, "layers": []}"#) { report in
      #expect(report.passed == 1 && report.failures.isEmpty, "\(report.text)")
    }
    let truth =
      #"{"defect": "negative-running-variance", "layers": ["bn2"], "channels": {"bn2": [1]}}"#
    try Self.withCase(
      truth, change: { $0["bn2.running_var"] = Tensor([1, -1, 1] as [Float]) }
    ) { report in
      #expect(report.passed == 2 && report.failures.isEmpty, "\(report.text)")
    }
    // A state without running statistics keeps the initial values.
    try Self.withCase(
      #"{"defect": "never-trained-statistics", "layers": ["bn1"]}"#,
      change: { state in for key in ["mean", "var"] { state["bn1.running_\(key)"] = nil } }
    ) { report in
      #expect(report.passed == 2, "\(report.text)")
    }
  }

  @Test func wrongAnswersFail() throws {
    try Self.withCase(#"{"defect": "double-update", "layers": ["bn1"]}"#) { report in
      #expect(report.passed == 0 && report.failures.count == 2)
      #expect(report.text.contains("FAILED a-case: found [], known is double-update"))
    }
    for named in [#"["bn1"], "channels": null"#, #"["bn2"], "channels": {"bn2": [0]}"#] {
      try Self.withCase(
        #"{"defect": "negative-running-variance", "layers": \#(named)}"#,
        change: { $0["bn2.running_var"] = Tensor([1, -1, 1] as [Float]) }
      ) { report in
        #expect(report.passed == 1 && report.failures.count == 1, "\(report.text)")
      }
    }
    try Self.withCase(#"{"defect": null}"#, change: { $0["bn1.weight"] = .ones(9) }) { report in
      #expect(report.failures.count == 1 && report.text.contains("misshapen"), "\(report.text)")
    }
  }
}
