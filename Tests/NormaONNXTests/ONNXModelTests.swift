import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaONNX

@Suite struct ONNXModelTests {
  /// A convolution, a batch norm and an activation, with the names that PyTorch exports.
  private func block() -> TestGraph {
    withSeed(7) {
      TestGraph(
        nodes: [
          TestNode(
            "Conv", ["x", "conv.weight", "conv.bias"], ["a"], lists: ["kernel_shape": [3, 3]]),
          TestNode(
            "BatchNormalization",
            ["a", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"], ["b"],
            floats: ["epsilon": 1e-3, "momentum": 0.9]),
          TestNode("Relu", ["b"], ["y"]),
        ],
        inputs: [("x", 1, [-1, 2, 6, 6])], outputs: ["y"],
        constants: [
          ("conv.weight", .randn(4, 2, 3, 3)), ("conv.bias", .randn(4)),
          ("bn.weight", .rand(4) + 0.5), ("bn.bias", .randn(4)),
          ("bn.running_mean", .randn(4)), ("bn.running_var", .rand(4) + 0.5),
        ])
    }
  }

  @Test func weightsAreParametersWithTheNamesOfTheFile() throws {
    let model = try block().model()
    #expect(
      model.stateDict().keys == [
        "conv.bias", "conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var",
        "bn.num_batches_tracked",
      ])
    #expect(model.namedModules.map(\.name) == ["", "bn"])
    #expect(model.metadata == ["classes": "cat,dog"])
    #expect(model.inputs.map(\.shape) == [[.free("n"), .fixed(2), .fixed(6), .fixed(6)]])
  }

  @Test func equalsTheSameLayers() throws {
    let graph = block()
    let state = Dictionary(uniqueKeysWithValues: graph.constants.map { ($0.name, $0.value) })
    let model = try graph.model()
    let conv = Conv2d(2, 4, kernelSize: 3)
    let bn = BatchNorm2d(4, eps: Double(Float(1e-3)), momentum: .decay(Double(Float(0.9))))
    for (name, parameter) in conv.namedParameters + bn.namedParameters {
      let prefix = parameter.shape.count == 4 || conv.bias === parameter ? "conv." : "bn."
      parameter.value = try #require(state[prefix + name])
    }
    bn.runningMean?.value = try #require(state["bn.running_mean"])
    bn.runningVar?.value = try #require(state["bn.running_var"])
    let x = withSeed(1) { Tensor.randn(3, 2, 6, 6) }
    for isTraining in [false, true] {
      for module in [model, bn] as [Module] { isTraining ? module.train() : module.eval() }
      let found = try #require(try model(["x": x])["y"])
      let wanted = bn(conv(x)).relu()
      #expect(found.isEqual(to: wanted))
      (found * found).sum().backward()
      (wanted * wanted).sum().backward()
      let gradients = Dictionary(
        uniqueKeysWithValues: model.namedParameters.map { ($0.name, $0.parameter.grad) })
      let grad = try #require(gradients["conv.weight"] ?? nil)
      #expect(grad.allClose(to: try #require(conv.weight.grad), rtol: 1e-5, atol: 1e-5))
      let scale = try #require(gradients["bn.weight"] ?? nil)
      #expect(scale.allClose(to: try #require(bn.weight?.grad), rtol: 1e-5, atol: 1e-5))
    }
    let buffers = Dictionary(
      uniqueKeysWithValues: model.namedBuffers.map { ($0.name, $0.buffer.value) })
    let mean = try #require(buffers["bn.running_mean"])
    #expect(mean.isEqual(to: try #require(bn.runningMean?.value)))
    #expect(!mean.isEqual(to: try #require(state["bn.running_mean"])))
  }

