import NormaTensor

// Losses of pairs and triplets: how close they are, or which is larger. Half types are computed in
// `float32` and rounded at the end.

/// 1 - cos(a, b) if y is 1, max(cos(a, b) - margin, 0) if it is -1, with the cosine over the
/// last axis. PyTorch: `F.cosine_embedding_loss`.
public func cosineEmbeddingLoss(
  _ a: Tensor, _ b: Tensor, _ y: Tensor, margin: Double = 0, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "cosineEmbeddingLoss(_:_:_:)"
    if [a, b, y].contains(where: \.isPoisoned) { return .poisoned }
    guard a.rank > 0, a.shape == b.shape, y.shape == Array(a.shape.dropLast()) else {
      throw TensorError(
        call,
        "vectors \(a.shape) and \(b.shape) with signs \(y.shape) are not [N, D] twice and [N]")
    }
    return try inFloat32(a, b) { (a, b) throws(TensorError) in
      let product = (a * b).sum(over: -1)
      let lengths =
        ((a.squared().sum(over: -1) + 1e-12) * (b.squared().sum(over: -1) + 1e-12)).sqrt()
      let cosine = product / lengths
      let zeros = cosine.detached() * 0
      let near = Tensor.where(y .== 1, 1 - cosine, zeros)
      return reduction(
        near + Tensor.where(y .== -1, (cosine - margin).clamped(min: 0.0), zeros))
    }
  }
}

/// The length of a - b over the last axis in the p-norm, with `eps` added to the difference.
///
/// Shapes broadcast, and p may be any number. The gradient is 0 if the length is. Computed in
/// `float64` and rounded once. PyTorch: `F.pairwise_distance`.
public func pairwiseDistance(
  _ a: Tensor, _ b: Tensor, p: Double = 2, eps: Double = 1e-6, keepDims: Bool = false,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "pairwiseDistance(_:_:p:)"
    if p.isNaN || eps.isNaN { throw TensorError(call, "p and eps must be numbers, got NaN") }
    return try inFloat32(a, b) { (a, b) throws(TensorError) in
      let difference = a - b + eps
      if difference.isPoisoned { return .poisoned }
      guard difference.rank > 0 else {
        throw TensorError(call, "vectors are needed, got shapes \(a.shape) and \(b.shape)")
      }
      let length = try difference.wideNorm(p, over: [difference.rank - 1], call: call)
        .cast(to: difference.dtype)
      return keepDims ? length : length.squeezed(-1)
    }
  }
}

/// max(d(anchor, positive) - d(anchor, negative) + margin, 0), where d is
/// ``pairwiseDistance(_:_:p:eps:keepDims:file:line:)``. With `swap`, the smaller of the distances
/// from negative to anchor and to positive is used. The margin is positive. PyTorch:
/// `F.triplet_margin_loss`.
public func tripletMarginLoss(
  _ anchor: Tensor, _ positive: Tensor, _ negative: Tensor, margin: Double = 1, p: Double = 2,
  eps: Double = 1e-6, swap: Bool = false, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "tripletMarginLoss(_:_:_:)"
    let (anchor, positive, negative) = (anchor.widened, positive.widened, negative.widened)
    let all = [anchor, positive, negative]
    if all.contains(where: \.isPoisoned) { return .poisoned }
    guard margin > 0 else { throw TensorError(call, "margin must be positive, got \(margin)") }
    guard Set(all.map(\.rank)).count == 1 else {
      throw TensorError(
        call,
        "anchor \(anchor.shape), positive \(positive.shape) and negative \(negative.shape) have "
          + "different ranks")
    }
    let type = all.map(\.dtype).reduce(anchor.dtype) { DType.promoted($0, $1) }
    let isHalf = type == .float16 || type == .bfloat16
    func distance(_ a: Tensor, _ b: Tensor) -> Tensor {
      pairwiseDistance(
        isHalf ? a.cast(to: .float32) : a, b, p: p, eps: eps, file: file, line: line)
    }
    var far = distance(anchor, negative)
    if swap { far = minimum(far, distance(positive, negative)) }
    let losses = (distance(anchor, positive) - far + margin).clamped(min: 0.0)
    return isHalf ? reduction(losses).cast(to: type) : reduction(losses)
  }
}

/// x if y is 1, max(margin - x, 0) if it is -1. Shapes of the same rank broadcast. PyTorch:
/// `F.hinge_embedding_loss`.
public func hingeEmbeddingLoss(
  _ x: Tensor, _ y: Tensor, margin: Double = 1, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  elementwiseLoss("hingeEmbeddingLoss(_:_:)", x, y, reduction, file, line, broadcasts: true) {
    x, y in
    let low = Tensor.where(y .!= 1, (margin - x).clamped(min: 0.0), 0)
    return low + Tensor.where(y .!= -1, x, 0)
  }
}

/// max(margin - y (a - b), 0): a should be larger if y is 1, smaller if it is -1. Shapes of
/// the same rank broadcast. PyTorch: `F.margin_ranking_loss`.
public func marginRankingLoss(
  _ a: Tensor, _ b: Tensor, _ y: Tensor, margin: Double = 0, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if [a, b, y].contains(where: \.isPoisoned) { return .poisoned }
    guard a.rank == b.rank, a.rank == y.rank else {
      throw TensorError(
        "marginRankingLoss(_:_:_:)",
        "shapes \(a.shape), \(b.shape) and \(y.shape) have different ranks; squeezed(_:), "
          + "unsqueezed(_:) or reshaped(_:) makes them equal")
    }
    return try inFloat32(a, b) { a, b in
      reduction((margin - y * (a - b)).clamped(min: 0.0))
    }
  }
}

/// log(1 + e^(-y x)) for y = ±1. Shapes are equal. PyTorch: `F.soft_margin_loss`.
public func softMarginLoss(
  _ x: Tensor, _ y: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  let call = "softMarginLoss(_:_:)"
  return elementwiseLoss(call, x, y, reduction, file, line) { x, y in
    // The slope -y / (1 + e^(y x)) vanishes for large y x, and keeps its digits in `float64`.
    (-(y.detached() * x.detached()).logSigmoid()).recorded(
      call, from: [x, y], saving: [x, y]
    ) { rule in
      let (x, y) = (rule.saved[0].cast(to: .float64), rule.saved[1].cast(to: .float64))
      let share = rule.upstream.cast(to: .float64) * (-(x * y)).sigmoid()
      return [-(share * y), rule.whenNeeded(1) { -(share * x) }]
    }
  }
}
