import NormaTensor
import Testing

@testable import NormaONNX

/// Operands of recurrent operators whose shapes are not those of the standard.
@Suite struct RecurrentOperatorTests {
  private func result(
    _ op: String, x: [Int] = [4, 2, 3], w: [Int], r: [Int], b: [Int]? = nil, p: [Int]? = nil
  ) throws -> [Tensor] {
    var constants: [(String, Tensor)] = [("w", .ones(w)), ("r", .ones(r))]
    if let b { constants.append(("b", .ones(b))) }
    if let p { constants.append(("p", .ones(p))) }
    let names = ["x", "w", "r", b == nil ? "" : "b"] + (p == nil ? [] : ["", "", "", "p"])
    let graph = TestGraph(
      nodes: [TestNode(op, names, ["y"], ints: ["hidden_size": 2])],
      inputs: [("x", 1, x.map { _ in -1 })], outputs: ["y"], constants: constants)
    return try graph.model()([Tensor.ones(x)])
  }

  @Test(arguments: [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
  func shapes(op: String, gates: Int) throws {
    let (w, r, b) = ([1, gates * 2, 3], [1, gates * 2, 2], [1, gates * 4])
    #expect(try result(op, w: w, r: r, b: b)[0].shape == [4, 1, 2, 2])
    let wrong: [(name: String, x: [Int], w: [Int], r: [Int], b: [Int])] = [
      ("X", [4, 2], w, r, b), ("W", [4, 2, 5], w, r, b), ("W", [4, 2, 3], [1, gates, 3], r, b),
      ("W", [4, 2, 3], [2, gates * 2, 3], r, b), ("W", [4, 2, 3], [1, 0, 3], r, b),
      ("R", [4, 2, 3], w, [1, gates * 2, 0], b), ("R", [4, 2, 3], w, [gates * 2, 2], b),
      ("R", [4, 2, 3], w, [2, gates * 2, 2], b),
      ("B", [4, 2, 3], w, r, [1, gates * 2]), ("B", [4, 2, 3], w, r, [gates * 4]),
    ]
    for one in wrong {
      let error = #expect(throws: ONNXError.self) {
        try result(op, x: one.x, w: one.w, r: one.r, b: one.b)
      }
      #expect(error?.description.contains("\(one.name) has shape") == true, "\(error as Any)")
    }
  }

  @Test func peepholes() throws {
    let (w, r) = ([1, 8, 3], [1, 8, 2])
    #expect(try result("LSTM", w: w, r: r, p: [1, 6])[0].shape == [4, 1, 2, 2])
    let error = #expect(throws: ONNXError.self) { try result("LSTM", w: w, r: r, p: [1, 2]) }
    #expect(error?.description.contains("P has shape [1, 2]") == true)
  }
}
