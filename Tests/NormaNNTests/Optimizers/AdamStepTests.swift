import Testing

@testable import NormaNN
@testable import NormaTensor

/// The loop of Adam's step against the program of its rule.
@Suite struct AdamStepTests {
  private static let rules: [(String, AdamRule)] = {
    func rule(_ change: (inout AdamRule) -> Void) -> AdamRule {
      var rule = AdamRule()
      rule.learningRate = 0.03
      change(&rule)
      return rule
    }
    return [
      ("plain", rule { _ in }), ("joined", rule { $0.weightDecay = 0.1 }),
      ("decoupled", rule { ($0.weightDecay, $0.decoupledWeightDecay) = (0.1, true) }),
      ("large eps", rule { ($0.eps, $0.beta1, $0.beta2) = (0.5, 0, 0.5) }),
    ]
  }()

  private static func steps(_ body: () -> Void) -> [ExecutionPlan.Step] {
    ExecutionLog.recording(body).steps
  }

  /// Values that are ordinary, and those at the ends of the range.
  private static func values(_ count: Int, seed: UInt64) -> Tensor {
    let special: [Float] = [0, -0.0, .infinity, 1e-30, -3e38, .leastNonzeroMagnitude, 1]
    let x = withSeed(seed) { Tensor.randn(count) }
    return count < 30 ? x : .concatenated([x[..<(count - 7)], Tensor(special)]).evaluated()
  }

  @Test(arguments: rules.indices, [1, 15, 16, 33, 70_001])
  func bitsOfTheProgram(_ index: Int, _ count: Int) {
    let (name, rule) = Self.rules[index]
    let start = Self.values(count, seed: 1)
    let parameter = Parameter(start)
    let optimizer = RuleOptimizer([parameter], rule)
    var value = start
    var state = ParameterState()
    for step in 1...3 {
      let gradient = Self.values(count, seed: UInt64(step) + 1)
      parameter.grad = gradient
      let steps = Self.steps { optimizer.step() }
      // The first step has no running means yet.
      #expect(steps.contains { $0.operations == ["Adam step"] } == (step > 1), "\(steps)")
      state.step = step
      value = rule.moved(value, by: gradient, &state).evaluated()
      let saved = optimizer.state.tensors
      for (got, wanted) in [
        (parameter.value, value), (saved["0.exp_avg"], state["exp_avg"]),
        (saved["0.exp_avg_sq"], state["exp_avg_sq"]),
      ] {
        #expect(got?.detached().bits == wanted?.bits, "\(name), \(count) values, step \(step)")
      }
    }
  }

  @Test func aValueThatNobodyHoldsIsWrittenOver() {
    let parameter = Parameter(.ones(40))
    let optimizer = AdamW([parameter])
    func step() -> [ExecutionPlan.Step] {
      parameter.grad = Tensor.randn(40)
      return Self.steps { optimizer.step() }
    }
    _ = step()
    #expect(step().map(\.traits) == [[.inPlace]])
    let held = parameter.value
    let numbers = held.bits
    #expect(step().map(\.traits) == [[]])
    #expect(held.bits == numbers && parameter.value.bits != numbers)
    // Views, pending work and graphs also hold it.
    let view = parameter.value.detached().reshaped([5, 8])
    #expect(step().map(\.traits) == [[]])
    let pending = parameter.value.detached() * 2
    #expect(step().map(\.traits) == [[]])
    let loss = (parameter.value * parameter.value).sum()
    #expect(step().map(\.traits) == [[]])
    withExtendedLifetime((view, pending, loss)) {}
    #expect(step().map(\.traits) == [[.inPlace]])
  }

  @Test func savedStatesKeepTheirMemory() {
    let parameter = Parameter(.ones(40))
    let optimizer = Adam([parameter])
    parameter.grad = Tensor.randn(40)
    optimizer.step()
    let saved = optimizer.state.tensors
    let numbers = saved.mapValues(\.bits)
    for _ in 0..<2 { optimizer.step() }
    #expect(saved.mapValues(\.bits) == numbers)
    #expect(optimizer.state.tensors["0.exp_avg"]?.bits != numbers["0.exp_avg"])
  }

  /// Weights that convolutions keep in another order are packed again after a step.
  @Test func packedWeightsFollowTheStep() {
    let layer = Conv2d(64, 64, kernelSize: 3)
    let x = Tensor.randn(2, 64, 20, 20)
    let optimizer = AdamW(layer.parameters, learningRate: 0.1)
    func output() -> Tensor { withoutGradients { layer(x) }.evaluated() }
    for parameter in layer.parameters { parameter.grad = Tensor.randn(parameter.shape) }
    optimizer.step()
    for _ in 0..<3 { _ = output() }
    let before = output()
    let steps = Self.steps { optimizer.step() }
    #expect(steps.allSatisfy { $0.traits == [.inPlace] }, "\(steps)")
    let (after, packing) = ExecutionLog.recording(output)
    #expect(packing.contains { $0.traits.contains(.packed) })
    let fresh = withoutGradients {
      conv2d(x, weight: (layer.weight.value * 1).evaluated(), bias: layer.bias?.value)
    }
    #expect(after.isEqual(to: fresh) && !after.isEqual(to: before))
  }
}

extension Tensor {
  fileprivate var bits: [UInt32] { array(of: Float.self).map { $0.isNaN ? 1 : $0.bitPattern } }
}
