import Foundation
import NormaTensor

/// The options and the step of ``RAdam``.
public struct RAdamRule: UpdateRule, AdamMoments {
  /// The learning rate.
  public var learningRate: Double = 1e-3
  /// The decay rate of the running mean of gradients.
  public var beta1: Double = 0.9
  /// The decay rate of the running mean of squared gradients.
  public var beta2: Double = 0.999
  /// Added to the square root of the mean square.
  public var eps: Double = 1e-8
  /// The weight decay, which is added to the gradient or shrinks the parameter.
  public var weightDecay: Double = 0
  /// Whether weight decay shrinks the parameter directly, as in ``AdamW``, not via the gradient.
  public var decoupledWeightDecay = false
  /// Whether to maximize the objective instead of minimizing it.
  public var maximize = false

  /// PyTorch's defaults.
  public init() {}

  /// ``beta1``.
  public static var momentumOption: WritableKeyPath<RAdamRule, Double>? { \.beta1 }

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    problemOfMoments
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let (value, g) = decayed(value, gradient)
    let t = Double(state.step)
    let (m, v) = moments(with: g, &state)
    let size = learningRate / (1 - pow(beta1, t))
    let power = pow(beta2, t)
    let longest = 2 / (1 - beta2) - 1
    let length = longest - 2 * t * power / (1 - power)
    guard length > 5 else { return value - m * size }
    let known = (length - 4) * (length - 2) * longest
    let all = (longest - 4) * (longest - 2) * length
    let rectified = (known / all).squareRoot() * (1 - power).squareRoot()
    return value - m * (size * rectified) / (v.sqrt() + eps)
  }
}

/// ``Adam`` that divides by the spread of gradients only once it is known well enough.
///
/// m and v as in ``Adam``; ρ∞ = 2 / (1 - β₂) - 1, ρ = ρ∞ - 2 t β₂ᵗ / (1 - β₂ᵗ). While ρ ≤ 5, p ←
/// p - learningRate m / (1 - β₁ᵗ); then that step times r √(1 - β₂ᵗ) / (√v + eps), with r² = (ρ -
/// 4)(ρ - 2) ρ∞ / ((ρ∞ - 4)(ρ∞ - 2) ρ). PyTorch: `torch.optim.RAdam`. Source: Liu and others
/// (2020).
public final class RAdam: RuleOptimizer<RAdamRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    decoupledWeightDecay: Bool = false, maximize: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    var rule = RAdamRule()
    rule.learningRate = learningRate
    (rule.beta1, rule.beta2) = betas
    rule.eps = eps
    rule.weightDecay = weightDecay
    rule.decoupledWeightDecay = decoupledWeightDecay
    rule.maximize = maximize
    super.init(parameters, rule, file: file, line: line)
  }
}
