import NormaKernels
import NormaTensor

// Losses of numbers with numbers. Shapes broadcast as in arithmetic; each is one program to its
// reduction, and nothing of the inputs' size is stored.

/// (x - y)². PyTorch: `F.mse_loss`.
public func mseLoss(_ x: Tensor, _ y: Tensor, reduction: LossReduction = .mean) -> Tensor {
  reduction((x - y).squared())
}

/// |x - y|. PyTorch: `F.l1_loss`.
public func l1Loss(_ x: Tensor, _ y: Tensor, reduction: LossReduction = .mean) -> Tensor {
  reduction((x - y).abs())
}

/// (x - y)² / (2 beta) within ±`beta`, else |x - y| - beta / 2. PyTorch: `F.smooth_l1_loss`.
public func smoothL1Loss(
  _ x: Tensor, _ y: Tensor, beta: Double = 1, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard beta >= 0 else {
      throw TensorError("smoothL1Loss(_:_:beta:)", "beta must not be negative, got \(beta)")
    }
    if beta == 0 { return l1Loss(x, y, reduction: reduction) }
    let distance = (x - y).abs()
    return reduction(
      .where(distance .< beta, distance * distance * (0.5 / beta), distance - 0.5 * beta))
  }
}

/// (x - y)² / 2 within ±`delta`, else delta (|x - y| - delta / 2). PyTorch: `F.huber_loss`.
public func huberLoss(
  _ x: Tensor, _ y: Tensor, delta: Double = 1, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard delta > 0 else {
      throw TensorError("huberLoss(_:_:delta:)", "delta must be positive, got \(delta)")
    }
    let distance = (x - y).abs()
    return reduction(
      .where(
        distance .<= delta, distance * distance * 0.5, (distance - 0.5 * delta) * delta))
  }
}

/// -w (y log x + (1 - y) log(1 - x)) for probabilities x; logarithms are at least -100.
/// PyTorch: `F.binary_cross_entropy`.
public func binaryCrossEntropy(
  _ x: Tensor, _ y: Tensor, weight: Tensor? = nil, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "binaryCrossEntropy(_:_:)"
    guard x.shape == y.shape || x.isPoisoned || y.isPoisoned else {
      throw TensorError(call, "shapes \(x.shape) and \(y.shape) differ")
    }
    let yes = x.detached().log().clamped(min: -100.0)
    let no = (-x.detached()).log1p().clamped(min: -100.0)
    let target = y.detached()
    let plain = (target - 1) * no - target * yes
    // The gradient (x - y) / max(x (1 - x), 1e-12) stays finite where a logarithm was bounded.
    let losses = plain.recorded(call, from: [x, y], saving: [x, y]) { rule in
      let (x, y) = (rule.saved[0], rule.saved[1])
      return [
        rule.upstream * ((x - y) / ((1 - x) * x).clamped(min: 1e-12)),
        rule.whenNeeded(1) {
          rule.upstream * ((-x).log1p().clamped(min: -100.0) - x.log().clamped(min: -100.0))
        },
      ]
    }
    return reduction(weight.map { losses * $0 } ?? losses)
  }
}

/// The binary cross entropy of sigmoid(x) with y, without overflow.
///
/// (1 - y) x + (1 + (posWeight - 1) y) log(1 + e⁻ˣ), times `weight`.
/// PyTorch: `F.binary_cross_entropy_with_logits`.
public func binaryCrossEntropyWithLogits(
  _ x: Tensor, _ y: Tensor, weight: Tensor? = nil, posWeight: Tensor? = nil,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    guard x.shape == y.shape || x.isPoisoned || y.isPoisoned else {
      throw TensorError(
        "binaryCrossEntropyWithLogits(_:_:)", "shapes \(x.shape) and \(y.shape) differ")
    }
    let softplus = -x.logSigmoid()
    let factor = posWeight.map { ($0 - 1) * y + 1 }
    let losses = (1 - y) * x + (factor.map { $0 * softplus } ?? softplus)
    return reduction(weight.map { losses * $0 } ?? losses)
  }
}

/// y (log y - x) for log-probabilities x; with `logTarget`, y is given as its logarithm.
///
/// `.mean` divides by the number of elements, as PyTorch does; a batch's mean divides by its first
/// axis: sum and divide. PyTorch: `F.kl_div`.
public func klDivergence(
  _ x: Tensor, _ y: Tensor, logTarget: Bool = false, reduction: LossReduction = .mean
) -> Tensor {
  if logTarget { return reduction(y.exp() * (y - x)) }
  let isZero = y .== 0
  let logs = Tensor.where(isZero, 1.0, y).log()
  return reduction(Tensor.where(isZero, 0, y * logs) - y * x)
}

