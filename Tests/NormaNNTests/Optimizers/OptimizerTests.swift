import Foundation
import NormaFiles
import NormaNN
import NormaTensor
import Testing

/// Files that Tools/make-training-fixtures.py wrote.
func fixture(_ name: String) -> String {
  URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
    .appendingPathComponent("Fixtures/\(name)").path
}

/// Optimizers against PyTorch's over 20 steps.
@Suite(.seeded) struct OptimizerTests {
  static let makers: [(String, @Sendable ([Parameter]) -> any Optimizer)] = [
    ("sgd", { SGD($0, learningRate: 0.1) }),
    (
      "sgd_momentum",
      { SGD($0, learningRate: 0.1, momentum: 0.9, dampening: 0.1, weightDecay: 0.01) }
    ),
    (
      "sgd_nesterov",
      { SGD($0, learningRate: 0.1, momentum: 0.9, weightDecay: 5e-4, nesterov: true) }
    ),
    ("sgd_maximize", { SGD($0, learningRate: 0.1, maximize: true) }),
    ("adam", { Adam($0, learningRate: 0.01, weightDecay: 0.1) }),
    ("adam_amsgrad", { Adam($0, learningRate: 0.01, betas: (0.8, 0.9), amsgrad: true) }),
    ("adamw", { AdamW($0, learningRate: 0.01, weightDecay: 0.1) }),
    ("rmsprop", { RMSprop($0, learningRate: 0.01) }),
    (
      "rmsprop_centered",
      { RMSprop($0, learningRate: 0.01, weightDecay: 0.1, momentum: 0.9, centered: true) }
    ),
    ("adagrad", { Adagrad($0, learningRate: 0.1, learningRateDecay: 0.1, weightDecay: 0.1) }),
  ]

  private func gradient(_ all: Tensor, _ step: Int) -> Tensor { all[step] }

  /// Steps write into the memory of their state; copies that were made before keep their values.
  @Test func savedStatesStayAsTheyWere() throws {
    for make in [
      { AdamW($0, learningRate: 0.1) }, { SGD($0, learningRate: 0.1, momentum: 0.9) },
      { RMSprop($0, learningRate: 0.1, momentum: 0.5) },
    ] as [([Parameter]) -> any Optimizer] {
      let parameter = Parameter(.ones(1000))
      let optimizer = make([parameter])
      func step(_ gradient: Tensor) {
        parameter.grad = gradient
        optimizer.step()
      }
      let first = Tensor.randn(1000)
      let copy = first.array(of: Float.self)
      step(first)
      step(Tensor.randn(1000))
      let saved = optimizer.state
      let value = parameter.value
      let numbers = saved.tensors.mapValues { $0.array(of: Float.self) }
      let values = value.array(of: Float.self)
      for _ in 0..<3 { step(Tensor.randn(1000)) }
      #expect(saved.tensors.mapValues { $0.array(of: Float.self) } == numbers)
      #expect(value.array(of: Float.self) == values && first.array(of: Float.self) == copy)
      // Continuing from the state does not change it, either, and gives the same result.
      let last = Tensor.randn(1000)
      parameter.value = value
      try optimizer.load(saved)
      step(last)
      step(last)
      let once = parameter.value.array(of: Float.self)
      parameter.value = value
      try optimizer.load(saved)
      step(last)
      step(last)
      #expect(parameter.value.array(of: Float.self) == once)
      #expect(saved.tensors.mapValues { $0.array(of: Float.self) } == numbers)
    }
  }

  @Test(arguments: makers.indices) func stepsOfPyTorch(_ index: Int) throws {
    let (name, make) = Self.makers[index]
    let file = try SafeTensors(contentsOf: fixture("optimizers.safetensors"))
    let gradients = try file.tensor(named: "gradients")
    let expected = try file.tensor(named: name)
    let parameter = Parameter(try file.tensor(named: "start"))
    var optimizer = make([parameter])
    for step in 0..<gradients.shape[0] {
      parameter.grad = gradient(gradients, step)
      optimizer.step()
      let error = (parameter.value.detached() - expected[step]).abs().max().item()
      #expect(error <= 2e-6, "\(name), step \(step)")
      if step == 9 {
        // A new optimizer with the saved state continues with the same bits.
        let other = make([parameter])
        try other.load(optimizer.state)
        optimizer = other
      }
    }
  }

