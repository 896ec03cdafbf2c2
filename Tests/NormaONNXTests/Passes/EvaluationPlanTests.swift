import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

/// In evaluation without gradients fewer steps run, with the same results; elsewhere the graph runs
/// as it was written, and what was folded follows the weights.
@Suite struct EvaluationPlanTests {
  private static func norm(_ name: String, _ channels: Int) -> [(name: String, value: Tensor)] {
    [
      ("\(name).weight", .rand(channels) + 0.5), ("\(name).bias", .randn(channels)),
      ("\(name).mean", .randn(channels)), ("\(name).var", .rand(channels) + 0.5),
    ]
  }

  private static func normNode(_ name: String, _ x: String, _ y: String) -> TestNode {
    TestNode(
      "BatchNormalization",
      [x, "\(name).weight", "\(name).bias", "\(name).mean", "\(name).var"], [y])
  }

  /// A convolution, a batch norm, a factor and an offset.
  private func block() -> TestGraph {
    withSeed(11) {
      TestGraph(
        nodes: [
          TestNode("Conv", ["x", "w"], ["a"], lists: ["pads": [1, 1, 1, 1]]),
          Self.normNode("bn", "a", "b"), TestNode("Mul", ["b", "scale"], ["c"]),
          TestNode("Sub", ["shift", "c"], ["d"]), TestNode("Relu", ["d"], ["y"]),
        ],
        inputs: [("x", 1, [-1, 3, -1, -1])], outputs: ["y"],
        constants: [
          ("w", .randn(8, 3, 3, 3)), ("scale", .rand(8, 1, 1) + 0.5), ("shift", .randn(1, 8, 1, 1)),
        ] + Self.norm("bn", 8))
    }
  }

  private let images = withSeed(1) { Tensor.randn(2, 3, 12, 10) }

  /// The results with all passes and with none.
  private func both(_ graph: TestGraph, _ inputs: [Tensor]) throws -> ([Tensor], [Tensor]) {
    let (model, plain) = (try graph.model(), try graph.model(options: .none))
    model.eval()
    plain.eval()
    return try withoutGradients { (try model(inputs), try plain(inputs)) }
  }

  private func isNear(_ a: Tensor, _ b: Tensor) -> Bool {
    a.allClose(to: b, rtol: 1e-5, atol: 1e-5 * max(b.abs().max().item(), 1))
  }

  @Test func mapsOfChannelsFold() throws {
    let (found, wanted) = try both(block(), [images])
    #expect(isNear(found[0], wanted[0]))
    #expect(try block().model().evaluationSteps() == ["Conv (a)", "Relu (y)"])
    var options = ONNXModel.Options()
    options.foldsNorms = false
    #expect(try block().model(options: options).evaluationSteps().count == 5)
    #expect(try block().model(options: .none).evaluationSteps().count == 5)
  }

  @Test func otherProductsFold() throws {
    try withSeed(12) {
      let kinds: [(TestNode, Tensor, Tensor, channels: Int)] = [
        (
          TestNode("Conv", ["x", "w"], ["a"], ints: ["group": 2]), .randn(6, 2, 3), .randn(2, 4, 9),
          6
        ),
        (TestNode("ConvTranspose", ["x", "w"], ["a"]), .randn(4, 5, 3), .randn(2, 4, 9), 5),
        (
          TestNode("Gemm", ["x", "w"], ["a"], ints: ["transB": 1], floats: ["alpha": 0.5]),
          .randn(7, 4), .randn(3, 4), 7
        ),
        (TestNode("Gemm", ["x", "w", "offset"], ["a"]), .randn(4, 7), .randn(3, 4), 7),
      ]
      for (product, weight, x, channels) in kinds {
        let graph = TestGraph(
          nodes: [product, Self.normNode("bn", "a", "y")], inputs: [("x", 1, x.shape)],
          outputs: ["y"],
          constants: [("w", weight), ("offset", .randn(channels))] + Self.norm("bn", channels))
        let (found, wanted) = try both(graph, [x])
        #expect(isNear(found[0], wanted[0]), "\(product.op)")
        #expect(try graph.model().evaluationSteps().count == 1, "\(product.op)")
      }
      // A product of any rank takes factors, and no offsets.
      let graph = TestGraph(
        nodes: [
          TestNode("MatMul", ["x", "w"], ["a"]), TestNode("Div", ["a", "scale"], ["b"]),
          TestNode("Add", ["b", "scale"], ["y"]),
        ],
        inputs: [("x", 1, [2, 3, 4])], outputs: ["y"],
        constants: [("w", .randn(4, 6)), ("scale", .rand(6) + 0.5)])
      let (found, wanted) = try both(graph, [.randn(2, 3, 4)])
      #expect(isNear(found[0], wanted[0]))
      #expect(try graph.model().evaluationSteps().count == 2)
    }
  }

