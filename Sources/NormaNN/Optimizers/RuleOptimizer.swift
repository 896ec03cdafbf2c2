import NormaTensor

/// An optimizer of parameters in groups, by a rule.
///
/// A step makes one program for each parameter, which reads parameter, gradient and state once and writes
/// parameter and state. Parameters without a gradient, and frozen ones, stay. Each parameter counts its own
/// steps. Parameters of half types have a `float32` master value in the state, in which steps add up; it is
/// rounded to the parameter.
public class RuleOptimizer<Rule: UpdateRule>: Optimizer, CustomStringConvertible {
  /// The parameters with their options.
  public private(set) var groups: [ParameterGroup<Rule>] = []
  /// How many steps were taken.
  public private(set) var stepCount = 0
  /// The parameters of all groups, in order.
  public var parameters: [Parameter] { groups.flatMap(\.parameters) }
  /// The options of new groups.
  private let defaults: Rule
  private var known: Set<ObjectIdentifier> = []

  /// An optimizer of these parameters, in one group.
  ///
  /// Options out of their range, no parameters, and a parameter that is given twice are mistakes.
  public init(
    _ parameters: [Parameter], _ options: Rule, file: StaticString = #fileID, line: UInt = #line
  ) {
    defaults = options
    addGroup(parameters, called: "\(Self.name)(_:)", file: file, line: line) { _ in }
  }

  private static var name: String {
    let name = "\(Self.self)"
    return name.prefix { $0 != "<" } == "RuleOptimizer" ? "RuleOptimizer" : name
  }

  /// Adds parameters whose options differ from the optimizer's.
  ///
  ///     let optimizer = AdamW(matrices, weightDecay: 0.1)
  ///     optimizer.addGroup(others) { $0.weightDecay = 0 }
  ///
  /// PyTorch: `add_param_group`.
  @discardableResult
  public func addGroup(
    _ parameters: [Parameter], file: StaticString = #fileID, line: UInt = #line,
    _ change: (inout Rule) -> Void
  ) -> ParameterGroup<Rule> {
    addGroup(
      parameters, called: "\(Self.name).addGroup(_:_:)", file: file, line: line, change)
  }

  @discardableResult
  private func addGroup(
    _ parameters: [Parameter], called call: String, file: StaticString, line: UInt,
    _ change: (inout Rule) -> Void
  ) -> ParameterGroup<Rule> {
    var options = defaults
    change(&options)
    func refuse(_ text: String) { report(TensorError(call, text), file: file, line: line) }
    if let problem = options.problem { refuse(problem) }
    if parameters.isEmpty { refuse("no parameters are given") }
    let before = groups.reduce(0) { $0 + $1.parameters.count }
    var own: [Parameter] = []
    for (place, parameter) in parameters.enumerated() {
      guard known.insert(ObjectIdentifier(parameter)).inserted else {
        refuse(
          "parameter \(before + place), of shape \(parameter.shape), is given twice and would be "
            + "moved twice")
        continue
      }
      own.append(parameter)
    }
    do {
      _ = try OptimizerState.Group(options)
    } catch {
      refuse("the options of \(Rule.self) are not only numbers and Booleans")
    }
    let group = ParameterGroup(own, options)
    groups.append(group)
    return group
  }

  /// Forgets the gradients of all parameters. PyTorch: `optimizer.zero_grad()`.
  public func zeroGrad() {
    for group in groups {
      for parameter in group.parameters { parameter.grad = nil }
    }
  }

  /// Moves every parameter that has a gradient and is not frozen.
  public func step() {
    stepCount += 1
    withoutGradients {
      for group in groups {
        for (place, parameter) in group.parameters.enumerated() {
          guard let gradient = parameter.grad, !parameter.isFrozen else { continue }
          for watcher in parameter.watchers { watcher.look(at: gradient) }
          group.slots[place].move(parameter, by: gradient, group.options)
        }
      }
    }
  }

  /// What schedules set, group by group.
  public var rates: [GroupRates] {
    get {
      groups.map { group in
        GroupRates(
          group.options.learningRate, Rule.momentumOption.map { group.options[keyPath: $0] },
          group.initialLearningRate)
      }
    }
    set {
      for (group, rates) in zip(groups, newValue) {
        group.options.learningRate = rates.learningRate
        group.initialLearningRate = rates.initialLearningRate
        if let option = Rule.momentumOption, let momentum = rates.momentum {
          group.options[keyPath: option] = momentum
        }
      }
    }
  }

  /// The options of the groups, and the steps and tensors of the parameters. PyTorch: `state_dict()`.
  public var state: OptimizerState {
    var state = OptimizerState(groups: [], tensors: [:], stepCount: stepCount)
    var place = 0
    for group in groups {
      // Groups whose options have no such form were refused.
      var options = (try? OptimizerState.Group(group.options)) ?? .init()
      options.numbers[OptimizerState.initialLearningRate] = group.initialLearningRate
      state.groups.append(options)
      for index in group.slots.indices {
        group.slots[index].share()
        let slot = group.slots[index]
        for (name, tensor) in slot.tensors { state.tensors["\(place).\(name)"] = tensor }
        if slot.step > 0 {
          state.tensors["\(place).\(OptimizerState.step)"] = Tensor(Int64(slot.step))
        }
        place += 1
      }
    }
    return state
  }

  /// Goes on from a state, with its options. PyTorch: `load_state_dict(state)`.
  /// - Throws: ``OptimizerStateError`` when it belongs to other parameters or options; then nothing
  ///   changed.
  public func load(_ state: OptimizerState) throws {
    guard state.groups.count == groups.count else {
      throw OptimizerStateError(
        description: "the state has \(state.groups.count) groups, the optimizer \(groups.count)")
    }
    let slots = try state.slots(for: groups.flatMap(\.parameters))
    let options = try zip(groups, state.groups).map { group, saved in
      let options = try saved.options(over: group.options, momentum: Rule.momentumOption)
      if let problem = options.problem { throw OptimizerStateError(description: problem) }
      return options
    }
    var rest = slots[...]
    for (index, group) in groups.enumerated() {
      group.options = options[index]
      group.initialLearningRate =
        state.groups[index].numbers[OptimizerState.initialLearningRate]
        ?? group.initialLearningRate
      group.slots = Array(rest.prefix(group.parameters.count))
      rest = rest.dropFirst(group.parameters.count)
    }
    stepCount = state.stepCount
  }

  /// The options and the number of parameters, one line for each group.
  public var description: String {
    groups.map { group in
      let options = try? OptimizerState.Group(group.options)
      let numbers = (options?.numbers ?? [:]).map { ($0, "\($1)") }
      let flags = (options?.flags ?? [:]).map { ($0, "\($1)") }
      let list = (numbers + flags).sorted { $0.0 < $1.0 }.map { "\($0): \($1)" }
      return "\(Self.name)(\(list.joined(separator: ", "))) of \(group.parameters.count) parameters"
    }.joined(separator: "\n")
  }
}
