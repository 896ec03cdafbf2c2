import NormaTensor

// Negative log-likelihoods of numbers under a distribution that a network predicts. Each is one
// program up to its reduction.

/// The negative log-likelihood of y under normal distributions with mean x and a variance: (log v +
/// (x - y)² / v) / 2, with v = max(variance, eps).
///
/// - Shapes: x and y broadcast. The variance has the shape of x, or size 1 in one axis, or lacks
///   the last axis, with one variance per row.
/// - Parameters:
///   - x: the means.
///   - y: the targets.
///   - variance: not negative; its gradient ignores the lower bound `eps`.
///   - full: whether to add log(2π) / 2.
///   - eps: a positive lower bound of the variance.
///   - reduction: how the samples' losses are combined.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - PyTorch: `F.gaussian_nll_loss`, `nn.GaussianNLLLoss`.
public func gaussianNLLLoss(
  _ x: Tensor, _ y: Tensor, variance: Tensor, full: Bool = false, eps: Double = 1e-6,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || y.isPoisoned || variance.isPoisoned { return .poisoned }
    let call = "gaussianNLLLoss(_:_:variance:)"
    guard eps > 0 else { throw TensorError(call, "eps must be positive, got \(eps)") }
    var spread = variance
    if variance.shape != x.shape {
      if variance.shape == Array(x.shape.dropLast()) && x.rank > 0 {
        spread = variance.unsqueezed(-1)
      } else {
        let unlike = x.shape.indices.filter {
          variance.rank == x.rank && variance.shape[$0] != x.shape[$0]
        }
        guard unlike.count == 1, variance.shape[unlike[0]] == 1 else {
          throw TensorError(
            call,
            "variances of shape \(variance.shape) are neither one for each of \(x.shape) nor one "
              + "for all along one axis")
        }
      }
    }
    if variance.count > 0, variance.detached().min().item() < 0 {
      throw TensorError(call, "a variance is negative")
    }
    return try inFloat32(x, y) { x, y in
      let variance = x.dtype == .float32 ? spread.cast(to: .float32) : spread
      let bounded = variance.detached().clamped(min: eps)
        .recorded(call, from: [variance]) { [$0.upstream] }
      let losses = (bounded.log() + (x - y).squared() / bounded) * 0.5
      return reduction(full ? losses + 0.91893853320467274178 : losses)
    }
  }
}

/// The negative log-likelihood of counts y under Poisson distributions: eˣ - y x, or x - y log(x +
/// eps) without `logInput`.
///
/// `full` adds Stirling's approximation of log y!, y log y - y + log(2πy) / 2, if y > 1. Shapes
/// are equal. PyTorch: `F.poisson_nll_loss`, `nn.PoissonNLLLoss`.
public func poissonNLLLoss(
  _ x: Tensor, _ y: Tensor, logInput: Bool = true, full: Bool = false, eps: Double = 1e-8,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let call = "poissonNLLLoss(_:_:)"
  return elementwiseLoss(call, x, y, reduction, file, line) { (x, y) throws(TensorError) in
    if let problem = negativeOption(("eps", eps)) { throw TensorError(call, problem) }
    let losses = logInput ? x.exp() - y * x : x - y * (x + eps).log()
    guard full else { return losses }
    let isLarge = y .> 1
    let counts = Tensor.where(isLarge, y, 2)
    let logs = counts.log()
    let stirling = counts * logs - counts + (counts * (2 * Double.pi)).log() * 0.5
    return losses + Tensor.where(isLarge, stirling, 0)
  }
}
