import NormaTensor

// Losses of predictions and targets of the same shape. Each is one program up to its reduction, and
// nothing of the inputs' size is stored. Half types are computed in `float32` and rounded at the
// end.

/// Runs the rule of a loss of tensors of the same shape, in `float32` for half types.
///
/// `[4, 1]` with `[4]` would broadcast to a loss of `[4, 4]`, which is never intended; with
/// `broadcasts`, shapes of the same rank may broadcast.
func elementwiseLoss(
  _ call: String, _ x: Tensor, _ y: Tensor, _ reduction: LossReduction, _ file: StaticString,
  _ line: UInt, broadcasts: Bool = false,
  _ rule: (Tensor, Tensor) throws(TensorError) -> Tensor
) -> Tensor {
  checked(file: file, line: line, call: call) { () throws(TensorError) in
    if x.isPoisoned || y.isPoisoned { return .poisoned }
    guard x.shape == y.shape || broadcasts && x.rank == y.rank else {
      throw unequalShapes(call, x, y)
    }
    return try inFloat32(x, y) { (x, y) throws(TensorError) in reduction(try rule(x, y)) }
  }
}

/// Runs `rule` in `float32` where the result of both types is a half type, and rounds once.
func inFloat32(
  _ x: Tensor, _ y: Tensor, _ rule: (Tensor, Tensor) throws(TensorError) -> Tensor
) throws(TensorError) -> Tensor {
  let (x, y) = (x.widened, y.widened)
  let common = DType.promoted(x.dtype, y.dtype)
  guard common == .float16 || common == .bfloat16 else { return try rule(x, y) }
  return try rule(x.cast(to: .float32), y.cast(to: .float32)).cast(to: common)
}

private func unequalShapes(_ call: String, _ x: Tensor, _ y: Tensor) -> TensorError {
  let isSameCount = x.count == y.count
  return TensorError(
    call,
    "shapes \(x.shape) and \(y.shape) differ and would broadcast to all pairs; "
      + (isSameCount
        ? "squeezed(_:), unsqueezed(_:) or reshaped(_:) makes them equal"
        : "broadcast(to:) makes them equal if that is intended"))
}

/// (x - y)². Shapes are equal. PyTorch: `F.mse_loss`, which broadcasts with a warning.
public func mseLoss(
  _ x: Tensor, _ y: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  elementwiseLoss("mseLoss(_:_:)", x, y, reduction, file, line) { ($0 - $1).squared() }
}

/// |x - y|. Shapes are equal. PyTorch: `F.l1_loss`, which broadcasts with a warning.
public func l1Loss(
  _ x: Tensor, _ y: Tensor, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  elementwiseLoss("l1Loss(_:_:)", x, y, reduction, file, line) { ($0 - $1).abs() }
}

/// (x - y)² / (2 beta) within ±`beta`, else |x - y| - beta / 2. Shapes are equal.
/// PyTorch: `F.smooth_l1_loss`.
public func smoothL1Loss(
  _ x: Tensor, _ y: Tensor, beta: Double = 1, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let call = "smoothL1Loss(_:_:beta:)"
  return elementwiseLoss(call, x, y, reduction, file, line) { (x, y) throws(TensorError) in
    if let problem = negativeOption(("beta", beta)) { throw TensorError(call, problem) }
    let distance = (x - y).abs()
    if beta == 0 { return distance }
    return .where(distance .< beta, distance * distance * (0.5 / beta), distance - 0.5 * beta)
  }
}

/// (x - y)² / 2 within ±`delta`, else delta (|x - y| - delta / 2). Shapes are equal.
/// PyTorch: `F.huber_loss`.
public func huberLoss(
  _ x: Tensor, _ y: Tensor, delta: Double = 1, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  let call = "huberLoss(_:_:delta:)"
  return elementwiseLoss(call, x, y, reduction, file, line) { (x, y) throws(TensorError) in
    guard delta > 0 else { throw TensorError(call, "delta must be positive, got \(delta)") }
    let distance = (x - y).abs()
    return .where(
      distance .<= delta, distance * distance * 0.5, (distance - 0.5 * delta) * delta)
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
    let (x, y, weight) = (x.widened, y.widened, weight?.widened)
    guard x.shape == y.shape || x.isPoisoned || y.isPoisoned else {
      throw unequalShapes(call, x, y)
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
/// ((1 - y) log(1 + eˣ) + posWeight y log(1 + e⁻ˣ)) times `weight`. A term with factor 0 is 0, also
/// at infinite x. PyTorch: `F.binary_cross_entropy_with_logits`.
public func binaryCrossEntropyWithLogits(
  _ x: Tensor, _ y: Tensor, weight: Tensor? = nil, posWeight: Tensor? = nil,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "binaryCrossEntropyWithLogits(_:_:)"
    if x.isPoisoned || y.isPoisoned { return .poisoned }
    guard x.shape == y.shape else { throw unequalShapes(call, x, y) }
    return try inFloat32(x, y) { (x, y) throws(TensorError) in
      let (no, yes) = (1 - y, posWeight.map { $0 * y } ?? y)
      if (no * yes).isPoisoned { return .poisoned }
      let (scores, shares) = (x.detached(), (no: no.detached(), yes: yes.detached()))
      func term(_ share: Tensor, _ logSigmoid: Tensor) -> Tensor {
        Tensor.where(share .== 0, 0, -(share * logSigmoid))
      }
      let losses = (term(shares.no, (-scores).logSigmoid()) + term(shares.yes, scores.logSigmoid()))
        .recorded(call, from: [x, no, yes], saving: [x, no, yes]) { rule in
          let (x, no, yes) = (rule.saved[0], rule.saved[1], rule.saved[2])
          return [
            rule.upstream * (no * x.sigmoid() - yes * (-x).sigmoid()),
            rule.whenNeeded(1) { -(rule.upstream * (-x).logSigmoid()) },
            rule.whenNeeded(2) { -(rule.upstream * x.logSigmoid()) },
          ]
        }
      return reduction(weight.map { losses * $0 } ?? losses)
    }
  }
}

/// y (log y - x) for log-probabilities x; with `logTarget`, y is given as its logarithm.
///
/// `.mean` divides by the number of elements, as in PyTorch; for the mean over a batch, take the
/// sum and divide it by the size of the first axis. PyTorch: `F.kl_div`.
public func klDivergence(
  _ x: Tensor, _ y: Tensor, logTarget: Bool = false, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  elementwiseLoss("klDivergence(_:_:)", x, y, reduction, file, line) { x, y in
    let none = -Double.infinity
    if logTarget {
      let difference = Tensor.where(y.detached() .== none, 0, y - x)
      return y.exp() * difference
    }
    let isZero = y.detached() .== 0
    let logs = Tensor.where(isZero, 1.0, y).log()
    // 0 · log 0 is 0 for both distributions.
    let known = Tensor.where(isZero * (x.detached() .== none), 0, x)
    return Tensor.where(isZero, 0, y * logs) - y * known
  }
}
