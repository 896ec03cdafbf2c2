import NormaTensor

/// An optimizer that updates groups of parameters by a rule.
///
/// A step makes one program for each parameter, which reads parameter, gradient and state once, and
/// writes parameter and state. Parameters without a gradient, and frozen ones, do not change. Each
/// parameter counts its own steps. Parameters of half types have a `float32` master value in the
/// state, which accumulates steps and is then rounded to the parameter.
public class RuleOptimizer<Rule: UpdateRule>: Optimizer, CustomStringConvertible {
  /// The parameters with their options.
  public private(set) var groups: [ParameterGroup<Rule>] = []
  /// The number of steps taken.
  public private(set) var stepCount = 0
  /// The parameters of all groups, in order.
  public var parameters: [Parameter] { groups.flatMap(\.parameters) }
  /// The options of new groups.
  private let defaults: Rule
  private var known: Set<ObjectIdentifier> = []

  /// An optimizer for these parameters, in one group.
  ///
  /// Invalid options, an empty list of parameters, and a parameter that is given twice are errors.
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

  /// Adds parameters with other options than the optimizer's.
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

  /// Clears the gradients of all parameters. PyTorch: `optimizer.zero_grad()`.
  public func zeroGrad() {
    for group in groups {
      for parameter in group.parameters { parameter.grad = nil }
    }
  }

  /// Updates every parameter that has a gradient and is not frozen.
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

  /// The options that schedules set, for each group.
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

  /// The options of the groups, and the steps and tensors of the parameters. PyTorch:
  /// `state_dict()`.
  public var state: OptimizerState {
    var state = OptimizerState(groups: [], tensors: [:], stepCount: stepCount)
    var place = 0
    for group in groups {
      // Groups whose options cannot be encoded were rejected earlier.
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

  /// Continues from a state, with its options. PyTorch: `load_state_dict(state)`.
  /// - Throws: ``OptimizerStateError`` when it belongs to other parameters or options; then nothing
  ///   was changed.
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
      let options = Mirror(reflecting: group.options).children.reduce(OptionText()) {
        $0.with($1.label ?? "", $1.value)
      }.with("initialLearningRate", group.initialLearningRate as Any)
      let elements = group.parameters.reduce(0) { $0 + product($1.shape) }
      let size = group.parameters.count
      let count = size == 1 ? "1 parameter" : "\(size) parameters"
      return "\(Self.name)(\(options.text)): \(count), \(elements) elements"
    }.joined(separator: "\n")
  }
}
