import Foundation
import NormaTensor

/// The options and the step of ``NAdam``.
public struct NAdamRule: UpdateRule, AdamMoments {
  /// The learning rate.
  public var learningRate: Double = 2e-3
  /// The decay rate of the running mean of gradients.
  public var beta1: Double = 0.9
  /// The decay rate of the running mean of squared gradients.
  public var beta2: Double = 0.999
  /// Added to the square root of the mean square.
  public var eps: Double = 1e-8
  /// The weight decay, which is added to the gradient or shrinks the parameter.
  public var weightDecay: Double = 0
  /// The rate at which the momentum grows towards ``beta1``.
  public var momentumDecay: Double = 4e-3
  /// Whether weight decay shrinks the parameter directly, as in ``AdamW``, not via the gradient.
  public var decoupledWeightDecay = false
  /// Whether to maximize the objective instead of minimizing it.
  public var maximize = false

  /// PyTorch's defaults.
  public init() {}

  /// ``beta1``.
  public static var momentumOption: WritableKeyPath<NAdamRule, Double>? { \.beta1 }

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    problemOfMoments ?? negativeOption(("momentumDecay", momentumDecay))
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let (value, g) = decayed(value, gradient)
    let t = Double(state.step)
    let now = beta1 * (1 - 0.5 * pow(0.96, t * momentumDecay))
    let next = beta1 * (1 - 0.5 * pow(0.96, (t + 1) * momentumDecay))
    // The product of all momenta so far, which PyTorch keeps in float32.
    let product = (state["mu_product"]?.item(as: Float.self) ?? 1) * Float(now)
    let (m, v) = moments(with: g, &state)
    state["mu_product"] = Tensor(product)
    let spread = (v * (1 / (1 - pow(beta2, t)))).sqrt() + eps
    let ofGradient = learningRate * (1 - now) / (1 - Double(product))
    let ofMean = learningRate * next / (1 - Double(product) * next)
    return value - (g * ofGradient + m * ofMean) / spread
  }
}

/// ``Adam`` with Nesterov momentum: the step uses the mean of the next step.
///
/// m and v as in ``Adam``; μₜ = β₁ (1 - 0.96^(t momentumDecay) / 2), Πₜ the product of all μ so
/// far; p ← p - learningRate ((1 - μₜ) / (1 - Πₜ) g + μₜ₊₁ / (1 - Πₜ μₜ₊₁) m) / (√(v / (1 - β₂ᵗ)) +
/// eps). PyTorch: `torch.optim.NAdam`. Source: Dozat (2016).
public final class NAdam: RuleOptimizer<NAdamRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 2e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    momentumDecay: Double = 4e-3, decoupledWeightDecay: Bool = false, maximize: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    var rule = NAdamRule()
    rule.learningRate = learningRate
    (rule.beta1, rule.beta2) = betas
    rule.eps = eps
    rule.weightDecay = weightDecay
    rule.momentumDecay = momentumDecay
    rule.decoupledWeightDecay = decoupledWeightDecay
    rule.maximize = maximize
    super.init(parameters, rule, file: file, line: line)
  }
}
