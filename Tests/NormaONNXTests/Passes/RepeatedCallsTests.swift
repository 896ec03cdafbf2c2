import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

/// From the third call with the same shapes on, recorded kernels run: with the bits of the graph,
/// on the weights of the moment, and never where the graph might go another way.
@Suite struct RepeatedCallsTests {
  private func network() -> TestGraph {
    withSeed(5) {
      TestGraph(
        nodes: [
          TestNode("Conv", ["x", "w"], ["a"], lists: ["pads": [1, 1, 1, 1]]),
          TestNode("Relu", ["a"], ["b"]),
          TestNode("MaxPool", ["b"], ["c"], lists: ["kernel_shape": [2, 2], "strides": [2, 2]]),
          TestNode("GlobalAveragePool", ["c"], ["d"]), TestNode("Flatten", ["d"], ["e"]),
          TestNode("MatMul", ["e", "v"], ["f"]), TestNode("Softmax", ["f"], ["y"]),
          TestNode("Shape", ["c"], ["s"]),
        ],
        inputs: [("x", 1, [-1, 3, -1, -1])], outputs: ["y", "c", "s"],
        constants: [("w", .randn(32, 3, 3, 3)), ("v", .randn(32, 10))])
    }
  }

  private func model(_ graph: TestGraph, repeats: Bool) throws -> ONNXModel {
    var options = ONNXModel.Options()
    options.repeatsCalls = repeats
    let model = try graph.model(options: options)
    model.eval()
    return model
  }

  private func images(_ seed: Int, _ shape: [Int] = [2, 3, 24, 20]) -> Tensor {
    withSeed(seed) { .randn(shape) }
  }

  private func results(_ model: ONNXModel, _ inputs: Tensor...) throws -> [Tensor] {
    try withoutGradients { try model(inputs) }
  }