  @Test func savedStateGoesOnBitForBit() throws {
    func run(interrupted: Bool) throws -> [Float] {
      let parameter = Parameter(Tensor([1, -2, 3] as [Float]))
      var optimizer = AdamW([parameter], amsgrad: true)
      for step in 0..<6 {
        if interrupted && step == 3 {
          let state = optimizer.state
          optimizer = AdamW([parameter], amsgrad: true)
          try optimizer.load(state)
        }
        parameter.grad = parameter.value.detached() * Double(step + 1)
        optimizer.step()
      }
      return parameter.value.array(of: Float.self)
    }
    #expect(try run(interrupted: true) == run(interrupted: false))
  }

  @Test func groupsHaveTheirOwnNumbers() {
    let (a, b) = (Parameter(Tensor([1.0])), Parameter(Tensor([1.0])))
    let optimizer = SGD([a], learningRate: 0.5)
    optimizer.addGroup([b]) { $0.learningRate = 1 }
    a.grad = Tensor([1.0])
    b.grad = Tensor([1.0])
    optimizer.step()
    #expect(a.value.item() == 0.5 && b.value.item() == 0)
    b.isFrozen = true
    optimizer.step()
    #expect(a.value.item() == 0 && b.value.item() == 0)
    optimizer.zeroGrad()
    #expect(a.grad == nil && b.grad == nil)
  }

  @Test func foreignStatesAreRefused() {
    let optimizer = SGD([Parameter(Tensor([1.0, 2]))], momentum: 0.9)
    let state = OptimizerState(
      groups: [.init()], tensors: ["0.momentum_buffer": Tensor([1.0])], stepCount: 1)
    #expect(throws: OptimizerStateError.self) { try optimizer.load(state) }
    let other = OptimizerState(groups: [], tensors: [:], stepCount: 1)
    #expect(throws: OptimizerStateError.self) { try optimizer.load(other) }
    #expect(optimizer.stepCount == 0)
  }

  @Test func clipping() throws {
    let parameters = [Parameter(Tensor([0.0, 0])), Parameter(Tensor([0.0]))]
    parameters[0].grad = Tensor([3.0, 0])
    parameters[1].grad = Tensor([4.0])
    #expect(try clipGradients(of: parameters, norm: 10) == 5)
    #expect(parameters[1].grad?.item() == 4)
    #expect(try clipGradients(of: parameters, norm: 1) == 5)
    let clipped: Double = parameters[1].grad?.item() ?? 0
    #expect(abs(clipped - 4 / (5 + 1e-6)) < 1e-12)
    #expect(try clipGradients(of: parameters, norm: 1, p: .infinity) < 1)
    #expect(try clipGradients(of: parameters, norm: 10, p: 0) == 2)
    for limit in [-1, Double.nan] {
      let before = parameters.map { $0.grad?.array(of: Double.self) }
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { try clipGradients(of: parameters, norm: limit) }
      }
      #expect(throws: TensorError.self) {
        try catchingTensorErrors { clipGradients(of: parameters, value: limit) }
      }
      #expect(parameters.map { $0.grad?.array(of: Double.self) } == before)
    }
    let far = Parameter(Tensor([0.0, 0]))
    for size in [1e200, 1e-200] {
      far.grad = Tensor([3 * size, 4 * size])
      let norm = try clipGradients(of: [far], norm: .infinity)
      #expect(abs(norm / (5 * size) - 1) < 1e-15)
    }
    clipGradients(of: parameters, value: 0.25)
    #expect(parameters[0].grad?.array() == [0.25, 0])
    parameters[1].grad = Tensor([Double.nan])
    #expect(throws: NonFiniteGradientError.self) {
      try clipGradients(of: parameters, norm: 1, errorIfNonFinite: true)
    }
  }

  @Test func averages() throws {
    let layer = Linear(1, 1, bias: false)
    let equal = AveragedParameters(.equal)
    let recent = AveragedParameters(.exponential(decay: 0.5))
    for value in [1.0, 2, 6] {
      layer.weight.value = .full([1, 1], value)
      equal.update(layer)
      recent.update(layer)
    }
    #expect(equal.values["weight"]?.item() == 3)
    #expect(recent.values["weight"]?.item() == 3.75)
    let inside = equal.applied(to: layer) { layer.weight.value.item() }
    #expect(inside == 3 && layer.weight.value.item() == 6)
  }
}