  @Test func refusesAllThatIsUnsupportedAtOnce() throws {
    let graph = TestGraph(
      nodes: [
        TestNode("StringNormalizer", ["x"], ["a"]),
        TestNode("Nonsense", ["a"], ["b"], domain: "org.example"),
        TestNode("Nonsense", ["b"], ["c"], domain: "org.example"),
        TestNode("Resize", ["c"], ["d"], strings: ["mode": "spline"]),
        TestNode("Relu", ["d"], ["y"], ints: ["speed": 3]),
      ],
      inputs: [("x", 8, [2])], outputs: ["y"])
    let error = #expect(throws: ONNXError.self) { try graph.model() }
    guard case .unsupported(_, let reasons) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(
      reasons == [
        "inputs of strings (\"x\")", "operator StringNormalizer (\"a\")",
        "operator org.example::Nonsense (2 times, first \"b\")",
        "Resize with mode spline (\"d\")", "Relu with the attribute speed (\"y\")",
      ])
  }

  @Test func wrongInputsThrow() throws {
    let model = try block().model()
    model.eval()
    let x = Tensor.zeros(1, 2, 6, 6)
    for wrong in [
      [:], ["z": x], ["x": x, "z": x], ["x": x.cast(to: .float64)], ["x": x.squeezed(0)],
    ] {
      #expect(throws: ONNXError.self) { try model(wrong) }
    }
    let error = #expect(throws: TensorError.self) {
      try model(["x": Tensor.zeros(1, 3, 6, 6)])
    }
    #expect(try #require(error).description.contains("Conv (a)"))
  }

  @Test func malformedGraphsThrow() {
    let nowhere = TestGraph(
      nodes: [TestNode("Relu", ["nothing"], ["y"])], outputs: ["y"])
    #expect(throws: ONNXError.self) { try nowhere.model() }
    let unmade = TestGraph(
      nodes: [TestNode("Relu", ["x"], ["y"])], inputs: [("x", 1, [2])], outputs: ["z"])
    #expect(throws: ONNXError.self) { try unmade.model() }
    #expect(throws: (any Error).self) { try ONNXModel(bytes: []) }
    #expect(throws: (any Error).self) { try ONNXModel(contentsOf: "/nonexistent.onnx") }
  }

  @Test func foldingChangesNothing() throws {
    let graph = TestGraph(
      nodes: [
        TestNode("Shape", ["x"], ["s"]), TestNode("Gather", ["s", "zero"], ["n"]),
        TestNode("Concat", ["n", "minus"], ["t"], ints: ["axis": 0]),
        TestNode("Add", ["one", "one"], ["two"]), TestNode("Reshape", ["x", "t"], ["r"]),
        TestNode("Mul", ["r", "two"], ["y"]),
      ],
      inputs: [("x", 1, [-1, 2, 3])], outputs: ["y", "t"],
      constants: [
        ("zero", Tensor([Int64(0)])), ("minus", Tensor([Int64(-1)])), ("one", Tensor(Float(1))),
      ])
    var options = ONNXModel.Options()
    options.folding = false
    let x = Tensor.arange(24).reshaped(4, 2, 3).cast(to: .float32)
    let (folded, plain) = (try graph.model(), try graph.model(options: options))
    for model in [folded, plain] {
      let results = try model([x])
      #expect(results[0].isEqual(to: x.reshaped(4, 6) * 2))
      #expect(results[1].array(of: Int.self) == [4, -1])
    }
  }

  @Test func damagedFilesThrowOrRun() throws {
    let bytes = block().bytes()
    for end in stride(from: 0, to: bytes.count, by: 3) {
      #expect(throws: (any Error).self) { try ONNXModel(bytes: Array(bytes[..<end])) }
    }
    for index in bytes.indices {
      for bit in [0, 3, 7] {
        var other = bytes
        other[index] ^= 1 << bit
        // What still opens must run, or throw.
        if let model = try? ONNXModel(bytes: other) { _ = try? model([.ones(1, 2, 6, 6)]) }
      }
    }
  }

  @Test func functionsOfTheModelAreInlined() throws {
    var writer = ProtoWriter()
    writer.bytes = TestGraph(
      nodes: [
        TestNode("Twice", ["x"], ["a"], domain: "own"),
        TestNode("Twice", ["a"], ["y"], domain: "own"),
      ],
      inputs: [("x", 1, [2])], outputs: ["y"]
    ).bytes()
    writer.message(25) { function in
      function.string(1, "Twice")
      function.string(4, "v")
      function.string(5, "r")
      function.message(7, TestNode("Add", ["v", "v"], ["t"]).write)
      function.message(7, TestNode("Identity", ["t"], ["r"]).write)
      function.string(10, "own")
    }
    let y = try ONNXModel(bytes: writer.bytes)([Tensor([Float(1), 3])])[0]
    #expect(y.array(of: Float.self) == [4, 12])
  }

  @Test func layerNormsInStepsBecomeLayers() throws {
    let graph = TestGraph(
      nodes: [
        TestNode("ReduceMean", ["x"], ["m"], lists: ["axes": [-1]]),
        TestNode("Sub", ["x", "m"], ["c"]), TestNode("Pow", ["c", "two"], ["p"]),
        TestNode("ReduceMean", ["p"], ["v"], lists: ["axes": [-1]]),
        TestNode("Add", ["v", "eps"], ["e"]), TestNode("Sqrt", ["e"], ["s"]),
        TestNode("Div", ["c", "s"], ["d"]), TestNode("Mul", ["d", "norm.weight"], ["w"]),
        TestNode("Add", ["w", "norm.bias"], ["y"]),
      ],
      inputs: [("x", 1, [2, 5])], outputs: ["y"],
      constants: [
        ("two", Tensor(Float(2))), ("eps", Tensor(Float(1e-5))),
        ("norm.weight", withSeed(2) { .rand(5) }), ("norm.bias", withSeed(3) { .rand(5) }),
      ])
    var options = ONNXModel.Options()
    options.recognizesNorms = false
    let (found, plain) = (try graph.model(opset: 13), try graph.model(opset: 13, options: options))
    #expect(found.namedModules.map(\.name) == ["", "norm"])
    #expect(plain.namedModules.map(\.name) == [""])
    let x = withSeed(4) { Tensor.randn(2, 5) }
    #expect(try found([x])[0].allClose(to: try plain([x])[0], rtol: 1e-5, atol: 1e-6))
  }

  @Test func elementsInOtherFilesMustLieInTheFolder() throws {
    let manager = FileManager.default
    let root = manager.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    let folder = root.appendingPathComponent("model")
    try manager.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: root) }
    let numbers: [Float] = [1, 2, 3, 4]
    let data = numbers.withUnsafeBytes { Data($0) }
    try data.write(to: folder.appendingPathComponent("weights.bin"))
    try data.write(to: root.appendingPathComponent("secret.bin"))
    try manager.createSymbolicLink(
      at: folder.appendingPathComponent("link.bin"),
      withDestinationURL: root.appendingPathComponent("secret.bin"))
    func open(_ location: String, _ shape: [Int] = [4]) throws -> ONNXModel {
      let graph = TestGraph(
        nodes: [TestNode("Add", ["x", "w"], ["y"])], inputs: [("x", 1, [4])], outputs: ["y"],
        external: [("w", shape, location)])
      let path = folder.appendingPathComponent("model.onnx")
      try Data(graph.bytes()).write(to: path)
      return try ONNXModel(contentsOf: path.path)
    }
    let sum = try open("weights.bin")([Tensor.ones(4)])
    #expect(sum[0].array(of: Float.self) == [2, 3, 4, 5])
    let secret = root.appendingPathComponent("secret.bin").path
    for wrong in ["../secret.bin", secret, "link.bin", "./../model/../secret.bin", "", "a.bin"] {
      #expect(throws: FileError.self) { try open(wrong) }
    }
    #expect(throws: FileError.self) { try open("weights.bin", [5]) }
  }
}
