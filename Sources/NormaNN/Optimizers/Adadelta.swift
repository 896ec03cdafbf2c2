import NormaTensor

/// The options and the step of ``Adadelta``.
public struct AdadeltaRule: UpdateRule {
  /// What the step is multiplied by.
  public var learningRate: Double = 1
  /// How much of earlier squares is kept in their means.
  public var rho: Double = 0.9
  /// Added to both means before their roots are taken.
  public var eps: Double = 1e-6
  /// The share of a parameter that is added to its gradient.
  public var weightDecay: Double = 0
  /// Whether parameters move up the gradient.
  public var maximize = false

  /// PyTorch's defaults.
  public init() {}

  /// What is wrong with the options.
  public var problem: String? {
    if !(0...1 ~= rho) { return "rho must lie in 0 ... 1, got \(rho)" }
    return negativeOption(
      ("learningRate", learningRate), ("eps", eps), ("weightDecay", weightDecay))
  }

  /// The parameter after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    var g = maximize ? -gradient : gradient
    if weightDecay != 0 { g = g + value * weightDecay }
    func mean(_ name: String, adding x: Tensor) -> Tensor {
      let share = x * x * (1 - rho)
      return state[name].map { $0 * rho + share } ?? share
    }
    let squares = mean("square_avg", adding: g)
    let root = (squares + eps).sqrt()
    let step =
      state["acc_delta"].map { ($0 + eps).sqrt() / root * g }
      ?? g * eps.squareRoot() / root
    state["acc_delta"] = mean("acc_delta", adding: step)
    state["square_avg"] = squares
    return value - step * learningRate
  }
}

/// Steps in the units of the parameter: the root of earlier squared steps over that of squared gradients.
///
/// s ← ρ s + (1 - ρ) g²; Δ = √(d + eps) / √(s + eps) g; d ← ρ d + (1 - ρ) Δ²; p ← p - learningRate Δ. PyTorch:
/// `torch.optim.Adadelta`. Source: Zeiler (2012).
public final class Adadelta: RuleOptimizer<AdadeltaRule> {
  /// An optimizer of these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1, rho: Double = 0.9, eps: Double = 1e-6,
    weightDecay: Double = 0, maximize: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    var rule = AdadeltaRule()
    rule.learningRate = learningRate
    rule.rho = rho
    rule.eps = eps
    rule.weightDecay = weightDecay
    rule.maximize = maximize
    super.init(parameters, rule, file: file, line: line)
  }
}
