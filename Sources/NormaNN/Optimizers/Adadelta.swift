import NormaTensor

/// The options and the step of ``Adadelta``.
public struct AdadeltaRule: UpdateRule {
  /// The factor of each step.
  public var learningRate: Double = 1
  /// The decay rate of the running means of squares.
  public var rho: Double = 0.9
  /// Added to both means under the square root.
  public var eps: Double = 1e-6
  /// The weight decay: this multiple of the parameter is added to its gradient.
  public var weightDecay: Double = 0
  /// Whether to maximize the objective instead of minimizing it.
  public var maximize = false

  /// PyTorch's defaults.
  public init() {}

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    if !(0...1 ~= rho) { return "rho must be in 0 ... 1, got \(rho)" }
    return negativeOption(
      ("learningRate", learningRate), ("eps", eps), ("weightDecay", weightDecay))
  }

  /// The parameter's value after a step.
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

/// Steps in the parameter's units: scaled by the ratio of the root mean squares of steps and
/// gradients.
///
/// s ← ρ s + (1 - ρ) g²; Δ = √(d + eps) / √(s + eps) g; d ← ρ d + (1 - ρ) Δ²; p ← p - learningRate
/// Δ. PyTorch: `torch.optim.Adadelta`. Source: Zeiler (2012).
public final class Adadelta: RuleOptimizer<AdadeltaRule> {
  /// An optimizer for these parameters.
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
