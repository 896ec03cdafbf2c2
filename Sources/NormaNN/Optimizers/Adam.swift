import Foundation
import NormaKernels
import NormaTensor

/// The options and the step of ``Adam`` and ``AdamW``.
public struct AdamRule: UpdateRule, AdamMoments {
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
  /// Whether to divide by the largest mean square so far.
  public var amsgrad = false
  /// Whether to maximize the objective instead of minimizing it.
  public var maximize = false
  /// Whether weight decay shrinks the parameter directly, as in ``AdamW``, not via the gradient.
  public var decoupledWeightDecay = false

  /// PyTorch's defaults for `Adam`.
  public init() {}

  /// ``beta1``.
  public static var momentumOption: WritableKeyPath<AdamRule, Double>? { \.beta1 }

  /// Describes an invalid option; nil if all are valid.
  public var problem: String? {
    problemOfMoments
  }

  /// The parameter's value after a step.
  public func moved(
    _ value: Tensor, by gradient: Tensor, _ state: inout ParameterState
  ) -> Tensor {
    let (value, g) = decayed(value, gradient)
    let (m, v) = moments(with: g, &state)
    var spread = v
    if amsgrad {
      spread = state["max_exp_avg_sq"].map { maximum($0, v) } ?? v * 1
      state["max_exp_avg_sq"] = spread
    }
    let (size, scale) = factors(step: state.step)
    return value - m * size / (spread.sqrt() * scale + eps)
  }

  /// The factors that correct for means that start at 0.
  private func factors(step: Int) -> (size: Double, scale: Double) {
    let t = Double(step)
    return (learningRate / (1 - pow(beta1, t)), 1 / (1 - pow(beta2, t)).squareRoot())
  }

  /// The same step as a single loop; nil for options that the loop does not support.
  func loop(step: Int) -> AdamStep? {
    if amsgrad || maximize { return nil }
    let (size, scale) = factors(step: step)
    return AdamStep(
      decay: decoupledWeightDecay && weightDecay != 0 ? 1 - learningRate * weightDecay : 1,
      joined: decoupledWeightDecay ? 0 : weightDecay, meanShare: 1 - beta1, squareKept: beta2,
      squareShare: 1 - beta2, size: size, scale: scale, eps: eps)
  }

  init(
    _ learningRate: Double, _ betas: (Double, Double), _ eps: Double, _ weightDecay: Double,
    _ amsgrad: Bool, _ maximize: Bool, isDecoupled: Bool
  ) {
    self.learningRate = learningRate
    (beta1, beta2) = betas
    self.eps = eps
    self.weightDecay = weightDecay
    self.amsgrad = amsgrad
    self.maximize = maximize
    decoupledWeightDecay = isDecoupled
  }
}

/// Adam: steps that adapt to the mean and the spread of the gradient.
///
/// m ← m + (1 - β₁)(g - m); v ← β₂ v + (1 - β₂) g²; p ← p - learningRate / (1 - β₁ᵗ) m / (√v /
/// √(1 - β₂ᵗ) + eps), where t counts the parameter's own steps. Weight decay is added to the
/// gradient. With `amsgrad` the step divides by the largest v so far. PyTorch: `torch.optim.Adam`.
/// Source: Kingma and Ba (2015).
public final class Adam: RuleOptimizer<AdamRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    amsgrad: Bool = false, maximize: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      parameters,
      AdamRule(learningRate, betas, eps, weightDecay, amsgrad, maximize, isDecoupled: false),
      file: file, line: line)
  }
}

/// ``Adam`` with weight decay that shrinks parameters directly, not via the gradient: p ← p (1 -
/// learningRate weightDecay) before the step. PyTorch: `torch.optim.AdamW`. Source: Loshchilov and
/// Hutter (2019).
public final class AdamW: RuleOptimizer<AdamRule> {
  /// An optimizer for these parameters.
  public init(
    _ parameters: [Parameter], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 1e-2,
    amsgrad: Bool = false, maximize: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    super.init(
      parameters,
      AdamRule(learningRate, betas, eps, weightDecay, amsgrad, maximize, isDecoupled: true),
      file: file, line: line)
  }
}
