import Foundation
import Norma
import NormaONNX
import Testing

@testable import NormaCLI

/// `norma run`, and `norma inspect` on ONNX models.
@Suite struct RunTests {
  @Test func writesTheResultsOfTheModel() throws {
    try SmallModel.with { model in
      let x = SmallModel.pictures(3, seed: 1)
      let file = try model.file("x", x)
      let results = model.folder + "/results"
      #expect(
        exitStatus("run", model.path, "--input", "input=\(file)", "--output", results) == 0)
      let found = try Tensor(npy: results + "/output.npy")
      let network = try ONNXModel(contentsOf: model.path)
      network.eval()
      let wanted = try withoutGradients { try network([x])[0] }
      #expect(found.isEqual(to: wanted) && found.shape == [3, 4])
      #expect(exitStatus("run", model.path) == 0)
      #expect(exitStatus("run", model.path, "--input", "input=\(file)", "--time", "1") == 0)
    }
  }

  /// Real numbers of another type are converted.
  @Test func convertsTypesOfTheSameKind() throws {
    try SmallModel.with { model in
      let wide = try model.file("x", SmallModel.pictures(2, seed: 1).cast(to: .float64))
      #expect(exitStatus("run", model.path, "--input", "input=\(wide)") == 0)
      let whole = try model.file("n", Tensor.ones(2, 3, 8, 8, dtype: .int64))
      #expect(exitStatus("run", model.path, "--input", "input=\(whole)") == 1)
    }
  }

  @Test func wrongInputs() throws {
    try SmallModel.with { model in
      let x = try model.file("x", SmallModel.pictures(2, seed: 1))
      #expect(exitStatus("run", model.path, "--input", "other=\(x)") == 1)
      #expect(exitStatus("run", model.path, "--input", x) == 64)
      #expect(
        exitStatus("run", model.path, "--input", "input=\(x)", "--input", "input=\(x)") == 64)
      #expect(exitStatus("run", model.path, "--input", "input=\(model.folder)/none.npy") == 1)
      #expect(exitStatus("run", x, "--input", "input=\(x)") == 1)
    }
  }

  @Test func inspectShowsTheGraphAndItsNorms() throws {
    try SmallModel.with { model in
      let found = try FileInspection.of(model.path, withValues: true)
      #expect(found.kind == "an ONNX model" && found.graph?.unsupported == [])
      #expect(found.graph?.operators["BatchNormalization"] == 2)
      #expect(found.graph?.inputs == ["input: float32 [batch, 3, 8, 8]"])
      #expect(found.normalizations.map(\.name) == ["1", "4"])
      #expect(found.tensors.contains { $0.name == "8.weight" && $0.values != nil })
      let text = found.text(style: TextStyle(width: 80), showsAll: true)
      #expect(text.contains("everything in it is supported") && text.contains("opset 18"))
      #expect(exitStatus("inspect", model.path, "--json") == 0)
    }
  }
}
