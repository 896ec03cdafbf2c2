import Foundation
import NormaTensor

/// Adam: steps of a size that follows the mean and the spread of the gradient.
///
/// m ← m + (1 - β₁)(g - m); v ← β₂ v + (1 - β₂) g²; p ← p - learningRate / (1 - β₁ᵗ) m / (√v / √(1 - β₂ᵗ) +
/// eps). Weight decay is added to the gradient. β₁ is the group's `momentum`. With `amsgrad` the
/// largest v so far divides. PyTorch: `torch.optim.Adam`. Source: Kingma and Ba (2015).
open class Adam: Optimizer {
  private let beta2: Double
  private let eps: Double
  private let amsgrad: Bool
  private let maximize: Bool
  /// Whether weight decay shrinks the parameter instead of joining the gradient.
  var decaysParameters: Bool { false }

  /// An optimizer of these parameters.
  public convenience init(
    _ parameters: [Parameter], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    amsgrad: Bool = false, maximize: Bool = false
  ) {
    self.init(
      groups: [ParameterGroup(parameters)], learningRate: learningRate, betas: betas, eps: eps,
      weightDecay: weightDecay, amsgrad: amsgrad, maximize: maximize)
  }

  /// An optimizer of groups, which may have numbers of their own.
  public init(
    groups: [ParameterGroup], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 0,
    amsgrad: Bool = false, maximize: Bool = false
  ) {
    beta2 = betas.1
    self.eps = eps
    self.amsgrad = amsgrad
    self.maximize = maximize
    super.init(
      groups, learningRate: learningRate, momentum: betas.0, weightDecay: weightDecay)
  }

  public override func moved(
    _ value: Tensor, _ gradient: Tensor, _ group: ParameterGroup, _ state: inout [String: Tensor]
  ) -> Tensor {
    var g = maximize ? -gradient : gradient
    var value = value
    if group.weightDecay != 0 {
      if decaysParameters {
        value = value * (1 - group.learningRate * group.weightDecay)
      } else {
        g = g + value * group.weightDecay
      }
    }
    let (beta1, t) = (group.momentum, Double(stepCount))
    let m = state["exp_avg"].map { $0 + (g - $0) * (1 - beta1) } ?? g * (1 - beta1)
    let square = g * g * (1 - beta2)
    let v = state["exp_avg_sq"].map { $0 * beta2 + square } ?? square
    state["exp_avg"] = m
    state["exp_avg_sq"] = v
    var spread = v
    if amsgrad {
      spread = state["max_exp_avg_sq"].map { maximum($0, v) } ?? v * 1
      state["max_exp_avg_sq"] = spread
    }
    let size = group.learningRate / (1 - pow(beta1, t))
    let root = (1 - pow(beta2, t)).squareRoot()
    return value - m * size / (spread.sqrt() * (1 / root) + eps)
  }
}

/// ``Adam`` with weight decay that shrinks parameters and leaves the gradient alone:
/// p ← p (1 - learningRate weightDecay) before the step. PyTorch: `torch.optim.AdamW`. Source:
/// Loshchilov and Hutter (2019).
public final class AdamW: Adam {
  override var decaysParameters: Bool { true }

  /// An optimizer of groups, which may have numbers of their own.
  public override init(
    groups: [ParameterGroup], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 1e-2,
    amsgrad: Bool = false, maximize: Bool = false
  ) {
    super.init(
      groups: groups, learningRate: learningRate, betas: betas, eps: eps,
      weightDecay: weightDecay, amsgrad: amsgrad, maximize: maximize)
  }

  /// An optimizer of these parameters.
  public convenience init(
    _ parameters: [Parameter], learningRate: Double = 1e-3,
    betas: (Double, Double) = (0.9, 0.999), eps: Double = 1e-8, weightDecay: Double = 1e-2,
    amsgrad: Bool = false, maximize: Bool = false
  ) {
    self.init(
      groups: [ParameterGroup(parameters)], learningRate: learningRate, betas: betas, eps: eps,
      weightDecay: weightDecay, amsgrad: amsgrad, maximize: maximize)
  }
}

