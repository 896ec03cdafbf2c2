import NormaTensor
import Testing

@testable import NormaONNX

/// Activations that are written as their steps run as one operator, with the same results.
@Suite struct ActivationPassTests {
  private static let numbers: [(name: String, value: Tensor)] = [
    ("half", Tensor(Float(0.5))), ("one", Tensor(Float(1))), ("two", Tensor(Float(2))),
    ("three", Tensor([Float(3)])), ("zero", Tensor(Float(0))), ("six", Tensor(Float(6))),
    ("sixth", Tensor(Float(1.0 / 6))), ("root", Tensor(Float(2).squareRoot())),
    ("rootHalf", Tensor(Float(0.5).squareRoot())), ("k", Tensor(Float(0.79788456))),
    ("c", Tensor(Float(0.044715))), ("beta", Tensor(Float(1.5))),
  ]

  /// Whether the graph runs as `op` alone, and equals itself without the pass.
  private func becomes(
    _ op: String?, _ nodes: [TestNode], outputs: [String] = ["y"], opset: Int = 18
  ) throws -> Bool {
    let graph = TestGraph(
      nodes: nodes, inputs: [("x", 1, [-1, -1]), ("z", 1, [-1, -1])], outputs: outputs,
      constants: Self.numbers)
    let (found, plain) = (
      try graph.model(opset: opset), try graph.model(opset: opset, options: .none)
    )
    let x = withSeed(3) { Tensor.randn(5, 40) * 4 }
    let z = withSeed(4) { Tensor.randn(5, 40) }
    let (a, b) = (try found([x, z]), try plain([x, z]))
    let isEqual = zip(a, b).allSatisfy { $0.allClose(to: $1, rtol: 1e-6, atol: 1e-6) }
    let titles = try found.evaluationSteps()
    let isAlone = op.map { titles == ["\($0) (y)"] } ?? (titles.count == nodes.count)
    #expect(isEqual, "\(op ?? "nothing"): \(titles)")
    return isAlone && isEqual
  }

