import NormaTensor

/// What changes parameters by their gradients.
///
///     let optimizer = AdamW(network.parameters, learningRate: 1e-3)
///     optimizer.zeroGrad()
///     loss.backward()
///     optimizer.step()
///
/// ``RuleOptimizer`` is the implementation; ``SGD``, ``Adam``, ``AdamW``, ``NAdam``, ``RAdam``, ``Lion``,
/// ``RMSprop``, ``Adagrad`` and ``Adadelta`` are kinds of it. PyTorch: `torch.optim.Optimizer`.
public protocol Optimizer: AnyObject {
  /// How many steps were taken.
  var stepCount: Int { get }

  /// The parameters of all groups, in order.
  var parameters: [Parameter] { get }

  /// Moves every parameter that has a gradient and is not frozen.
  func step()

  /// Forgets the gradients of all parameters. PyTorch: `optimizer.zero_grad()`.
  func zeroGrad()

  /// What schedules set, group by group.
  var rates: [GroupRates] { get set }

  /// Everything that is needed to go on. PyTorch: `state_dict()`.
  var state: OptimizerState { get }

  /// Goes on from a state. PyTorch: `load_state_dict(state)`.
  /// - Throws: ``OptimizerStateError`` when it belongs to other parameters or options; then nothing
  ///   changed.
  func load(_ state: OptimizerState) throws
}

extension Optimizer {
  /// The learning rate of the first group; setting it sets that of all groups.
  public var learningRate: Double {
    get { rates.first?.learningRate ?? 0 }
    set { rates = rates.map { GroupRates(newValue, $0.momentum, $0.initialLearningRate) } }
  }
}

/// The options of a group that schedules set.
public struct GroupRates: Sendable, Hashable {
  /// The size of a step.
  public var learningRate: Double
  /// Momentum, or what takes its place; nil where the optimizer has none.
  public var momentum: Double?
  /// The learning rate from which schedules start; nil before there was a ``Scheduler``.
  public var initialLearningRate: Double?

  /// These numbers.
  public init(
    _ learningRate: Double, _ momentum: Double? = nil, _ initialLearningRate: Double? = nil
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.initialLearningRate = initialLearningRate
  }
}

/// Parameters with options of their own: `optimizer.groups[0].learningRate`.
@dynamicMemberLookup
public final class ParameterGroup<Rule: UpdateRule> {
  /// What is trained.
  public let parameters: [Parameter]
  /// The options; they may be changed between steps.
  public var options: Rule
  /// The learning rate from which schedules start; nil before there was a ``Scheduler``.
  public var initialLearningRate: Double?
  /// The state of each parameter.
  var slots: [ParameterSlot]

  init(_ parameters: [Parameter], _ options: Rule) {
    self.parameters = parameters
    self.options = options
    slots = parameters.map { _ in ParameterSlot() }
  }

  /// An option.
  public subscript<T>(dynamicMember path: WritableKeyPath<Rule, T>) -> T {
    get { options[keyPath: path] }
    set { options[keyPath: path] = newValue }
  }
}
