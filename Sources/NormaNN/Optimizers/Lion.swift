import NormaTensor

/// The options and the step of ``Lion``.
public struct LionRule: UpdateRule {
  /// The size of the step of every element.
  public var learningRate: Double = 1e-4
  /// How much of the mean gradient decides about the step.
  public var beta1: Double = 0.9
  /// How much of earlier gradients is kept in their mean.
  public var beta2: Double = 0.99
  /// The share of a parameter that is taken away, times the learning rate.
  public var weightDecay: Double = 0
  /// Whether parameters move up the gradient.
  public var maximize = false

  /// The defaults of the paper's authors.
  public init() {}

  /// ``beta1``.
  public static var momentumOption: WritableKeyPath<LionRule, Double>? { \.beta1 }

  /// What is wrong with the options.
  public var problem: String? {
    wrongBeta(beta1, beta2)
      ?? negativeOption(("learningRate", learningRate), ("weightDecay", weightDecay))
  }

  /// The parameter after a step.
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

/// Steps of one size for every element, in the direction of a mean gradient's sign.
///
/// p ← p (1 - learningRate weightDecay) - learningRate sign(β₁ m + (1 - β₁) g), then m ← β₂ m + (1 - β₂) g. Where
/// the sign is 0, nothing moves. Its learning rate is 3 to 10 times smaller than that of ``AdamW``, and weight
/// decay as much larger. One tensor of state for each parameter. PyTorch has no Lion; Optax: `optax.lion`.
/// Source: Chen and others (2023).
public final class Lion: RuleOptimizer<LionRule> {
  /// An optimizer of these parameters.
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