  @Test func silu() throws {
    let gate = TestNode("Sigmoid", ["x"], ["s"])
    #expect(try becomes("Swish", [gate, TestNode("Mul", ["x", "s"], ["y"])]))
    #expect(try becomes("Swish", [gate, TestNode("Mul", ["s", "x"], ["y"])]))
    #expect(
      try becomes(
        "Swish",
        [
          TestNode("Mul", ["beta", "x"], ["b"]), TestNode("Sigmoid", ["b"], ["s"]),
          TestNode("Mul", ["x", "s"], ["y"]),
        ]))
    // The gate of another value, and a gate that is a result too.
    #expect(try becomes(nil, [gate, TestNode("Mul", ["z", "s"], ["y"])]))
    #expect(try becomes(nil, [gate, TestNode("Mul", ["x", "s"], ["y"])], outputs: ["y", "s"]))
  }

  @Test func hardSwish() throws {
    let sum = TestNode("Add", ["x", "three"], ["a"])
    let clip = TestNode("Clip", ["a", "zero", "six"], ["g"])
    let last = TestNode("Div", ["m", "six"], ["y"])
    #expect(
      try becomes("HardSwish", [sum, clip, TestNode("Mul", ["x", "g"], ["m"]), last]))
    #expect(
      try becomes(
        "HardSwish",
        [sum, clip, TestNode("Mul", ["g", "sixth"], ["m"]), TestNode("Mul", ["m", "x"], ["y"])]))
    #expect(
      try becomes(
        "HardSwish",
        [
          sum, TestNode("Clip", ["a"], ["g"], floats: ["min": 0, "max": 6]),
          TestNode("Mul", ["x", "g"], ["m"]), last,
        ], opset: 9))
    let isSlope = { (slope: Float) in
      [
        TestNode("HardSigmoid", ["x"], ["g"], floats: ["alpha": slope, "beta": 0.5]),
        TestNode("Mul", ["x", "g"], ["y"]),
      ]
    }
    #expect(try becomes("HardSwish", isSlope(1 / 6)))
    #expect(try becomes(nil, isSlope(0.2)))
    // Other bounds.
    #expect(
      try becomes(
        nil,
        [
          sum, TestNode("Clip", ["a", "zero", "three"], ["g"]),
          TestNode("Mul", ["x", "g"], ["m"]), last,
        ]))
  }

  @Test func geluOfErf() throws {
    for inner in [
      TestNode("Div", ["x", "root"], ["d"]), TestNode("Mul", ["rootHalf", "x"], ["d"]),
    ] {
      let gate = [
        inner, TestNode("Erf", ["d"], ["e"]), TestNode("Add", ["e", "one"], ["g"]),
      ]
      #expect(
        try becomes(
          "Gelu",
          gate + [TestNode("Mul", ["x", "g"], ["m"]), TestNode("Mul", ["m", "half"], ["y"])]
        ))
      #expect(
        try becomes(
          "Gelu",
          gate + [TestNode("Mul", ["half", "x"], ["m"]), TestNode("Mul", ["m", "g"], ["y"])]
        ))
      #expect(
        try becomes(
          "Gelu",
          gate + [TestNode("Mul", ["x", "g"], ["m"]), TestNode("Div", ["m", "two"], ["y"])]
        ))
      #expect(
        try becomes(
          nil, gate + [TestNode("Mul", ["x", "g"], ["m"]), TestNode("Mul", ["m", "two"], ["y"])]))
    }
  }

  @Test func geluOfTanh() throws {
    let cubes = [
      [TestNode("Pow", ["x", "three"], ["p"]), TestNode("Mul", ["p", "c"], ["q"])],
      [
        TestNode("Mul", ["x", "x"], ["p2"]), TestNode("Mul", ["p2", "x"], ["p"]),
        TestNode("Mul", ["c", "p"], ["q"]),
      ],
    ]
    for cube in cubes {
      #expect(
        try becomes(
          "Gelu",
          cube + [
            TestNode("Add", ["x", "q"], ["a"]), TestNode("Mul", ["a", "k"], ["t"]),
            TestNode("Tanh", ["t"], ["h"]), TestNode("Add", ["one", "h"], ["g"]),
            TestNode("Mul", ["half", "g"], ["m"]), TestNode("Mul", ["x", "m"], ["y"]),
          ]))
    }
  }

  @Test func softmax() throws {
    for (axis, opset) in [(0, 12), (1, 12), (-1, 17)] {
      let keeps = ["axes": [axis]]
      let steps = [
        TestNode("ReduceMax", ["x"], ["m"], lists: keeps), TestNode("Sub", ["x", "m"], ["d"]),
        TestNode("Exp", ["d"], ["e"]),
      ]
      let sum = TestNode("ReduceSum", ["e"], ["s"], lists: keeps)
      let last = TestNode("Div", ["e", "s"], ["y"])
      if opset == 12 {
        #expect(try becomes("Softmax", steps + [sum, last], opset: opset))
      } else {
        // The axes of this version's sum are an operand.
        let list = TestNode("ReduceSum", ["e", "axes"], ["s"])
        let graph = TestGraph(
          nodes: steps + [list, last], inputs: [("x", 1, [-1, -1])], outputs: ["y"],
          constants: [("axes", Tensor([Int64(axis)]))])
        let model = try graph.model(opset: opset)
        #expect(try model.evaluationSteps() == ["Softmax (y)"])
        let x = withSeed(5) { Tensor.randn(4, 7) }
        let plain = try graph.model(opset: opset, options: .none)
        #expect(try model([x])[0].allClose(to: plain([x])[0], rtol: 1e-6, atol: 1e-7))
      }
    }
  }

  @Test func gradientsPass() throws {
    let graph = TestGraph(
      nodes: [
        TestNode("Div", ["x", "root"], ["d"]), TestNode("Erf", ["d"], ["e"]),
        TestNode("Add", ["e", "one"], ["g"]), TestNode("Mul", ["x", "g"], ["m"]),
        TestNode("Mul", ["m", "half"], ["y"]),
      ],
      inputs: [("x", 1, [-1])], outputs: ["y"], constants: Self.numbers)
    let gradients = try [ONNXModel.Options(), .none].map { options in
      let x = Tensor([Float(-2), -0.5, 0, 1, 3]).requiringGradient()
      try graph.model(options: options)([x])[0].sum().backward()
      return try #require(x.grad)
    }
    #expect(gradients[0].allClose(to: gradients[1], rtol: 1e-5, atol: 1e-6))
  }
}
