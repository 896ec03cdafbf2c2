import NormaTensor

/// The options and the step of ``RMSprop``.
public struct RMSpropRule: UpdateRule {
  /// The size of the step.
  public var learningRate: Double = 1e-2
  /// How much of earlier squares is kept in their mean.
  public var alpha: Double = 0.99
  /// Added to the root of the squares.
  public var eps: Double = 1e-8
  /// The share of a parameter that is added to its gradient.
  public var weightDecay: Double = 0
  /// How much of earlier steps is kept.
  public var momentum: Double = 0
  /// Whether the square of the mean gradient is taken off the mean square.
  public var centered = false

  /// PyTorch's defaults.
  public init() {}

  /// ``momentum``.
  public static var momentumOption: WritableKeyPath<RMSpropRule, Double>? { \.momentum }

  /// What is wrong with the options.
  public var problem: String? {
    negativeOption(
      ("learningRate", learningRate), ("alpha", alpha), ("eps", eps),
      ("weightDecay", weightDecay), ("momentum", momentum))
  }

  /// The parameter after a step.
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
      // Rounding may leave a little less than nothing.
      root = (square - mean * mean).clamped(min: 0.0).sqrt()
    }
    let step = g / (root + eps)
    guard momentum > 0 else { return value - step * learningRate }
    let velocity = state["momentum_buffer"].map { $0 * momentum + step } ?? step * 1
    state["momentum_buffer"] = velocity
    return value - velocity * learningRate
  }
}

/// Divides each step by a running root of the squared gradient.
///
/// s ← α s + (1 - α) g²; p ← p - learningRate g / (√s + eps); with `centered` the square of the mean
/// gradient is taken off s, with momentum v ← momentum v + g / (√s + eps) moves p.
/// PyTorch: `torch.optim.RMSprop`.
public final class RMSprop: RuleOptimizer<RMSpropRule> {
  /// An optimizer of these parameters.
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
