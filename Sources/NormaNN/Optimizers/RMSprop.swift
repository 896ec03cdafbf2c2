import NormaTensor

/// The options and the step of ``RMSprop``.
public struct RMSpropRule: UpdateRule {
  /// The learning rate.
  public var learningRate: Double = 1e-2
  /// The decay rate of the running mean of squared gradients.
  public var alpha: Double = 0.99
  /// Added to the square root of the mean square.
  public var eps: Double = 1e-8
  /// The weight decay: this multiple of the parameter is added to its gradient.
  public var weightDecay: Double = 0
  /// The momentum: the decay rate of the velocity.
  public var momentum: Double = 0
  /// Whether to subtract the square of the mean gradient from the mean square.
  public var centered = false

  /// PyTorch's defaults.
  public init() {}

  /// ``momentum``.
  public static var momentumOption: WritableKeyPath<RMSpropRule, Double>? { \.momentum }

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    negativeOption(
      ("learningRate", learningRate), ("alpha", alpha), ("eps", eps),
      ("weightDecay", weightDecay), ("momentum", momentum))
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let g = weightDecay == 0 ? gradient : gradient + value * weightDecay
    let share = g * g * (1 - alpha)
    let square = state["square_avg"].map { $0 * alpha + share } ?? share
    state["square_avg"] = square
    var root = square.sqrt()
    if centered {
      let mean = state["grad_avg"].map { $0 + (g - $0) * (1 - alpha) } ?? g * (1 - alpha)
      state["grad_avg"] = mean
      // Rounding may make the difference slightly negative.
      root = (square - mean * mean).clamped(min: 0.0).sqrt()
    }
    let step = g / (root + eps)
    guard momentum > 0 else { return value - step * learningRate }
    let velocity = state["momentum_buffer"].map { $0 * momentum + step } ?? step * 1
    state["momentum_buffer"] = velocity
    return value - velocity * learningRate
  }
}

/// Divides each step by the running root mean square of the gradient.
///
/// s ← α s + (1 - α) g²; p ← p - learningRate g / (√s + eps). With `centered`, the square of the
/// mean gradient is subtracted from s; with momentum, the step is v ← momentum v + g / (√s + eps).
/// PyTorch: `torch.optim.RMSprop`.
public final class RMSprop: RuleOptimizer<RMSpropRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-2, alpha: Double = 0.99,
    eps: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0, centered: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var rule = RMSpropRule()
    rule.learningRate = learningRate
    rule.alpha = alpha
    rule.eps = eps
    rule.weightDecay = weightDecay
    rule.momentum = momentum
    rule.centered = centered
    super.init(parameters, rule, file: file, line: line)
  }
}
