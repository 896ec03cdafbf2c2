import NormaTensor

/// The options and the step of ``Adagrad``.
public struct AdagradRule: UpdateRule {
  /// The initial learning rate.
  public var learningRate: Double = 1e-2
  /// The decay of the learning rate over steps.
  public var learningRateDecay: Double = 0
  /// The weight decay: this multiple of the parameter is added to its gradient.
  public var weightDecay: Double = 0
  /// The sum of squares before the first step.
  public var initialAccumulator: Double = 0
  /// Added to the square root of the sum.
  public var eps: Double = 1e-10

  /// PyTorch's defaults.
  public init() {}

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    negativeOption(
      ("learningRate", learningRate), ("learningRateDecay", learningRateDecay),
      ("weightDecay", weightDecay), ("initialAccumulator", initialAccumulator), ("eps", eps))
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let g = weightDecay == 0 ? gradient : gradient + value * weightDecay
    let sum = state["sum"].map { $0 + g * g } ?? g * g + initialAccumulator
    state["sum"] = sum
    let rate = learningRate / (1 + Double(state.step - 1) * learningRateDecay)
    return value - g / (sum.sqrt() + eps) * rate
  }
}

/// Divides each step by the square root of the sum of all squared gradients so far.
///
/// s ← s + g²; p ← p - learningRate / (1 + (t - 1) decay) g / (√s + eps), where t counts the
/// parameter's own steps. PyTorch: `torch.optim.Adagrad`.
public final class Adagrad: RuleOptimizer<AdagradRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-2, learningRateDecay: Double = 0,
    weightDecay: Double = 0, initialAccumulator: Double = 0, eps: Double = 1e-10,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var rule = AdagradRule()
    rule.learningRate = learningRate
    rule.learningRateDecay = learningRateDecay
    rule.weightDecay = weightDecay
    rule.initialAccumulator = initialAccumulator
    rule.eps = eps
    super.init(parameters, rule, file: file, line: line)
  }
}
