import NormaNN
import NormaTensor
import Testing

/// A custom rule: a shift register of gradients, and the old mean in reverse.
private struct Shifting: UpdateRule {
  var learningRate = 0.125
  var reversed = false

  func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let last = state["last"]
    let mean = state["mean"] ?? .zeros(gradient.shape)
    state["before"] = last
    state["last"] = gradient * 1
    state["mean"] = (reversed ? mean.flipped(over: 0) : mean) * 0.5 + gradient
    return value - gradient * learningRate
  }
}

private let bad: [(String, @Sendable (Parameter) -> Void)] = [
  ("SGD(_:): learningRate must not be negative, got -0.1", { _ = SGD([$0], learningRate: -0.1) }),
  ("got nan", { _ = SGD([$0], learningRate: .nan) }),
  ("momentum must not be negative", { _ = SGD([$0], momentum: -1) }),
  ("weightDecay must not be negative", { _ = SGD([$0], weightDecay: -1) }),
  ("nesterov needs a positive momentum", { _ = SGD([$0], nesterov: true) }),
  ("nesterov needs", { _ = SGD([$0], momentum: 0.9, dampening: 0.1, nesterov: true) }),
  ("AdamW(_:): betas must be in 0 ..< 1, got 1.0", { _ = AdamW([$0], betas: (0.9, 1)) }),
  ("Adam(_:): betas", { _ = Adam([$0], betas: (-0.1, 0.9)) }),
  ("eps must not be negative", { _ = Adam([$0], eps: -1) }),
  ("alpha must not be negative", { _ = RMSprop([$0], alpha: -1) }),
  ("learningRateDecay must", { _ = Adagrad([$0], learningRateDecay: -1) }),
  ("initialAccumulator must", { _ = Adagrad([$0], initialAccumulator: -1) }),
  ("no parameters", { _ in _ = SGD([]) }),
  ("parameter 1, of shape [2], is given twice", { _ = SGD([$0, $0]) }),
  ("SGD.addGroup(_:_:): parameter 1", { SGD([$0]).addGroup([$0]) { _ in } }),
  (
    "learningRate",
    { parameter in
      SGD([parameter]).addGroup([Parameter(.ones(1))]) { $0.learningRate = -1 }
    }
  ),
  ("Parameter.grad: shape [4, 2] for a parameter of shape [2]", { $0.grad = .ones(4, 2) }),
  ("Parameter.grad: shape []", { $0.grad = Tensor(1 as Float) }),
  ("type float64 for a parameter of type float32", { $0.grad = Tensor([1.0, 2]) }),
  ("Parameter.value: shape [3]", { $0.value = .ones(3) }),
  ("Adagrad lacks", { _ = Scheduler(Adagrad([$0]), OneCycle(maximum: 1, totalSteps: 9)) }),
  ("totalSteps", { _ in _ = OneCycle(maximum: 1, totalSteps: 0) }),
  ("warmup", { _ in _ = OneCycle(maximum: 1, totalSteps: 9, warmup: 0.6, threePhases: true) }),
  ("factor", { _ = ReduceOnPlateau(SGD([$0]), factor: 1) }),
  ("decay must be in", { _ in _ = AveragedParameters(.exponential(decay: 1.1)) }),
]