/// Divides each step by a running root of the squared gradient.
///
/// s ← α s + (1 - α) g²; p ← p - learningRate g / (√s + eps); with `centered` the square of the mean
/// gradient is taken off s, with momentum v ← momentum v + g / (√s + eps) moves p.
/// PyTorch: `torch.optim.RMSprop`.
public final class RMSprop: Optimizer {
  private let alpha: Double
  private let eps: Double
  private let centered: Bool

  /// An optimizer of these parameters.
  public init(
    groups: [ParameterGroup], learningRate: Double = 1e-2, alpha: Double = 0.99,
    eps: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0, centered: Bool = false
  ) {
    self.alpha = alpha
    self.eps = eps
    self.centered = centered
    super.init(
      groups, learningRate: learningRate, momentum: momentum, weightDecay: weightDecay)
  }

  /// An optimizer of these parameters.
  public convenience init(
    _ parameters: [Parameter], learningRate: Double = 1e-2, alpha: Double = 0.99,
    eps: Double = 1e-8, weightDecay: Double = 0, momentum: Double = 0, centered: Bool = false
  ) {
    self.init(
      groups: [ParameterGroup(parameters)], learningRate: learningRate, alpha: alpha, eps: eps,
      weightDecay: weightDecay, momentum: momentum, centered: centered)
  }

  public override func moved(
    _ value: Tensor, _ gradient: Tensor, _ group: ParameterGroup, _ state: inout [String: Tensor]
  ) -> Tensor {
    let g = group.weightDecay == 0 ? gradient : gradient + value * group.weightDecay
    let share = g * g * (1 - alpha)
    let square = state["square_avg"].map { $0 * alpha + share } ?? share
    state["square_avg"] = square
    var root = square.sqrt()
    if centered {
      let mean = state["grad_avg"].map { $0 + (g - $0) * (1 - alpha) } ?? g * (1 - alpha)
      state["grad_avg"] = mean
      root = (square - mean * mean).sqrt()
    }
    let step = g / (root + eps)
    guard group.momentum > 0 else { return value - step * group.learningRate }
    let velocity = state["momentum_buffer"].map { $0 * group.momentum + step } ?? step * 1
    state["momentum_buffer"] = velocity
    return value - velocity * group.learningRate
  }
}

/// Divides each step by the root of all squared gradients so far.
///
/// s ← s + g²; p ← p - learningRate / (1 + (t - 1) decay) g / (√s + eps).
/// PyTorch: `torch.optim.Adagrad`.
public final class Adagrad: Optimizer {
  private let learningRateDecay: Double
  private let initialAccumulator: Double
  private let eps: Double

  /// An optimizer of groups, which may have numbers of their own.
  public init(
    groups: [ParameterGroup], learningRate: Double = 1e-2, learningRateDecay: Double = 0,
    weightDecay: Double = 0, initialAccumulator: Double = 0, eps: Double = 1e-10
  ) {
    self.learningRateDecay = learningRateDecay
    self.initialAccumulator = initialAccumulator
    self.eps = eps
    super.init(groups, learningRate: learningRate, momentum: 0, weightDecay: weightDecay)
  }

  /// An optimizer of these parameters.
  public convenience init(
    _ parameters: [Parameter], learningRate: Double = 1e-2, learningRateDecay: Double = 0,
    weightDecay: Double = 0, initialAccumulator: Double = 0, eps: Double = 1e-10
  ) {
    self.init(
      groups: [ParameterGroup(parameters)], learningRate: learningRate,
      learningRateDecay: learningRateDecay, weightDecay: weightDecay,
      initialAccumulator: initialAccumulator, eps: eps)
  }

  public override func moved(
    _ value: Tensor, _ gradient: Tensor, _ group: ParameterGroup, _ state: inout [String: Tensor]
  ) -> Tensor {
    let g = group.weightDecay == 0 ? gradient : gradient + value * group.weightDecay
    let sum = state["sum"].map { $0 + g * g } ?? g * g + initialAccumulator
    state["sum"] = sum
    let rate = group.learningRate / (1 + Double(stepCount - 1) * learningRateDecay)
    return value - g / (sum.sqrt() + eps) * rate
  }
}
