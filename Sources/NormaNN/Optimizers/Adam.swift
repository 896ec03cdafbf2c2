import Foundation
import NormaKernels
import NormaTensor

/// The options and the step of ``Adam`` and ``AdamW``.
public struct AdamRule: UpdateRule, AdamMoments {
  /// The size of the step.
  public var learningRate: Double = 1e-3
  /// How much of earlier gradients is kept in their mean.
  public var beta1: Double = 0.9
  /// How much of earlier squares is kept in theirs.
  public var beta2: Double = 0.999
  /// Added to the root of the squares.
  public var eps: Double = 1e-8
  /// The share of a parameter that is added to its gradient, or taken away.
  public var weightDecay: Double = 0
  /// Whether the largest mean square so far divides.
  public var amsgrad = false
  /// Whether parameters move up the gradient.
  public var maximize = false
  /// Whether weight decay shrinks the parameter instead of joining the gradient, as in ``AdamW``.
  public var decoupledWeightDecay = false

  /// PyTorch's defaults for `Adam`.
  public init() {}

  /// ``beta1``.
  public static var momentumOption: WritableKeyPath<AdamRule, Double>? { \.beta1 }

  /// What is wrong with the options.
  public var problem: String? {
    problemOfMoments
  }

  /// The parameter after a step.
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

  /// The factors that make up for means which began as 0.
  private func factors(step: Int) -> (size: Double, scale: Double) {
    let t = Double(step)
    return (learningRate / (1 - pow(beta1, t)), 1 / (1 - pow(beta2, t)).squareRoot())
  }

  /// The same step as one loop; nil for what that does not know.
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

/// Adam: steps of a size that follows the mean and the spread of the gradient.
///
/// m ← m + (1 - β₁)(g - m); v ← β₂ v + (1 - β₂) g²; p ← p - learningRate / (1 - β₁ᵗ) m / (√v / √(1 - β₂ᵗ) +
/// eps), with t the number of the parameter's own steps. Weight decay is added to the gradient. With
/// `amsgrad` the largest v so far divides. PyTorch: `torch.optim.Adam`. Source: Kingma and Ba (2015).
public final class Adam: RuleOptimizer<AdamRule> {
  /// An optimizer of these parameters.
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

/// ``Adam`` with weight decay that shrinks parameters and leaves the gradient alone:
/// p ← p (1 - learningRate weightDecay) before the step. PyTorch: `torch.optim.AdamW`. Source:
/// Loshchilov and Hutter (2019).
public final class AdamW: RuleOptimizer<AdamRule> {
  /// An optimizer of these parameters.
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