  /// A map along another axis, a product that has another use, and one that is a result.
  @Test func whatIsNoMapOfChannelsStays() throws {
    let convolution = TestNode("Conv", ["x", "w"], ["a"])
    let constants = withSeed(2) {
      [("w", Tensor.randn(3, 3, 1, 1)), ("columns", Tensor.randn(1, 1, 1, 3))]
        + Self.norm("bn", 3)
    }
    let x = withSeed(3) { Tensor.randn(2, 3, 4, 3) }
    let norm = Self.normNode("bn", "a", "y")
    let kinds: [([TestNode], [String])] = [
      ([TestNode("Mul", ["a", "columns"], ["y"])], ["y"]),
      ([norm, TestNode("Neg", ["a"], ["z"])], ["y", "z"]), ([norm], ["y", "a"]),
    ]
    for (nodes, outputs) in kinds {
      let graph = TestGraph(
        nodes: [convolution] + nodes, inputs: [("x", 1, x.shape)], outputs: outputs,
        constants: constants)
      let (found, wanted) = try both(graph, [x])
      #expect(zip(found, wanted).allSatisfy(isNear))
      #expect(try graph.model().evaluationSteps().count == nodes.count + 1)
    }
  }

  @Test func trainingRunsTheLayersAndFoldingFollows() throws {
    let (model, plain) = (try block().model(), try block().model(options: .none))
    for model in [model, plain] {
      model.eval()
      _ = try withoutGradients { try model([images]) }
      model.train()
      let y = try model([images])[0]
      (y * y).mean().backward()
      let optimizer = SGD(model.parameters, learningRate: 0.1)
      optimizer.step()
      model.eval()
    }
    for (own, other) in zip(model.namedParameters, plain.namedParameters) {
      #expect(own.name == other.name && isNear(own.parameter.value, other.parameter.value))
    }
    for (own, other) in zip(model.namedBuffers, plain.namedBuffers) {
      #expect(isNear(own.buffer.value, other.buffer.value))
    }
    let mean = try #require(model.namedBuffers.first { $0.name.hasSuffix("running_mean") })
    let initial = try #require(block().constants.first { $0.name == "bn.mean" })
    #expect(!isNear(mean.buffer.value, initial.value))
    let (found, wanted) = try withoutGradients {
      (try model([images])[0], try plain([images])[0])
    }
    #expect(isNear(found, wanted))
  }

  /// Each weight and each statistic, set alone.
  @Test func foldingFollowsEachNumber() throws {
    let (model, plain) = (try block().model(), try block().model(options: .none))
    model.eval()
    plain.eval()
    try withoutGradients {
      var last = try model([images])[0]
      for name in model.stateDict().keys where !name.hasSuffix("num_batches_tracked") {
        for model in [model, plain] {
          for (own, parameter) in model.namedParameters where own == name {
            parameter.value = parameter.value.detached() * 1.5
          }
          for (own, buffer) in model.namedBuffers where own == name {
            buffer.value = buffer.value * 1.5
          }
        }
        let next = try model([images])[0]
        #expect(try isNear(next, plain([images])[0]), "\(name)")
        #expect(!isNear(next, last), "\(name)")
        last = next
      }
    }
  }

