import NormaKernels
import NormaTensor

/// Parameters that an optimizer treats alike, with what may differ between groups.
public struct ParameterGroup {
  /// What is trained.
  public let parameters: [Parameter]
  /// The step's size; schedules set it.
  public var learningRate: Double
  /// How much of earlier steps is kept: SGD's momentum, β₁ of Adam.
  public var momentum: Double
  /// The share of a parameter that is added to its gradient, or taken away in AdamW.
  public var weightDecay: Double

  /// A group; what is left out has the optimizer's value.
  public init(
    _ parameters: [Parameter], learningRate: Double? = nil, momentum: Double? = nil,
    weightDecay: Double? = nil
  ) {
    self.parameters = parameters
    self.learningRate = learningRate ?? .nan
    self.momentum = momentum ?? .nan
    self.weightDecay = weightDecay ?? .nan
  }
}

/// Everything an optimizer needs to go on: numbers of the groups and tensors of the parameters.
public struct OptimizerState: Sendable {
  /// By group: learning rate, momentum and weight decay.
  public var groups: [[String: Double]]
  /// By place of a parameter, over all groups, and PyTorch's name: `0.exp_avg`.
  public var tensors: [String: Tensor]
  /// How many steps were taken.
  public var stepCount: Int

  /// A state with these parts.
  public init(groups: [[String: Double]], tensors: [String: Tensor], stepCount: Int) {
    self.groups = groups
    self.tensors = tensors
    self.stepCount = stepCount
  }
}

/// Why a state was not loaded.
public struct OptimizerStateError: Error, Sendable, CustomStringConvertible {
  /// What does not fit.
  public let description: String
}

/// The base of optimizers: changes parameters by their gradients.
///
/// A step makes one program for each parameter, which reads parameter, gradient and state once and
/// writes parameter and state. Parameters without a gradient, and frozen ones, stay. PyTorch:
/// `torch.optim.Optimizer`.
open class Optimizer {
  /// The groups; their numbers may be changed between steps.
  public var groups: [ParameterGroup]
  /// How many steps were taken.
  public private(set) var stepCount = 0
  /// By parameter, in the order of the groups.
  private var states: [[String: Tensor]]
  /// The names of those tensors that nobody else holds, so that a step may write in their memory.
  private var owned: [Set<String>]

  /// Groups whose missing numbers are those given here.
  init(_ groups: [ParameterGroup], learningRate: Double, momentum: Double, weightDecay: Double) {
    self.groups = groups.map { group in
      var group = group
      if group.learningRate.isNaN { group.learningRate = learningRate }
      if group.momentum.isNaN { group.momentum = momentum }
      if group.weightDecay.isNaN { group.weightDecay = weightDecay }
      return group
    }
    let count = groups.reduce(0) { $0 + $1.parameters.count }
    states = Array(repeating: [:], count: count)
    owned = Array(repeating: [], count: count)
  }

  /// Forgets the gradients of all parameters. PyTorch: `optimizer.zero_grad()`.
  public func zeroGrad() {
    for group in groups {
      for parameter in group.parameters { parameter.grad = nil }
    }
  }

  /// Moves every parameter that has a gradient.
  public func step() {
    stepCount += 1
    withoutGradients {
      var place = 0
      for group in groups {
        for parameter in group.parameters {
          if let gradient = parameter.grad, !parameter.isFrozen {
            for watcher in parameter.watchers { watcher.look(at: gradient) }
            move(parameter, gradient, group, place)
          }
          place += 1
        }
      }
    }
  }

  private func move(
    _ parameter: Parameter, _ gradient: Tensor, _ group: ParameterGroup, _ place: Int
  ) {
    let value = parameter.value.detached()
    let before = states[place]
    let next = moved(value, gradient, group, &states[place])
    let names = Array(states[place].keys)
    let results = names.map { states[place][$0] ?? value }
    let made = zip(names, results).filter { $1.isPending && !$1.shares(with: gradient) }.map(\.0)
    Tensor.evaluate(
      together: [next] + results,
      reusing: [nil] + names.map { owned[place].contains($0) ? before[$0] : nil })
    owned[place] = keepsStates ? Set(made) : []
    parameter.value = next
  }

  /// Whether a step leaves its state in the dictionary alone, as those of this library do.
  private var keepsStates: Bool {
    let kinds: [Optimizer.Type] = [SGD.self, Adam.self, AdamW.self, RMSprop.self, Adagrad.self]
    return kinds.contains { $0 == type(of: self) }
  }

  /// The parameter after a step; pending, as is the new state.
  open func moved(
    _ value: Tensor, _ gradient: Tensor, _ group: ParameterGroup, _ state: inout [String: Tensor]
  ) -> Tensor {
    value
  }

  /// The numbers of the groups and the tensors of the parameters. PyTorch: `state_dict()`.
  public var state: OptimizerState {
    // From now on somebody else holds these tensors.
    owned = owned.map { _ in [] }
    var tensors: [String: Tensor] = [:]
    for (place, state) in states.enumerated() {
      for (name, tensor) in state { tensors["\(place).\(name)"] = tensor }
    }
    let numbers = groups.map {
      [
        "learning_rate": $0.learningRate, "momentum": $0.momentum, "weight_decay": $0.weightDecay,
      ]
    }
    return OptimizerState(groups: numbers, tensors: tensors, stepCount: stepCount)
  }

  /// Goes on from a state. PyTorch: `load_state_dict(state)`.
  /// - Throws: ``OptimizerStateError`` when it belongs to other parameters; then nothing changed.
  public func load(_ state: OptimizerState) throws {
    guard state.groups.count == groups.count else {
      throw OptimizerStateError(
        description: "the state has \(state.groups.count) groups, the optimizer \(groups.count)")
    }
    var loaded = [[String: Tensor]](repeating: [:], count: states.count)
    let parameters = groups.flatMap(\.parameters)
    for (key, tensor) in state.tensors {
      let parts = key.split(separator: ".", maxSplits: 1)
      guard parts.count == 2, let place = Int(parts[0]), loaded.indices.contains(place) else {
        throw OptimizerStateError(description: "the state has \(key), which names no parameter")
      }
      guard tensor.shape == parameters[place].shape else {
        throw OptimizerStateError(
          description:
            "\(key) has shape \(tensor.shape), its parameter \(parameters[place].shape)")
      }
      loaded[place][String(parts[1])] = tensor
    }
    for (index, numbers) in state.groups.enumerated() {
      groups[index].learningRate = numbers["learning_rate"] ?? groups[index].learningRate
      groups[index].momentum = numbers["momentum"] ?? groups[index].momentum
      groups[index].weightDecay = numbers["weight_decay"] ?? groups[index].weightDecay
    }
    states = loaded
    owned = owned.map { _ in [] }
    stepCount = state.stepCount
  }
}
