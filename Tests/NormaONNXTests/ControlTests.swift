import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

@Suite struct ControlTests {
  @Test func branchesSeeValuesAndWeightsOfTheOuterGraph() throws {
    let twice = TestGraph(nodes: [TestNode("Add", ["a", "a"], ["t"])], outputs: ["t"])
    let weighted = TestGraph(nodes: [TestNode("Mul", ["a", "w"], ["e"])], outputs: ["e"])
    let graph = TestGraph(
      nodes: [
        TestNode("Neg", ["x"], ["a"]),
        TestNode("If", ["c"], ["y"], graphs: ["then_branch": twice, "else_branch": weighted]),
      ],
      inputs: [("x", 1, [2]), ("c", 9, [])], outputs: ["y"],
      constants: [("w", Tensor([Float(3), 5]))])
    let model = try graph.model()
    let x = Tensor([Float(1), 2])
    let yes = try model(["x": x, "c": Tensor(true)])
    #expect(try #require(yes["y"]).array(of: Float.self) == [-2, -4])
    let no = try #require(try model(["x": x, "c": Tensor(false)])["y"])
    #expect(no.array(of: Float.self) == [-3, -10])
    no.sum().backward()
    let weight = try #require(model.namedParameters.first { $0.name == "w" })
    #expect(weight.parameter.grad?.array(of: Float.self) == [-1, -2])
  }

  /// A model without owners gives its weights back, those of its inner graphs too.
  @Test func modelsAreReleased() throws {
    let inner = TestGraph(
      nodes: [TestNode("MatMul", ["x", "v"], ["t"])], outputs: ["t"],
      constants: [("v", Tensor([[Float(3), 5], [1, 2]]))])
    let graph = TestGraph(
      nodes: [
        TestNode("If", ["c"], ["z"], graphs: ["then_branch": inner, "else_branch": inner]),
        TestNode("MatMul", ["z", "w"], ["y"]),
      ],
      inputs: [("x", 1, [1, 2]), ("c", 9, [])], outputs: ["y"],
      constants: [("w", Tensor([[Float(3), 5], [1, 2]]))])
    weak var model: ONNXModel?
    weak var weight: Parameter?
    func open() throws {
      let opened = try graph.model()
      (model, weight) = (opened, opened.namedParameters.first?.parameter)
      #expect(weight != nil)
      for isTraining in [true, false] {
        isTraining ? opened.train() : opened.eval()
        _ = try withoutGradients { try opened(["x": .ones(1, 2), "c": Tensor(true)]) }
      }
    }
    try open()
    #expect(model == nil && weight == nil)
  }

  /// Numbers that no arithmetic on counts can take.
  @Test func absurdCountsRefuse() {
    let body = TestGraph(
      nodes: [TestNode("Identity", ["s"], ["seen"])], inputs: [("s", 1, [])], outputs: ["seen"])
    for count in [Int.min, Int.max, -1, 7] {
      let graph = TestGraph(
        nodes: [
          TestNode(
            "Scan", ["x"], ["y"], ints: ["num_scan_inputs": count], graphs: ["body": body])
        ],
        inputs: [("x", 1, [2])], outputs: ["y"])
      #expect(throws: ONNXError.self) { try graph.model() }
    }
  }

  @Test func loopsCarryStateAndCollect() throws {
    let body = TestGraph(
      nodes: [
        TestNode("Mul", ["s", "two"], ["next"]), TestNode("Identity", ["go"], ["again"]),
        TestNode("Identity", ["next"], ["seen"]),
      ],
      inputs: [("i", 7, []), ("go", 9, []), ("s", 1, [])], outputs: ["again", "next", "seen"])
    let graph = TestGraph(
      nodes: [TestNode("Loop", ["n", "", "x"], ["last", "all"], graphs: ["body": body])],
      inputs: [("n", 7, []), ("x", 1, [])], outputs: ["last", "all"],
      constants: [("two", Tensor(Float(2)))])
    let results = try graph.model()([Tensor(Int64(4)), Tensor(Float(1))])
    #expect(results[0].item() == 16)
    #expect(results[1].array(of: Float.self) == [2, 4, 8, 16])
  }
}