/// What optimizers keep for parameters and groups, and what they reject.
@Suite struct OptimizerStateTests {
  @Test(arguments: bad.indices) func mistakesAreRefused(_ index: Int) {
    let parameter = Parameter(.ones(2))
    let (text, body) = bad[index]
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { body(parameter) }
    }
    #expect(error?.description.contains(text) == true, "\(error as Any)")
    #expect(parameter.shape == [2] && parameter.grad == nil)
  }

  /// torch.optim.Adam(amsgrad=True) after 100 steps of a alone, then 3 of both.
  @Test func parametersThatJoinLaterBeginAtTheirFirstStep() throws {
    let (a, b) = (Parameter(Tensor([1] as [Float])), Parameter(Tensor([1] as [Float])))
    let optimizer = Adam([a, b], learningRate: 0.01, amsgrad: true)
    for _ in 0..<100 {
      a.grad = Tensor([0.5] as [Float])
      optimizer.step()
    }
    for step in 0..<3 {
      a.grad = Tensor([-0.25] as [Float])
      b.grad = Tensor([0.5] as [Float])
      if step == 1 { try optimizer.load(optimizer.state) }
      optimizer.step()
    }
    #expect(abs(a.value.item() + 0.0217426) < 1e-6 && abs(b.value.item() - 0.97) < 1e-6)
    #expect(optimizer.state.tensors["0.step"]?.item() == 103)
    #expect(optimizer.state.tensors["1.step"]?.item() == 3)
  }

  @Test func allOptionsOfEachGroupAreKept() throws {
    func make() -> Adam {
      let optimizer = Adam([Parameter(.ones(2))])
      optimizer.addGroup([Parameter(.ones(3))]) { _ in }
      return optimizer
    }
    let optimizer = Adam(
      [Parameter(.ones(2))], learningRate: 0.5, betas: (0.8, 0.9), eps: 1e-3, weightDecay: 0.1,
      amsgrad: true, maximize: true)
    optimizer.addGroup([Parameter(.ones(3))]) {
      $0.beta2 = 0.25
      $0.amsgrad = false
    }
    let other = make()
    try other.load(optimizer.state)
    #expect(other.state.groups == optimizer.state.groups)
    #expect(other.groups[0].beta2 == 0.9 && other.groups[0].amsgrad && other.groups[0].maximize)
    #expect(other.groups[1].beta2 == 0.25 && !other.groups[1].amsgrad)
    #expect(other.description.contains("beta1: 0.8, beta2: 0.9"))
    #expect(other.description.contains("amsgrad: true"))
    #expect(optimizer.learningRate == 0.5)
    optimizer.learningRate = 2
    #expect(optimizer.groups.map(\.options.learningRate) == [2, 2])
    // Another kind of optimizer, or options out of range, change nothing.
    let sgd = SGD([Parameter(.ones(2))])
    #expect { try sgd.load(Adam([Parameter(.ones(2))]).state) } throws: {
      "\($0)".contains("options that SGDRule lacks: amsgrad, beta1")
    }
    var wrong = optimizer.state
    wrong.groups[1].numbers["beta1"] = 1
    #expect(throws: OptimizerStateError.self) { try other.load(wrong) }
    #expect(other.groups[0].learningRate == 0.5)
  }

  /// Steps write in the memory of the state; not where a value is still needed elsewhere.
  @Test(arguments: [false, true]) func ownRulesKeepTheirState(reversed: Bool) {
    var rule = Shifting()
    rule.reversed = reversed
    let parameter = Parameter(.zeros(3000))
    let optimizer = RuleOptimizer([parameter], rule)
    let gradients = (1...4).map { Tensor.arange(3000).cast(to: .float32) * Double($0) }
    var mean = [Float](repeating: 0, count: 3000)
    for gradient in gradients {
      parameter.grad = gradient
      optimizer.step()
      let old = reversed ? mean.reversed() : mean
      mean = zip(old, gradient.array(of: Float.self)).map { $0 * 0.5 + $1 }
    }
    let state = optimizer.state
    #expect(state.tensors["0.last"]?.isEqual(to: gradients[3]) == true)
    #expect(state.tensors["0.before"]?.isEqual(to: gradients[2]) == true)
    #expect(state.tensors["0.mean"]?.isEqual(to: Tensor(mean)) == true)
    #expect(state.groups[0].flags == ["reversed": reversed])
    #expect(parameter.value.isEqual(to: gradients[0] * -1.25))
    #expect(optimizer.description.hasPrefix("RuleOptimizer(learningRate: 0.125"))
  }

  /// In half types small steps would be rounded away one by one, and squares would vanish.
  @Test(arguments: [DType.float16, .bfloat16]) func halfParametersHaveMasterValues(
    _ type: DType
  ) throws {
    let makers: [([Parameter]) -> any Optimizer] = [
      { SGD($0, learningRate: 1e-4, momentum: 0.5) }, { AdamW($0, learningRate: 1e-4) },
      { Adam($0, learningRate: 1e-4, weightDecay: 0.1) }, { RMSprop($0, learningRate: 1e-5) },
      { Adagrad($0, learningRate: 1e-4) },
    ]
    for make in makers {
      let start = Tensor([1, -2, 0.5, 300] as [Float])
      let gradient = Tensor([1, -1e-4, 0, 8] as [Float]).cast(to: type)
      let (half, whole) = (Parameter(start.cast(to: type)), Parameter(start))
      var optimizer = make([half])
      let reference = make([whole])
      for step in 0..<60 {
        half.grad = gradient
        whole.grad = gradient.cast(to: .float32)
        optimizer.step()
        reference.step()
        if step == 30 {
          let other = make([half])
          try other.load(optimizer.state)
          optimizer = other
        }
      }
      #expect(half.dtype == type)
      #expect(half.value.isEqual(to: whole.value.detached().cast(to: type)))
      #expect(optimizer.state.tensors["0.master"]?.isEqual(to: whole.value.detached()) == true)
      // A value set by the user takes precedence.
      half.value = Tensor([2, 2, 2, 2] as [Float]).cast(to: type)
      half.grad = gradient * 0
      optimizer.step()
      #expect((half.value.detached().cast(to: .float32) - 2).abs().max().item() < 0.02)
    }
  }

  @Test func schedulersStartFromTheSameRateAfterLoading() throws {
    let first = SGD([Parameter(Tensor([1.0]))], learningRate: 0.1)
    let scheduler = Scheduler(first, StepDecay(every: 25, factor: 0.1))
    for _ in 0..<50 { scheduler.step() }
    let second = SGD([Parameter(Tensor([1.0]))], learningRate: 0.1)
    try second.load(first.state)
    let resumed = Scheduler(second, StepDecay(every: 25, factor: 0.1))
    resumed.stepCount = scheduler.stepCount
    #expect(first.learningRate == second.learningRate)
    #expect(abs(second.learningRate - 0.001) < 1e-15)
  }

  /// A phase of length 0 ends with its highest rate; otherwise torch's numbers.
  @Test func oneCycleOfFewSteps() {
    func rates(_ steps: Int, _ warmup: Double, _ three: Bool = false) -> [Double] {
      let cycle = OneCycle(maximum: 0.1, totalSteps: steps, warmup: warmup, threePhases: three)
      return (0..<steps).map { cycle.learningRate(at: $0, base: 1) }
    }
    func isClose(_ a: [Double], _ b: [Double]) -> Bool {
      a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-12 }
    }
    let short = rates(20, 0.05)
    #expect(short.allSatisfy(\.isFinite) && short[0] == 0.1 && short[19] < 1e-6)
    #expect(isClose(rates(4, 1), [0.004, 0.028, 0.076, 0.1]))
    #expect(isClose(rates(4, 0.5, true), [0.004, 0.1, 0.004, 4e-7]))
    #expect(isClose(rates(2, 0.5, true), [0.1, 4e-7]))
    #expect(rates(1, 0.3).allSatisfy { $0.isFinite })
    #expect(OneCycle(maximum: 1, totalSteps: 20, warmup: 0.05).momentum(at: 0) == 0.85)
  }

  @Test func plateauOfNaNAndOfNegativeNumbers() {
    func rate(_ numbers: [Double], isLowerBetter: Bool = true) -> Double {
      let optimizer = SGD([Parameter(Tensor([1.0]))], learningRate: 1)
      let plateau = ReduceOnPlateau(optimizer, patience: 1, isLowerBetter: isLowerBetter)
      for number in numbers { plateau.step(number) }
      return optimizer.learningRate
    }
    #expect(rate([.nan, 5, 4, 3, 2]) == 1)
    #expect(rate([.infinity, 5, 4]) == 1)
    #expect(rate([.nan, .nan]) == 0.1)
    #expect(rate([-1, -1, -1]) == 0.1)
    #expect(rate([-1, -1, -1], isLowerBetter: false) == 0.1)
    #expect(rate([-1, -2, -3, -4]) == 1)
  }

  @Test func averagesOfHalfTypesDoNotStandStill() {
    let layer = Linear(1, 1, bias: false, dtype: .bfloat16)
    layer.weight.value = .ones(1, 1, dtype: .bfloat16)
    let average = AveragedParameters(.exponential(decay: 0.999))
    average.update(layer)
    layer.weight.value = .full([1, 1], 2, dtype: .bfloat16)
    for _ in 0..<1000 { average.update(layer) }
    #expect(abs((average.values["weight"]?.item() ?? 0) - 1.632) < 1e-3)
    average.applied(to: layer) { #expect(layer.weight.dtype == .bfloat16) }
  }
}
