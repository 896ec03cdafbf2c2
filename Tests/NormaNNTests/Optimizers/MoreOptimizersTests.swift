import NormaNN
import NormaTensor
import Testing

/// Optimizers and schedules compared with PyTorch's numbers: parameters after eight steps.
@Suite struct MoreOptimizersTests {
  typealias Maker = @Sendable ([Parameter]) -> any Optimizer
  static let gradients: [[Float]] = [
    [0.5, -1, 0.25], [0.1, 2, -0.75], [-0.3, 0, 1.5], [1e-3, -0.5, 0.5], [0.2, 0.2, -0.2],
    [-1, 1, 2], [0.4, -0.4, 0.1], [0.3, 0.2, 0.1],
  ]
  /// By `torch.optim`; Lion, which torch lacks, by its formula in `float64`.
  static let cases: [(make: Maker, expected: [Double])] = [
    ({ NAdam($0, learningRate: 0.01) }, [0.990823507, -2.00382137, 0.471233159]),
    (
      {
        NAdam(
          $0, learningRate: 0.01, betas: (0.8, 0.9), eps: 1e-6, weightDecay: 0.1,
          momentumDecay: 0.1, decoupledWeightDecay: true, maximize: true)
      }, [1.00195241, -1.97846103, 0.527773857]
    ),
    (
      { NAdam($0, learningRate: 0.01, weightDecay: 0.1) },
      [0.978961945, -1.99439454, 0.469187379]
    ),
    ({ RAdam($0, learningRate: 0.01) }, [0.990084767, -2.00214958, 0.489177406]),
    (
      { RAdam($0, learningRate: 0.01, betas: (0.8, 0.9), weightDecay: 0.1) },
      [0.985066772, -1.99297976, 0.480888605]
    ),
    (
      {
        RAdam(
          $0, learningRate: 0.01, weightDecay: 0.1, decoupledWeightDecay: true, maximize: true)
      }, [1.00188303, -1.98189878, 0.506791949]
    ),
    ({ Adadelta($0) }, [0.996864676, -2.00212097, 0.487242579]),
    (
      {
        Adadelta($0, learningRate: 0.5, rho: 0.5, eps: 1e-3, weightDecay: 0.1, maximize: true)
      }, [0.995451272, -1.94896901, 0.573425293]
    ),
    ({ Lion($0) }, [0.9996, -2.0002, 0.4996]),
    (
      { Lion($0, learningRate: 0.01, betas: (0.5, 0.9), weightDecay: 0.1, maximize: true) },
      [1.03188828357, -1.96409586807, 0.535914171755]
    ),
  ]

  /// After half of the steps, an optimizer continues from the saved state.
  @Test(arguments: cases.indices) func steps(_ index: Int) throws {
    let (make, expected) = Self.cases[index]
    let parameter = Parameter(Tensor([1, -2, 0.5] as [Float]))
    var optimizer = make([parameter])
    for (step, gradient) in Self.gradients.enumerated() {
      if step == 4 {
        let other = make([parameter])
        try other.load(optimizer.state)
        optimizer = other
      }
      parameter.grad = Tensor(gradient)
      optimizer.step()
    }
    let error = (parameter.value.detached().cast(to: .float64) - Tensor(expected)).abs().max()
    #expect(error.item() <= 1e-6, "\(optimizer): \(parameter.value)")
    #expect(optimizer.parameters.count == 1 && optimizer.parameters[0] === parameter)
  }

  /// Small steps add up in a `float32` master value.
  @Test func halfParameters() {
    for make: Maker in [
      { NAdam($0, learningRate: 1e-4) }, { RAdam($0, learningRate: 1e-4) },
      { Adadelta($0, learningRate: 0.01) }, { Lion($0) },
    ] {
      let start = Tensor([1, -2, 0.5] as [Float])
      let (half, whole) = (Parameter(start.cast(to: .bfloat16)), Parameter(start))
      let optimizers = [make([half]), make([whole])]
      for step in 0..<12 {
        let gradient = Tensor(Self.gradients[step % 8]).cast(to: .bfloat16)
        half.grad = gradient
        whole.grad = gradient.cast(to: .float32)
        for optimizer in optimizers { optimizer.step() }
      }
      #expect(half.value.isEqual(to: whole.value.detached().cast(to: .bfloat16)))
    }
  }

