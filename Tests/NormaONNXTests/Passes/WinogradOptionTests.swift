import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

/// Convolutions of a model run by Winograd's algorithm in evaluation without gradients, where
/// oneDNN has it.
@Suite struct WinogradOptionTests {
  private let x = withSeed(1) { Tensor.randn(2, 64, 20, 20).relu().evaluated() }

  private func model(_ usesWinograd: Bool) throws -> ONNXModel {
    let graph = withSeed(2) {
      TestGraph(
        nodes: [
          TestNode("Conv", ["x", "w", "b"], ["a"], lists: ["pads": [1, 1, 1, 1]]),
          TestNode("Relu", ["a"], ["y"]),
        ],
        inputs: [("x", 1, [-1, 64, -1, -1])], outputs: ["y"],
        constants: [("w", Tensor.randn(64, 64, 3, 3) * 0.05), ("b", .randn(64))])
    }
    var options = ONNXModel.Options()
    options.usesWinograd = usesWinograd
    return try graph.model(options: options)
  }

  private func runs(_ model: ONNXModel, _ body: () throws -> Tensor) rethrows -> Int {
    let (_, steps) = try ExecutionLog.recording { try body().evaluated() }
    return steps.count { $0.traits.contains(.winograd) }
  }

  @Test func evaluationAloneUsesIt() throws {
    let hasWinograd =
      runs(try model(true)) {
        withWinograd { conv2d(x, weight: Tensor.zeros(64, 64, 3, 3), padding: 1) }
      } == 1
    for usesWinograd in [false, true] {
      let model = try model(usesWinograd)
      model.eval()
      let expected = usesWinograd && hasWinograd ? 1 : 0
      #expect(try runs(model) { try withoutGradients { try model([x])[0] } } == expected)
      #expect(try runs(model) { try model([x])[0] } == 0)
      model.train()
      #expect(try runs(model) { try withoutGradients { try model([x])[0] } } == 0)
    }
  }

  @Test func resultsAreThoseOfTheGraph() throws {
    let (fast, plain) = (try model(true), try model(false))
    for model in [fast, plain] { model.eval() }
    try withoutGradients {
      for call in 0..<4 {
        let (own, expected) = (try fast([x])[0], try plain([x])[0])
        #expect((own - expected).abs().max().item() < 2e-5, "call \(call)")
      }
      #expect(fast.areCallsRepeated)
      // A repeated call, too, computes again what is not finite.
      var broken = x.contiguous()
      broken[1, 5, 7, 7] = Tensor(Double.nan)
      let (own, expected) = (try fast([broken])[0], try plain([broken])[0])
      #expect(own.isNaN().isEqual(to: expected.isNaN()))
      #expect(own.isNaN().cast(to: .int64).sum().item() == 9 * 64)
    }
  }
}
