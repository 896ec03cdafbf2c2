import Foundation
import NormaFiles
import NormaModels
import NormaNN
import NormaTensor
import Testing

/// Known networks against the same architecture in PyTorch, with random weights loaded by name.
@Suite struct NetworkTests {
  @Test func residualNetworks() throws {
    let small = ResNet(.resNet18, classes: 5, width: 8)
    try NetworkFixture("resnet18").check(small) { small($0) }
    let deep = ResNet(.resNet50, classes: 5, width: 4)
    try NetworkFixture("resnet50").check(deep) { deep($0) }
  }

  /// Torchvision's numbers of parameters.
  @Test(arguments: [(ResNet.Depth.resNet18, 11_689_512), (.resNet50, 25_557_032)])
  func sizesOfResidualNetworks(_ depth: ResNet.Depth, _ count: Int) {
    #expect(ResNet(depth).parameterCount == count)
  }

  @Test(arguments: [(MobileNet.Kind.v2, "v2"), (.v3Large, "v3_large"), (.v3Small, "v3_small")])
  func mobileNetworks(_ kind: MobileNet.Kind, _ name: String) throws {
    let network = MobileNet(kind, classes: 5, width: 0.25)
    try NetworkFixture("mobilenet_\(name)").check(network) { network($0) }
  }

  /// Torchvision's numbers of parameters.
  @Test func sizesOfMobileNetworks() {
    #expect(MobileNet(.v2).parameterCount == 3_504_872)
    #expect(MobileNet(.v3Large).parameterCount == 5_483_032)
    #expect(MobileNet(.v3Small).parameterCount == 2_542_856)
    #expect(ConvNeXt(.tiny).parameterCount == 28_589_128)
  }

  @Test func convNeXt() throws {
    let network = ConvNeXt(
      ConvNeXt.Options(widths: [8, 16, 24, 32], blocks: [1, 1, 2, 1]), classes: 5)
    try NetworkFixture("convnext").check(network) { network($0) }
  }

  @Test func visionTransformers() throws {
    var options = VisionTransformer.Options()
    (options.size, options.patch, options.width) = (16, 8, 24)
    (options.layers, options.heads, options.classes) = (2, 3, 5)
    let network = VisionTransformer(options)
    try NetworkFixture("vision").check(network) { network($0) }
  }

  private static func gpt2() -> GPT2 {
    var options = GPT2.Options()
    (options.tokens, options.positions, options.width) = (50, 16, 24)
    (options.layers, options.heads) = (2, 3)
    return GPT2(options)
  }

  private static func llama() -> Llama {
    var options = Llama.Options()
    (options.tokens, options.width, options.innerWidth) = (50, 24, 40)
    (options.layers, options.heads, options.keyHeads) = (2, 6, 2)
    (options.rotaryBase, options.normEps) = (500, 1e-5)
    return Llama(options)
  }

  @Test func decoders() throws {
    let (gpt2, llama) = (Self.gpt2(), Self.llama())
    try NetworkFixture("gpt2", ofWords: true).check(gpt2) { gpt2($0) }
    try NetworkFixture("llama", ofWords: true).check(llama) { llama($0) }
  }

  /// Tokens that are given one after the other, or in parts, get the scores of all at once.
  @Test(arguments: [[1, 1, 1, 1, 1, 1, 1], [3, 1, 3], [7]])
  func cachesOfDecoders(_ sizes: [Int]) throws {
    func parts(_ x: Tensor, _ call: (Tensor) -> Tensor) -> Tensor {
      withoutGradients {
        Tensor.concatenated(x.split(sizes, over: 1).map(call), over: 1)
      }
    }
    let (gpt2, llama) = (Self.gpt2(), Self.llama())
    let (first, second) = (
      try NetworkFixture("gpt2", ofWords: true), try NetworkFixture("llama", ofWords: true)
    )
    try gpt2.load(first.state)
    try llama.load(second.state)
    let (a, b) = (gpt2.makeCaches(), llama.makeCaches())
    #expect(first.error(of: parts(first.input) { gpt2($0, caches: a) }) <= 1e-5)
    #expect(second.error(of: parts(second.input) { llama($0, caches: b) }) <= 1e-5)
  }

