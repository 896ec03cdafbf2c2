import NormaTensor

/// The options and the step of ``Lion``.
public struct LionRule: UpdateRule {
  /// The learning rate: the step size of every element.
  public var learningRate: Double = 1e-4
  /// The weight of the mean gradient in the direction of the step.
  public var beta1: Double = 0.9
  /// The decay rate of the running mean of gradients.
  public var beta2: Double = 0.99
  /// The weight decay: parameters shrink by this fraction times the learning rate.
  public var weightDecay: Double = 0
  /// Whether to maximize the objective instead of minimizing it.
  public var maximize = false

  /// The defaults of the paper's authors.
  public init() {}

  /// ``beta1``.
  public static var momentumOption: WritableKeyPath<LionRule, Double>? { \.beta1 }

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    wrongBeta(beta1, beta2)
      ?? negativeOption(("learningRate", learningRate), ("weightDecay", weightDecay))
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let g = maximize ? -gradient : gradient
    let mean = state["exp_avg"]
    let direction = mean.map { $0 * beta1 + g * (1 - beta1) } ?? g * (1 - beta1)
    state["exp_avg"] = mean.map { $0 * beta2 + g * (1 - beta2) } ?? g * (1 - beta2)
    let kept = weightDecay == 0 ? value : value * (1 - learningRate * weightDecay)
    return kept - direction.sign() * learningRate
  }
}

/// Steps of the same size for every element, in the direction of the sign of a mean gradient.
///
/// p ← p (1 - learningRate weightDecay) - learningRate sign(β₁ m + (1 - β₁) g), then m ← β₂ m +
/// (1 - β₂) g. Elements with sign 0 do not move. The learning rate should be 3 to 10 times smaller
/// than that of ``AdamW``, and the weight decay larger by the same factor. One tensor of state per
/// parameter. PyTorch has no Lion; Optax: `optax.lion`. Source: Chen and others (2023).
public final class Lion: RuleOptimizer<LionRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-4,
    betas: (Double, Double) = (0.9, 0.99), weightDecay: Double = 0, maximize: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var rule = LionRule()
    rule.learningRate = learningRate
    (rule.beta1, rule.beta2) = betas
    rule.weightDecay = weightDecay
    rule.maximize = maximize
    super.init(parameters, rule, file: file, line: line)
  }
}