  @Test func callsHaveTheBitsOfTheGraph() throws {
    let (model, plain) = (try model(network(), repeats: true), try model(network(), repeats: false))
    func compare(_ x: Tensor) throws {
      let (found, wanted) = (try results(model, x), try results(plain, x))
      for (found, wanted) in zip(found, wanted) { #expect(found.isEqual(to: wanted)) }
    }
    for seed in 1...5 { try compare(images(seed)) }
    #expect(try results(model, images(1))[2].array(of: Int.self) == [2, 32, 12, 10])
    #expect(model.areCallsRepeated)
    #expect(!plain.areCallsRepeated)
    // Views and other shapes are other calls.
    let large = images(7, [2, 3, 24, 40])
    for _ in 0..<4 {
      try compare(large)
      try compare(large[0..<2, 0..<3, 0..<24, 5..<25])
      try compare(images(8, [1, 3, 10, 10]))
    }
  }

  @Test func weightsAreThoseOfTheMoment() throws {
    let (model, plain) = (try model(network(), repeats: true), try model(network(), repeats: false))
    let x = images(1)
    for round in 0..<3 {
      for _ in 0..<4 {
        let (found, wanted) = (try results(model, x)[0], try results(plain, x)[0])
        #expect(found.isEqual(to: wanted), "round \(round)")
      }
      #expect(model.areCallsRepeated)
      for network in [model, plain] {
        for (_, parameter) in network.namedParameters { parameter.value = parameter.value * 1.5 }
      }
    }
    // An optimizer that uses the memory of weights again.
    for network in [model, plain] {
      network.train()
      let optimizer = AdamW(network.parameters, learningRate: 0.1)
      for _ in 0..<3 {
        optimizer.zeroGrad()
        try network([x])[0].squared().sum().backward()
        optimizer.step()
      }
      network.eval()
    }
    for _ in 0..<4 {
      let (found, wanted) = (try results(model, x)[0], try results(plain, x)[0])
      #expect(found.isEqual(to: wanted))
    }
  }

  /// The state of layers that nothing folds, and weights of inner graphs, belong to the weights.
  @Test func stateOfLayersIsThatOfTheMoment() throws {
    let inner = TestGraph(
      nodes: [TestNode("Mul", ["b", "u"], ["t"])], outputs: ["t"],
      constants: [("u", Tensor([Float(3), 5]))])
    let graph = TestGraph(
      nodes: [
        TestNode("BatchNormalization", ["x", "bn.weight", "bn.bias", "bn.mean", "bn.var"], ["a"]),
        TestNode("LayerNormalization", ["a", "ln.weight", "ln.bias"], ["b"]),
        TestNode("If", ["c"], ["y"], graphs: ["then_branch": inner, "else_branch": inner]),
      ],
      inputs: [("x", 1, [3, 2]), ("c", 9, [])], outputs: ["y"],
      constants: [
        ("bn.weight", .rand(2)), ("bn.bias", .rand(2)), ("bn.mean", .rand(2)),
        ("bn.var", .rand(2)), ("ln.weight", .rand(2)), ("ln.bias", .rand(2)),
      ])
    let (model, plain) = (try model(graph, repeats: true), try model(graph, repeats: false))
    let (x, yes) = (images(1, [3, 2]), Tensor(true))
    func compare() throws {
      for _ in 0..<4 {
        let (found, wanted) = (try results(model, x, yes)[0], try results(plain, x, yes)[0])
        #expect(found.isEqual(to: wanted))
      }
      #expect(model.areCallsRepeated)
    }
    try compare()
    let names = model.namedParameters.map(\.name)
    #expect(names.count == 6)
    for name in names {
      for network in [model, plain] {
        let found = network.namedParameters.first { $0.name == name }
        let parameter = try #require(found).parameter
        parameter.value = parameter.value + 2
      }
      try compare()
    }
    #expect(model.namedBuffers.count >= 2)
    for index in model.namedBuffers.indices {
      for network in [model, plain] {
        let buffer = network.namedBuffers[index].buffer
        if buffer.value.dtype == .float32 { buffer.value = buffer.value + 1 }
      }
      try compare()
    }
  }

  /// A graph that decides by what it computes.
  @Test func decisionsAreMadeAgain() throws {
    let yes = TestGraph(nodes: [TestNode("Add", ["x", "x"], ["t"])], outputs: ["t"])
    let no = TestGraph(nodes: [TestNode("Neg", ["x"], ["e"])], outputs: ["e"])
    let graph = TestGraph(
      nodes: [
        TestNode("ReduceSum", ["x"], ["s"], ints: ["keepdims": 0]),
        TestNode("Greater", ["s", "zero"], ["c"]),
        TestNode("If", ["c"], ["y"], graphs: ["then_branch": yes, "else_branch": no]),
      ],
      inputs: [("x", 1, [2])], outputs: ["y"], constants: [("zero", Tensor(Float(0)))])
    let model = try model(graph, repeats: true)
    for _ in 0..<4 {
      #expect(try results(model, Tensor([Float(1), 2]))[0].array(of: Float.self) == [2, 4])
      #expect(try results(model, Tensor([Float(1), -2]))[0].array(of: Float.self) == [-1, 2])
    }
    #expect(!model.areCallsRepeated)
  }

  /// Integers that shapes follow from belong to the key; random numbers are drawn again.
  @Test func integersAndRandomNumbers() throws {
    let sized = TestGraph(
      nodes: [TestNode("Expand", ["x", "n"], ["y"])],
      inputs: [("x", 1, [1]), ("n", 7, [1])], outputs: ["y"])
    let model = try model(sized, repeats: true)
    let x = Tensor([Float(3)])
    for _ in 0..<4 {
      for count in [2, 5] {
        let y = try results(model, x, Tensor([Int64(count)]))[0]
        #expect(y.array(of: Float.self) == [Float](repeating: 3, count: count))
      }
    }
    let random = TestGraph(
      nodes: [TestNode("RandomNormalLike", ["x"], ["r"]), TestNode("Add", ["x", "r"], ["y"])],
      inputs: [("x", 1, [1])], outputs: ["y"])
    let draws = try self.model(random, repeats: true)
    let found = try (0..<5).map { _ in try results(draws, x)[0].item() }
    #expect(Set(found).count == 5)
  }

  /// What an operator keeps of an input from an earlier call is not a constant.
  @Test func inputsMayBeWeights() throws {
    let graph = TestGraph(
      nodes: [TestNode("GRU", ["x", "w", "r"], ["y"], ints: ["hidden_size": 4])],
      inputs: [("x", 1, [2, 3, 5]), ("w", 1, [1, 12, 5]), ("r", 1, [1, 12, 4])], outputs: ["y"])
    let (model, plain) = (try model(graph, repeats: true), try model(graph, repeats: false))
    let x = images(1, [2, 3, 5])
    for seed in [1, 1, 1, 2, 3] {
      let (w, r) = (images(seed, [1, 12, 5]), images(seed, [1, 12, 4]))
      for _ in 0..<2 {
        let (found, wanted) = (try results(model, x, w, r)[0], try results(plain, x, w, r)[0])
        #expect(found.isEqual(to: wanted))
      }
    }
    #expect(model.areCallsRepeated)
  }

  /// Whoever looks at a layer sees its calls.
  @Test func layersAreObserved() throws {
    let graph = TestGraph(
      nodes: [
        TestNode("LayerNormalization", ["x", "ln.weight", "ln.bias"], ["a"]),
        TestNode("Relu", ["a"], ["y"]),
      ],
      inputs: [("x", 1, [3, 2])], outputs: ["y"],
      constants: [("ln.weight", .rand(2)), ("ln.bias", .rand(2))])
    let model = try model(graph, repeats: true)
    let x = images(1, [3, 2])
    for _ in 0..<4 { _ = try results(model, x) }
    #expect(model.areCallsRepeated)
    let called = try model.calls { _ = try results(model, x) }
    #expect(called.contains { $0 is LayerNorm })
    #expect(try model.summary { _ = try results(model, x) }.rows.count == 1)
  }

  @Test func mistakesAreReportedAsBefore() throws {
    let graph = TestGraph(
      nodes: [TestNode("Gather", ["w", "i"], ["y"])], inputs: [("i", 7, [-1, -1])],
      outputs: ["y"], constants: [("w", Tensor.arange(5).cast(to: .float32))])
    let model = try model(graph, repeats: true)
    // More than counts as a shape.
    let good = Tensor(3, dtype: .int64).broadcast(to: [10, 10]) + 0
    for _ in 0..<4 { #expect(try results(model, good)[0].sum().item() == 300) }
    #expect(model.areCallsRepeated)
    #expect(throws: TensorError.self) { try results(model, good + 5) }
    #expect(try results(model, good)[0].sum().item() == 300)
  }
}