  static let mistakes: [(String, @Sendable (Parameter) -> Void)] = [
    (
      "NAdam(_:): betas must be in 0 ..< 1, got 1.0 as the second",
      { _ = NAdam([$0], betas: (0.9, 1)) }
    ),
    ("momentumDecay must not be negative", { _ = NAdam([$0], momentumDecay: -1) }),
    ("RAdam(_:): betas", { _ = RAdam([$0], betas: (-0.1, 0.9)) }),
    ("rho must be in 0 ... 1, got 1.5", { _ = Adadelta([$0], rho: 1.5) }),
    ("Lion(_:): weightDecay", { _ = Lion([$0], weightDecay: -1) }),
    ("up must be at least 1 step, got 0", { _ in _ = Cyclic(maximum: 1, up: 0) }),
    ("down must be", { _ in _ = Cyclic(maximum: 1, down: 0) }),
    ("gamma must not", { _ in _ = Cyclic(maximum: 1, mode: .exponential(gamma: -1)) }),
    ("Adadelta lacks", { _ = Scheduler(Adadelta([$0]), Cyclic(maximum: 1)) }),
  ]

  @Test(arguments: mistakes.indices) func mistakesAreRefused(_ index: Int) {
    let (text, body) = Self.mistakes[index]
    let error = #expect(throws: TensorError.self) {
      try catchingTensorErrors { body(Parameter(.ones(2))) }
    }
    #expect(error?.description.contains(text) == true, "\(error as Any)")
  }

  /// torch.optim.lr_scheduler.CyclicLR of SGD with the rate 0.1.
  @Test(arguments: [
    (
      Cyclic(maximum: 1, up: 3, down: 2), [0.1, 0.4, 0.7, 1, 0.55, 0.1, 0.4, 0.7, 1],
      [0.9, 0.866666666667, 0.833333333333, 0.8, 0.85, 0.9, 0.866666666667, 0.833333333333, 0.8]
    ),
    (
      Cyclic(maximum: 1, up: 2, mode: .halving),
      [0.1, 0.55, 1, 0.55, 0.1, 0.325, 0.55, 0.325, 0.1],
      [0.9, 0.85, 0.8, 0.85, 0.9, 0.875, 0.85, 0.875, 0.9]
    ),
    (
      Cyclic(maximum: 1, up: 2, mode: .exponential(gamma: 0.9)),
      [0.1, 0.505, 0.829, 0.42805, 0.1, 0.3657205, 0.5782969, 0.315233605, 0.1],
      [0.9, 0.855, 0.819, 0.86355, 0.9, 0.8704755, 0.8468559, 0.876085155, 0.9]
    ),
  ])
  func cycles(_ schedule: Cyclic, _ rates: [Double], _ momenta: [Double]) {
    let optimizer = SGD([Parameter(.ones(1))], learningRate: 0.1, momentum: 0.9)
    let scheduler = Scheduler(optimizer, schedule)
    for (rate, momentum) in zip(rates, momenta) {
      #expect(abs(optimizer.learningRate - rate) < 1e-11)
      #expect(abs(optimizer.groups[0].momentum - momentum) < 1e-11)
      scheduler.step()
    }
    let adam = Adam([Parameter(.ones(1))])
    Scheduler(adam, Cyclic(maximum: 1, up: 2)).step()
    #expect(abs(adam.groups[0].beta1 - 0.85) < 1e-12)
    #expect(Cyclic(maximum: 1, momentum: nil).momentum(at: 5) == nil)
  }
}