/// 1 - cos(a, b) where y is 1, max(cos(a, b) - margin, 0) where it is -1, with the cosine over the last
/// axis. PyTorch: `F.cosine_embedding_loss`.
public func cosineEmbeddingLoss(
  _ a: Tensor, _ b: Tensor, _ y: Tensor, margin: Double = 0, reduction: LossReduction = .mean
) -> Tensor {
  let product = (a * b).sum(over: -1)
  let lengths = ((a.squared().sum(over: -1) + 1e-12) * (b.squared().sum(over: -1) + 1e-12)).sqrt()
  let cosine = product / lengths
  let zeros = cosine.detached() * 0
  let near = Tensor.where(y .== 1, 1 - cosine, zeros)
  return reduction(near + Tensor.where(y .== -1, (cosine - margin).clamped(min: 0.0), zeros))
}

/// The length of a - b over the last axis in the `p`-norm (1 or 2), with `eps` added to the difference.
/// PyTorch: `F.pairwise_distance`.
public func pairwiseDistance(
  _ a: Tensor, _ b: Tensor, p: Int = 2, eps: Double = 1e-6, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  guard p == 1 || p == 2 else {
    report(
      TensorError("pairwiseDistance(_:_:p:)", "p must be 1 or 2, got \(p)"), file: file, line: line)
    return .poisoned
  }
  let difference = a - b + eps
  if p == 1 { return difference.abs().sum(over: -1) }
  // The quotient is taken in `float64`: lengths are differences' only scale.
  let length = difference.detached().squared().sum(over: -1).sqrt()
  return length.recorded(
    "pairwiseDistance(_:_:)", from: [difference], saving: [difference], savesResult: true
  ) { rule in
    let share = rule.upstream.cast(to: .float64) / rule.result.cast(to: .float64)
    return [rule.saved[0].cast(to: .float64) * share.unsqueezed(-1)]
  }
}

/// max(d(anchor, positive) - d(anchor, negative) + margin, 0), with ``pairwiseDistance(_:_:p:eps:file:line:)``;
/// with `swap` the nearer of anchor and positive counts. PyTorch: `F.triplet_margin_loss`.
public func tripletMarginLoss(
  _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, margin: Double = 1, p: Int = 2,
  eps: Double = 1e-6, swap: Bool = false, reduction: LossReduction = .mean
) -> Tensor {
  var far = pairwiseDistance(anchor, negative, p: p, eps: eps)
  if swap { far = minimum(far, pairwiseDistance(positive, negative, p: p, eps: eps)) }
  let near = pairwiseDistance(anchor, positive, p: p, eps: eps)
  return reduction((near - far + margin).clamped(min: 0.0))
}

/// x where y is 1, max(margin - x, 0) where it is -1. PyTorch: `F.hinge_embedding_loss`.
public func hingeEmbeddingLoss(
  _ x: Tensor, _ y: Tensor, margin: Double = 1, reduction: LossReduction = .mean
) -> Tensor {
  let low = Tensor.where(y .!= 1, (margin - x).clamped(min: 0.0), 0)
  return reduction(low + Tensor.where(y .!= -1, x, 0))
}

/// max(margin - y (a - b), 0): a is to be larger where y is 1, smaller where it is -1.
/// PyTorch: `F.margin_ranking_loss`.
public func marginRankingLoss(
  _ a: Tensor, _ b: Tensor, _ y: Tensor, margin: Double = 0, reduction: LossReduction = .mean
) -> Tensor {
  reduction((margin - y * (a - b)).clamped(min: 0.0))
}

/// log(1 + e^(-y x)) for y of 1 and -1. PyTorch: `F.soft_margin_loss`.
public func softMarginLoss(
  _ x: Tensor, _ y: Tensor, reduction: LossReduction = .mean
) -> Tensor {
  // The slope -y / (1 + e^(y x)) vanishes for large y x, and keeps its digits in `float64`.
  let losses = (-(y.detached() * x.detached()).logSigmoid()).recorded(
    "softMarginLoss(_:_:)", from: [x, y], saving: [x, y]
  ) { rule in
    let (x, y) = (rule.saved[0].cast(to: .float64), rule.saved[1].cast(to: .float64))
    let share = rule.upstream.cast(to: .float64) * (-(x * y)).sigmoid()
    return [-(share * y), rule.whenNeeded(1) { -(share * x) }]
  }
  return reduction(losses)
}
