import Foundation
import NormaNN
import NormaTensor
import Testing

private final class Network: Module, Layer {
  let blocks: [Linear]
  let named: [String: BatchNorm1d]
  let body: Sequential
  let missing: Linear?
  let shortcut: any Layer

  override init() {
    blocks = [Linear(2, 3), Linear(3, 2, bias: false)]
    named = ["b": BatchNorm1d(2), "a": BatchNorm1d(2)]
    body = Sequential(Linear(2, 4), ReLU(), Dropout(0.5), Linear(4, 1))
    missing = nil
    shortcut = Identity()
  }

  func callAsFunction(_ x: Tensor) -> Tensor {
    var y = x
    for block in blocks { y = block(y) }
    for name in ["a", "b"] { y = named[name].map { $0(y) } ?? y }
    return body(shortcut(y))
  }
}

@Suite struct ModuleTests {
  @Test func namesAreThoseOfStateDictionaries() {
    let network = Network()
    #expect(
      network.namedParameters.map(\.name) == [
        "blocks.0.weight", "blocks.0.bias", "blocks.1.weight", "named.a.weight", "named.a.bias",
        "named.b.weight", "named.b.bias", "body.0.weight", "body.0.bias", "body.3.weight",
        "body.3.bias",
      ])
    #expect(
      network.namedBuffers.map(\.name).prefix(2) == ["named.a.running_mean", "named.a.running_var"])
    #expect(network.parameterCount == 9 + 6 + 8 + 12 + 5)
  }

  @Test func modesAndFreezing() {
    let network = Network()
    network.eval()
    #expect(!network.blocks[0].isTraining && network.body.layers[2].isTraining == false)
    network.train()
    network.body.freeze()
    network.train()
    let loss = network(Tensor.randn(4, 2)).sum()
    loss.backward()
    #expect(network.blocks[0].weight.grad != nil)
    #expect(network.body.parameters.allSatisfy { $0.grad == nil && $0.isFrozen })
    network.zeroGrad()
    #expect(network.blocks[0].weight.grad == nil)
    network.body.unfreeze()
    network(Tensor.randn(4, 2)).sum().backward()
    #expect(network.body.parameters.allSatisfy { $0.grad != nil })
  }

  @Test func statesLoadOrSayWhatIsWrong() throws {
    let (a, b) = (Network(), Network())
    var state = a.stateDict()
    try b.load(state)
    #expect(
      b.stateDict().allSatisfy { $1.array(of: Float.self) == state[$0]?.array(of: Float.self) })
    let before = b.blocks[0].weight.value.array(of: Float.self)
    state["blocks.0.weight"] = Tensor.zeros(3, 3)
    state["body.3.bias"] = nil
    state["extra"] = Tensor.zeros(1)
    let error = #expect(throws: LoadError.self) { try b.load(state) }
    #expect(error?.report.missing == ["body.3.bias"] && error?.report.unexpected == ["extra"])
    #expect(error?.report.misshapen.first?.contains("[3, 3]") == true)
    #expect(b.blocks[0].weight.value.array(of: Float.self) == before)
    state["blocks.0.weight"] = a.stateDict()["blocks.0.weight"]
    #expect(throws: LoadError.self) { try b.load(state) }
    #expect(try b.load(state, strict: false).missing == ["body.3.bias"])
    var old: [String: Tensor] = [:]
    for (name, value) in a.stateDict() where !name.hasSuffix("num_batches_tracked") {
      old["module." + name] = value.cast(to: .float64)
    }
    #expect(throws: LoadError.self) { try b.load(old) }
    #expect(try b.load(old, strippingPrefix: "module.").isEmpty)
    #expect(b.blocks[0].weight.dtype == .float32)
  }

  @Test func summaryRunsInEvaluationAndLeavesNoTrace() {
    let network = Network()
    network.named["a"]?.eval()
    let before = network.stateDict().mapValues { $0.array(of: Double.self) }
    var generator = Generator(seed: 4)
    let summary = withGenerator(&generator) { network.summary(inputShape: [1, 2]) }
    #expect(generator == Generator(seed: 4))
    #expect(network.stateDict().mapValues { $0.array(of: Double.self) } == before)
    #expect(network.isTraining && network.named["a"]?.isTraining == false)
    #expect(summary.parameters == network.parameterCount)
    #expect(summary.rows.map(\.name).prefix(2) == ["blocks.0", "blocks.1"])
    #expect(summary.rows[0].output == [1, 3] && summary.rows[0].multiplyAdds == 6)
    #expect(summary.multiplyAdds == 6 + 6 + 8 + 4)
    #expect(summary.description.contains("body.3"))
  }

  /// torch.manual_seed(0); layer = torch.nn.Linear(3, 2); layer.weight, layer.bias
  @Test func initialValuesFollowTheSeed() {
    let layer = withSeed(0) { Linear(3, 2) }
    #expect(
      layer.weight.value.array(of: Float.self) == [
        -0.004322517663240433, 0.3097158372402191, -0.4751853346824646, -0.4248946011066437,
        -0.2223689705133438, 0.15482072532176971,
      ])
    #expect(
      layer.bias?.value.array(of: Float.self) == [-0.011439144611358643, 0.45777493715286255])
  }

  @Test func hooksSeeAndChangeGradients() {
    let layer = Linear(2, 1, bias: false)
    var seen: [[Float]] = []
    layer.weight.onGradient { gradient in
      seen.append(gradient.array(of: Float.self))
      return gradient * 10
    }
    for _ in 0..<2 { layer(Tensor([[1, 2]] as [[Float]])).sum().backward() }
    #expect(seen == [[1, 2], [1, 2]])
    #expect(layer.weight.grad?.array(of: Float.self) == [20, 40])
    // Two uses in one pass give one gradient.
    layer.weight.onGradient { gradient in
      seen.append(gradient.array(of: Float.self))
      return nil
    }
    let x = Tensor([[1, 2]] as [[Float]])
    (layer(x) + layer(x)).sum().backward()
    #expect(layer.weight.grad?.array(of: Float.self) == [22, 44])
    #expect(seen.last == [2, 4])
    layer.weight.onGradient(nil)
    layer(x).sum().backward()
    #expect(seen.count == 3)
  }

  @Test func dropoutDropsAndScales() {
    let x = Tensor.ones(1000)
    let y = withSeed(1) { Tensor.dropout(x, p: 0.25) }.array(of: Float.self)
    #expect(Set(y) == [0, Float(1 / 0.75)])
    #expect((200...300).contains(y.count { $0 == 0 }))
    let layer = Dropout2d(0.5)
    let channels = layer(Tensor.ones(4, 8, 3, 3))
    #expect(channels.variance(over: 2, 3, correction: 0).max().item() == 0)
    layer.eval()
    #expect(layer(x).isEqual(to: x))
    #expect(throws: TensorError.self) { try catchingTensorErrors { Tensor.dropout(x, p: 1.5) } }
  }

  /// The numbers of PyTorch's layers after `torch.manual_seed(3)`, with p 0.4, of 1, 2, ... 12.
  static let dropped: [(@Sendable (Double) -> DropoutLayer, [Int], [Float])] = [
    (
      { Dropout1d($0) }, [2, 3, 2],
      [1.6666666, 3.3333333, 5, 6.6666665, 0, 0, 11.666666, 13.333333, 0, 0, 0, 0]
    ),
    (
      { Dropout3d($0) }, [2, 3, 1, 1, 2],
      [1.6666666, 3.3333333, 5, 6.6666665, 0, 0, 11.666666, 13.333333, 0, 0, 0, 0]
    ),
    (
      { AlphaDropout($0) }, [2, 3, 1, 1, 2],
      [
        1.4703772, 2.3336599, -0.91064203, 4.060225, -0.91064203, -0.91064203, 6.6500731, 7.5133557,
        8.3766384, -0.91064203, 10.103203, 10.966485,
      ]
    ),
    (
      { FeatureAlphaDropout($0) }, [2, 3, 1, 1, 2],
      [
        1.4703772, 2.3336599, 3.1969423, 4.060225, -0.91064203, -0.91064203, 6.6500731, 7.5133557,
        -0.91064203, -0.91064203, -0.91064203, -0.91064203,
      ]
    ),
  ]

  /// What is dropped is dropped whatever it was, and has no gradient.
  @Test(arguments: dropped.indices) func dropoutOfNumbersThatAreNotFinite(index: Int) {
    let (make, shape, expected) = Self.dropped[index]
    let layer = make(0.4)
    let x = Tensor.arange(1, 13, 1).cast(to: .float32).reshaped(shape)
    let y = withSeed(3) { layer(x) }.array(of: Float.self)
    for (found, wanted) in zip(y, expected) { #expect(abs(found - wanted) <= 1e-6 * abs(wanted)) }
    // What is dropped is less than every other element.
    let isDropped = expected.map { $0 == expected.min() }
    for number in [Float.infinity, -.infinity, .nan] {
      let endless = Tensor.full(shape, number).requiringGradient()
      let z = withSeed(3) { layer(endless) }
      z.sum().backward()
      let slopes = endless.grad?.array(of: Float.self) ?? []
      #expect(slopes.count == 12)
      for (place, value) in z.array(of: Float.self).enumerated() {
        #expect(isDropped[place] ? value == y[place] : !value.isFinite)
        #expect(slopes[place] == 0 || !isDropped[place])
      }
    }
    let all = make(1)(Tensor.full(shape, Float.infinity).requiringGradient())
    #expect(all.hasHistory && all.shape == shape && all.abs().max().item() == 0)
  }

  @Test func embeddings() throws {
    let table = Embedding(4, 2, paddingIndex: 1)
    #expect(table.weight.value[1].array(of: Float.self) == [0, 0])
    let y = table(Tensor([[0, 1], [3, 3]]))
    #expect(y.shape == [2, 2, 2])
    y.sum().backward()
    #expect(table.weight.grad?.array(of: Float.self) == [1, 1, 0, 0, 0, 0, 2, 2])
    #expect(throws: TensorError.self) { try catchingTensorErrors { table(Tensor([4])) } }
    #expect(throws: TensorError.self) { try catchingTensorErrors { table(Tensor([-1])) } }
  }

  @Test func snapshotsServeManyTasks() async throws {
    let network = Network()
    network.eval()
    let x = Tensor.randn(3, 2)
    let expected = network(x).array(of: Float.self)
    let snapshot = try Snapshot(of: network) { Network() }
    network.blocks[0].weight.value = .zeros(3, 2)
    let results = try await withThrowingTaskGroup(of: [Float].self) { group in
      for _ in 0..<16 {
        group.addTask { try snapshot { $0(x).array(of: Float.self) } }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(results.count == 16 && results.allSatisfy { $0 == expected })
  }
}