  /// A head with factor 0 has no influence: its part of the projection may be anything.
  @Test func headMasks() throws {
    let gpt2 = Self.gpt2()
    gpt2.eval()
    let x = Tensor([[1, 2, 3, 4]] as [[Int]])
    let whole = gpt2(x)
    #expect(gpt2(x, headMask: .ones(3)).isEqual(to: whole))
    let mask = Tensor([[1, 0, 1], [1, 1, 0.5]] as [[Float]])
    let masked = gpt2(x, headMask: mask)
    #expect((masked - whole).abs().max().item() > 1e-3)
    var state = gpt2.stateDict()
    // Heads of 8 features are rows of the projection.
    state["h.0.attn.c_proj.weight"]?[8..<16] = Tensor.zeros(8, 24)
    let halved = (state["h.1.attn.c_proj.weight"] ?? .poisoned)[16...] / 2
    state["h.1.attn.c_proj.weight"]?[16...] = halved
    try gpt2.load(state)
    #expect((masked - gpt2(x)).abs().max().item() < 1e-5)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = gpt2(x, headMask: .ones(2)) }
    }
  }

  @Test func headMasksOfBERT() throws {
    var options = BERT.Options()
    (options.tokens, options.positions, options.width, options.innerWidth) = (50, 16, 24, 32)
    (options.layers, options.heads) = (2, 3)
    let network = BERT(options)
    network.eval()
    let x = Tensor([[1, 2, 3, 4]] as [[Int]])
    let masked = network(x, headMask: Tensor([1, 0, 1] as [Float]))
    #expect((masked - network(x)).abs().max().item() > 1e-3)
    var state = network.stateDict()
    for layer in 0..<2 {
      state["encoder.layer.\(layer).attention.output.dense.weight"]?[0..., 8..<16] =
        Tensor.zeros(24, 8)
    }
    try network.load(state)
    #expect((masked - network(x)).abs().max().item() < 1e-5)
  }

  @Test func continuing() throws {
    let network = Self.gpt2()
    try network.load(NetworkFixture("gpt2", ofWords: true).state)
    let text = network.continued([1, 2, 3], count: 4)
    #expect(text.count == 7 && Array(text.prefix(3)) == [1, 2, 3])
    for end in 3..<7 {
      let scores = network(Tensor(Array(text[..<end])).unsqueezed(0))
      #expect(scores[0, -1].argmax().item(as: Int.self) == text[end])
    }
  }

  @Test func pitches() {
    let network = CREPE(.tiny)
    network.eval()
    #expect(network(Tensor.zeros(2, CREPE.frameSize)).shape == [2, 360])
    #expect(network.stateDict().keys.contains("conv1_BN.running_mean"))
    // All probability at the pitch of 440 Hz, between two steps of 20 cents.
    let cents = 1200 * Foundation.log2(440.0 / 10)
    let place = (cents - 1997.3794084376191) / 20
    let low = Int(place)
    var row = [Float](repeating: 0, count: 360)
    row[low] = Float(1 - (place - Double(low)))
    row[low + 1] = Float(place - Double(low))
    let hertz = CREPE.frequencies(Tensor(row).unsqueezed(0)).item()
    #expect(abs(hertz - 440) < 0.01)
  }

  @Test func foldersWithoutAModelAreRefused() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("norma-models-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func kind(_ body: () throws -> Void) -> FileError.Kind? {
      do {
        try body()
        return nil
      } catch {
        return (error as? FileError)?.kind
      }
    }
    #expect(kind { _ = try BERT(contentsOf: folder.path) } == .system)
    let config = folder.appendingPathComponent("config.json")
    try Data("{\"hidden_size\": 384".utf8).write(to: config)
    #expect(kind { _ = try BERT(contentsOf: folder.path) } == .malformed)
    try Data("{\"n_embd\": 24, \"n_layer\": 2, \"n_head\": 5}".utf8).write(to: config)
    #expect(kind { _ = try GPT2(contentsOf: folder.path) } == .malformed)
    let gpt2 =
      "{\"n_embd\": 24, \"n_layer\": 2, \"n_head\": 3, \"vocab_size\": 50, \"n_positions\": 16"
    try Data("\(gpt2), \"activation_function\": \"swish\"}".utf8).write(to: config)
    #expect(kind { _ = try GPT2(contentsOf: folder.path) } == .unsupported)
    try Data("\(gpt2)}".utf8).write(to: config)
    #expect(kind { _ = try GPT2(contentsOf: folder.path) } == .missing)
    // With weights, whose names may begin with the task's prefix, it opens.
    let example = try NetworkFixture("gpt2", ofWords: true)
    var state = StateDict()
    for (name, tensor) in example.state { state["transformer.\(name)"] = tensor }
    try SafeTensors.write(state, to: folder.appendingPathComponent("model.safetensors").path)
    let network = try GPT2(contentsOf: folder.path)
    #expect(example.error(of: network(example.input)) <= 1e-5)
    // In several pickles, too, by their index.
    try FileManager.default.removeItem(at: folder.appendingPathComponent("model.safetensors"))
    var map: [String] = []
    let entries = state.enumerated().map { (part: $0.offset % 2, entry: $0.element) }
    for part in 0..<2 {
      let own = entries.filter { $0.part == part }.map(\.entry)
      try PyTorchFile.write(own, to: folder.appendingPathComponent("part-\(part).bin").path)
      map += own.map { "\"\($0.key)\": \"part-\(part).bin\"" }
    }
    let index = folder.appendingPathComponent("pytorch_model.bin.index.json")
    func write(_ map: [String]) throws {
      try Data("{\"weight_map\": {\(map.joined(separator: ", "))}}".utf8).write(to: index)
    }
    try write(map)
    let whole = try GPT2(contentsOf: folder.path)
    #expect(example.error(of: whole(example.input)) <= 1e-5)
    try write(map + ["\"lost\": \"part-0.bin\""])
    #expect(kind { _ = try GPT2(contentsOf: folder.path) } == .malformed)
    try write(map + ["\"far\": \"../part-0.bin\""])
    #expect(kind { _ = try GPT2(contentsOf: folder.path) } == .unsupported)
  }
}
