import NormaNN
import NormaTensor
import Testing

private struct Pair {
  let first: Linear
  var scales: (Parameter, shift: Parameter)
  let number = 3
}

private enum Choice {
  case norm(BatchNorm1d)
  case two(Linear, bias: Parameter)
  case none
}

private final class Holder: Module {
  let pair = Pair(first: Linear(1, 2), scales: (Parameter(.ones(2)), shift: Parameter(.ones(3))))
  let choices = [Choice.norm(BatchNorm1d(2)), .two(Linear(1, 1), bias: Parameter(.ones(4))), .none]
  let layers: [Int: Linear] = [10: Linear(1, 1, bias: false), 9: Linear(1, 1, bias: false)]
  let pairs: [(String, Linear)] = [("a", Linear(1, 1, bias: false))]
  let some: Choice? = .norm(BatchNorm1d(1))
  let plain = [Double](repeating: 0, count: 100)
  lazy var late = Linear(2, 2)
  override init() {
    super.init()
    _ = late
  }
}

private final class Late: Module {
  lazy var late: [String: any Layer] = ["a": Linear(2, 2)]
  lazy var number = 3
}

private final class Twins: Module {
  // swift-format-ignore: AlwaysUseLowerCamelCase
  let W = Parameter(.ones(1))
  let w = Parameter(.ones(2))
}

private final class Dotted: Module {
  let named: [String: Any] = ["x.weight": Parameter(.ones(1)), "x": Linear(1, 1)]
}

private final class Parent: Module {
  let layer = Linear(1, 1, bias: false)
  let child = Child()
  override init() {
    super.init()
    child.up = self
    child.deeper[0].up = child
  }
}

private final class Child: Module {
  weak var up: Module?
  let layer = Linear(1, 2, bias: false)
  let deeper = [Grandchild()]
}

private final class Grandchild: Module {
  unowned var up: Module?
  let layer = Linear(1, 3, bias: false)
}

private final class Helper {
  let layers: [Linear]
  var next: Helper?
  init(_ layers: [Linear]) { self.layers = layers }
}

private class Cache {
  var values: [Double] = [1, 2]
  var other: Cache?
}

private final class Hiding: Module {
  let layer = Linear(1, 1)
  let helper: Helper?
  let cache = Cache()
  init(_ helper: Helper?) {
    self.helper = helper
    super.init()
    // A cycle.
    cache.other = cache
  }
}

private final class Trainer {
  let network = Trained()
  let rate = Parameter(.ones(1))
}

private final class Trained: Module {
  let child = TrainedChild()
}

private final class TrainedChild: Module {
  weak var trainer: Trainer?
  let layer = Linear(1, 1, bias: false)
}

/// What is found in a module's properties.
@Suite struct MemberTests {
  @Test func valuesAreSearched() throws {
    let holder = Holder()
    let expected = [
      "pair.scales.0", "pair.scales.shift", "choices.1.bias", "pair.first.weight",
      "pair.first.bias", "choices.0.weight", "choices.0.bias", "choices.1.0.weight",
      "choices.1.0.bias", "layers.9.weight", "layers.10.weight", "pairs.0.1.weight", "some.weight",
      "some.bias", "late.weight", "late.bias",
    ]
    #expect(holder.namedParameters.map(\.name) == expected)
    #expect(holder.namedBuffers.count == 6)
    holder.eval()
    guard case .norm(let norm) = holder.choices[0] else { return }
    #expect(!norm.isTraining && !holder.late.isTraining)
    let other = Holder()
    try other.load(holder.stateDict())
    #expect(other.pair.first.weight.value.isEqual(to: holder.pair.first.weight.value))
    #expect("\(holder)".contains("pair.scales.0: [2]"))
  }

  @Test func lazyPropertiesHaveToBeMade() throws {
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { Late().parameters.count }
    }
    #expect(error?.description.contains("the lazy property late") == true)
    let made = Late()
    _ = made.late
    #expect(made.namedParameters.map(\.name) == ["late.a.weight", "late.a.bias"])
  }

  @Test func oneNameForTwoIsRefused() throws {
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { Twins().stateDict().count }
    }
    #expect(error?.description.contains("Twins: W and w have the same name") == true)
    let dotted = #expect(throws: TensorError.self) {
      try catchingTensorErrors { Dotted().stateDict().count }
    }
    #expect(dotted?.description.contains("have the name named.x.weight") == true)
  }

  @Test func plainObjectsThatHoldLayersAreRefused() throws {
    let helper = Helper([])
    helper.next = Helper([Linear(1, 1)])
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { Hiding(helper).parameters.count }
    }
    let text = "Hiding: helper is a Helper, a class that is not a Module, so helper.next"
    #expect(error?.description.hasPrefix(text) == true, "\(String(describing: error))")
    #expect(Hiding(nil).parameters.count == 2 && Hiding(Helper([])).parameters.count == 2)
  }

  /// An object that holds the whole network is further out.
  @Test func plainObjectsThatLeadBackAreLeftAlone() {
    let trainer = Trainer()
    trainer.network.child.trainer = trainer
    #expect(trainer.network.parameters.count == 1)
    #expect(trainer.network.child.parameters.count == 1)
  }

  @Test func waysBackAreCut() {
    let parent = Parent()
    let names = ["layer.weight", "child.layer.weight", "child.deeper.0.layer.weight"]
    #expect(parent.namedParameters.map(\.name) == names)
    #expect(parent.namedModules.count == 6 && parent.stateDict().count == 3)
    parent.eval()
    #expect(!parent.child.deeper[0].layer.isTraining)
    #expect("\(parent)".contains("(deeper.0)"))
    #expect(convertNorms(inside: parent, to: .group(1)).conversions.isEmpty)
  }
}
