import NormaTensor

/// Updates parameters with their gradients.
///
///     let optimizer = AdamW(network.parameters, learningRate: 1e-3)
///     optimizer.zeroGrad()
///     loss.backward()
///     optimizer.step()
///
/// ``RuleOptimizer`` is the implementation; ``SGD``, ``Adam``, ``AdamW``, ``NAdam``, ``RAdam``,
/// ``Lion``, ``RMSprop``, ``Adagrad`` and ``Adadelta`` are its subclasses. PyTorch:
/// `torch.optim.Optimizer`.
public protocol Optimizer: AnyObject {
  /// The number of steps taken.
  var stepCount: Int { get }

  /// The parameters of all groups, in order.
  var parameters: [Parameter] { get }

  /// Updates every parameter that has a gradient and is not frozen.
  func step()

  /// Clears the gradients of all parameters. PyTorch: `optimizer.zero_grad()`.
  func zeroGrad()

  /// The options that schedules set, for each group.
  var rates: [GroupRates] { get set }

  /// Everything needed to continue. PyTorch: `state_dict()`.
  var state: OptimizerState { get }

  /// Continues from a state. PyTorch: `load_state_dict(state)`.
  /// - Throws: ``OptimizerStateError`` when it belongs to other parameters or options; then nothing
  ///   was changed.
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
  /// The step size.
  public var learningRate: Double
  /// The momentum or its equivalent; nil if the optimizer has none.
  public var momentum: Double?
  /// The learning rate that schedules start from; nil before there is a ``Scheduler``.
  public var initialLearningRate: Double?

  /// Options with these values.
  public init(
    _ learningRate: Double, _ momentum: Double? = nil, _ initialLearningRate: Double? = nil
  ) {
    self.learningRate = learningRate
    self.momentum = momentum
    self.initialLearningRate = initialLearningRate
  }
}

/// Parameters with their own options: `optimizer.groups[0].learningRate`.
@dynamicMemberLookup
public final class ParameterGroup<Rule: UpdateRule> {
  /// The parameters to train.
  public let parameters: [Parameter]
  /// The options; they may be changed between steps.
  public var options: Rule
  /// The learning rate that schedules start from; nil before there is a ``Scheduler``.
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
