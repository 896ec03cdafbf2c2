import NormaTensor

/// The options and the step of ``SGD``.
public struct SGDRule: UpdateRule {
  /// The learning rate.
  public var learningRate: Double = 1e-3
  /// The momentum: the decay rate of the velocity.
  public var momentum: Double = 0
  /// The dampening of new gradients in the velocity.
  public var dampening: Double = 0
  /// The weight decay: this multiple of the parameter is added to its gradient.
  public var weightDecay: Double = 0
  /// Whether the step looks ahead by the velocity (Nesterov momentum).
  public var nesterov = false
  /// Whether to maximize the objective instead of minimizing it.
  public var maximize = false

  /// PyTorch's defaults.
  public init() {}

  /// ``momentum``.
  public static var momentumOption: WritableKeyPath<SGDRule, Double>? { \.momentum }

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    if nesterov && (!(momentum > 0) || dampening != 0) {
      return "nesterov needs a positive momentum and no dampening, got momentum \(momentum) and "
        + "dampening \(dampening)"
    }
    return negativeOption(
      ("learningRate", learningRate), ("momentum", momentum), ("weightDecay", weightDecay))
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    var g = maximize ? -gradient : gradient
    if weightDecay != 0 { g = g + value * weightDecay }
    if momentum != 0 {
      let kept =
        state["momentum_buffer"].map { velocity in
          velocity * momentum + (dampening == 0 ? g : g * (1 - dampening))
        } ?? g * 1
      state["momentum_buffer"] = kept
      g = nesterov ? g + kept * momentum : kept
    }
    return value - g * learningRate
  }
}

/// Stochastic gradient descent, with momentum.
///
/// g ← gradient + weightDecay p; v ← momentum v + (1 - dampening) g, initially g; p ← p -
/// learningRate v, or p - learningRate (g + momentum v) with `nesterov`. PyTorch:
/// `torch.optim.SGD`.
public final class SGD: RuleOptimizer<SGDRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-3, momentum: Double = 0,
    dampening: Double = 0, weightDecay: Double = 0, nesterov: Bool = false,
    maximize: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) {
    var rule = SGDRule()
    rule.learningRate = learningRate
    rule.momentum = momentum
    rule.dampening = dampening
    rule.weightDecay = weightDecay
    rule.nesterov = nesterov
    rule.maximize = maximize
    super.init(parameters, rule, file: file, line: line)
  }
}
