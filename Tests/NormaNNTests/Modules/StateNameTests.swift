import NormaNN
import NormaTensor
import Testing

// swift-format-ignore: AlwaysUseLowerCamelCase
private class Named: Module {
  let runningMean = Parameter(.ones(1))
  let attnQKV = Parameter(.ones(2))
  let conv2D = Parameter(.ones(3))
  let URLPart = Parameter(.ones(4))
  let layer1Norm = Parameter(.ones(5))
  let snake_case_ = Parameter(.ones(6))
  let mixed5b = Linear(1, 1, bias: false)
  let W = Buffer(.ones(7))

  override class var stateNames: [String: String] { ["mixed5b": "Mixed_5b", "W": "W"] }
}

private final class Derived: Named {
  let fcQ = Linear(1, 1, bias: false)

  override class var stateNames: [String: String] {
    super.stateNames.merging(["fcQ": "fc_Q"]) { $1 }
  }
}

/// Names of properties in states, and states under other names.
@Suite struct StateNameTests {
  @Test func capitalsAndNamesOfOnesOwn() throws {
    let names = Derived().stateDict().keys
    #expect(
      names == [
        "running_mean", "attn_qkv", "conv2d", "url_part", "layer1_norm", "snake_case_", "W",
        "Mixed_5b.weight", "fc_Q.weight",
      ])
    let (a, b) = (Derived(), Derived())
    try b.load(a.stateDict())
    #expect(b.fcQ.weight.value.isEqual(to: a.fcQ.weight.value))
  }

  @Test func statesUnderOtherNamesLoad() throws {
    let norm = LayerNorm([2])
    let state = ["module.ln.gamma": Tensor([2.0, 3]), "module.ln.beta": Tensor([4.0, 5])]
    try norm.load(state, strippingPrefix: "module.") { name in
      name.replacing("ln.gamma", with: "weight").replacing("ln.beta", with: "bias")
    }
    #expect(norm.weight?.value.array(of: Double.self) == [2, 3])
    #expect(norm.bias?.value.array(of: Double.self) == [4, 5])
  }

  @Test func twoValuesForOneNameAreRefused() throws {
    let layer = Linear(1, 1, bias: false)
    let before = layer.weight.value
    let state = ["weight": Tensor([[1.0]]), "module.weight": Tensor([[2.0]])]
    let error = #expect(throws: LoadError.self) {
      try layer.load(state, strict: false, strippingPrefix: "module.")
    }
    #expect(error?.report.doubled == ["module.weight, weight as weight"])
    #expect(layer.weight.value.isEqual(to: before))
  }
}