  @Test func observedNormsRun() throws {
    let model = try block().model()
    model.eval()
    try withoutGradients {
      _ = try model([images])
      let calls = try model.calls { _ = try model([images]) }
      #expect(calls.contains { $0 is BatchNorm })
      let norm = try #require(model.namedModules.compactMap { $0.module as? BatchNorm }.first)
      var seen = 0
      norm.intercept = { x, _ in
        seen += 1
        return x
      }
      _ = try model([images])
      norm.intercept = nil
      #expect(seen == 1)
      // A layer that is in training mode alone normalizes with its batch.
      let before = norm.runningMean?.value
      norm.train()
      _ = try model([images])
      let (old, new) = (try #require(before), try #require(norm.runningMean?.value))
      #expect(!isNear(new, old))
    }
  }

  @Test func frozenNetworksFoldThoughGradientsAreOn() throws {
    let (model, plain) = (try block().model(), try block().model(options: .none))
    for model in [model, plain] {
      model.freeze()
      model.eval()
    }
    #expect(try isNear(model([images])[0], plain([images])[0]))
    let (x, other) = (images.requiringGradient(), images.requiringGradient())
    try model([x])[0].sum().backward()
    try plain([other])[0].sum().backward()
    let gradients = (try #require(x.grad), try #require(other.grad))
    #expect(isNear(gradients.0, gradients.1))
  }

  @Test func damagedChannelsStayWhatTheyAre() throws {
    var graph = block()
    let index = try #require(graph.constants.firstIndex { $0.name == "bn.var" })
    graph.constants[index].value = Tensor([Float(1), 1, -1, 1, 1, 1, 1, 1])
    let (found, wanted) = try both(graph, [images])
    #expect(found[0].allClose(to: wanted[0], rtol: 0, atol: 0, equalNaN: true))
    let channel = found[0].selected(over: 1, at: 2)
    #expect(channel.isNaN().all().item() == 1)
  }

  /// Values of the outer graph, in branches that fold and prepare for themselves.
  @Test func branchesSeeWhatPassesMade() throws {
    try withSeed(21) {
      let folded = TestGraph(
        nodes: [
          TestNode("Transpose", ["w"], ["t"], lists: ["perm": [1, 0, 2, 3]]),
          TestNode("Conv", ["same", "t"], ["a"]), Self.normNode("bn", "a", "b"),
          TestNode("Identity", ["b"], ["t1"]),
        ],
        outputs: ["t1"])
      let other = TestGraph(
        nodes: [TestNode("Add", ["outer", "same"], ["o"])], outputs: ["o"])
      let graph = TestGraph(
        nodes: [
          TestNode("Conv", ["x", "w"], ["c"]), Self.normNode("norm", "c", "outer"),
          TestNode("Identity", ["x"], ["same"]), TestNode("Dropout", ["outer"], ["kept"]),
          TestNode("If", ["flag"], ["y"], graphs: ["then_branch": folded, "else_branch": other]),
          TestNode("Relu", ["kept"], ["z"]),
        ],
        inputs: [("x", 1, [-1, 3, -1, -1]), ("flag", 9, [])], outputs: ["y", "z", "same"],
        constants: [("w", .randn(3, 3, 1, 1))] + Self.norm("bn", 3) + Self.norm("norm", 3))
      for flag in [true, false] {
        let (found, wanted) = try both(graph, [images, Tensor(flag)])
        #expect(zip(found, wanted).allSatisfy(isNear))
      }
      #expect(try graph.model().evaluationSteps().count == 3)
    }
  }

  @Test func loopsRunOnWhatPassesMade() throws {
    let body = TestGraph(
      nodes: [
        TestNode("Transpose", ["w"], ["t"]), TestNode("MatMul", ["s", "t"], ["p"]),
        TestNode("Mul", ["p", "half"], ["next"]), TestNode("Identity", ["go"], ["again"]),
        TestNode("Identity", ["next"], ["seen"]),
      ],
      inputs: [("i", 7, []), ("go", 9, []), ("s", 1, [])], outputs: ["again", "next", "seen"])
    let graph = TestGraph(
      nodes: [TestNode("Loop", ["n", "", "x"], ["last", "all"], graphs: ["body": body])],
      inputs: [("n", 7, []), ("x", 1, [2, 3])], outputs: ["last", "all"],
      constants: withSeed(8) { [("w", .randn(3, 3)), ("half", Tensor([Float(0.5)]))] })
    let x = withSeed(9) { Tensor.randn(2, 3) }
    let (found, wanted) = try both(graph, [Tensor(Int64(3)), x])
    #expect(zip(found, wanted).allSatisfy(isNear))
  }

  @Test func scansRunOnWhatPassesMade() throws {
    let body = TestGraph(
      nodes: [
        TestNode("Transpose", ["w"], ["t"]), TestNode("MatMul", ["s", "t"], ["p"]),
        TestNode("Add", ["p", "row"], ["q"]), TestNode("Mul", ["q", "half"], ["next"]),
        TestNode("Identity", ["next"], ["seen"]),
      ],
      inputs: [("s", 1, []), ("row", 1, [])], outputs: ["next", "seen"])
    let graph = TestGraph(
      nodes: [
        TestNode(
          "Scan", ["x", "rows"], ["last", "all"], ints: ["num_scan_inputs": 1],
          graphs: ["body": body])
      ],
      inputs: [("x", 1, [2, 3]), ("rows", 1, [4, 2, 3])], outputs: ["last", "all"],
      constants: withSeed(8) { [("w", .randn(3, 3)), ("half", Tensor([Float(0.5)]))] })
    let (x, rows) = withSeed(9) { (Tensor.randn(2, 3), Tensor.randn(4, 2, 3)) }
    let (found, wanted) = try both(graph, [x, rows])
    #expect(zip(found, wanted).allSatisfy(isNear))
    var state = x
    let weights = withSeed(8) { Tensor.randn(3, 3) }
    for step in 0..<4 { state = (state.matmul(weights.transposed()) + rows[step]) * 0.5 }
    #expect(isNear(found[0], state) && found[1].shape == [4, 2, 3])
  }

  /// Nothing that a user could do about it is reported as missing.
  @Test func foldingReportsWhoFolds() throws {
    for foldsNorms in [true, false] {
      var options = ONNXModel.Options()
      options.foldsNorms = foldsNorms
      let model = try block().model(options: options)
      model.eval()
      let before = try withoutGradients { try model([images])[0] }
      let report = foldBatchNorms(inside: model) { (try? model([images])[0]) ?? .zeros(0) }
      #expect(report.folds.isEmpty && report.rest.count == 1)
      #expect(report.rest[0].reason.contains("option foldsNorms is off") == !foldsNorms)
      #expect(report.rest[0].reason.hasPrefix("an ONNX model folds norms by itself"))
      #expect(isNear(try withoutGradients { try model([images])[0] }, before))
    }
  }

  @Test func dropoutActsInTrainingAlone() throws {
    let graph = TestGraph(
      nodes: [TestNode("Dropout", ["x"], ["d"]), TestNode("Neg", ["d"], ["y"])],
      inputs: [("x", 1, [-1])], outputs: ["y"])
    let model = try graph.model()
    #expect(try model.evaluationSteps() == ["Neg (y)"])
    model.eval()
    #expect(try model([.ones(100)])[0].isEqual(to: -Tensor.ones(100)))
    model.train()
    let dropped = try withSeed(1) { try model([.ones(100)])[0] }
    #expect((dropped .== 0).cast(to: .float32).sum().item() > 20)
  }
}
