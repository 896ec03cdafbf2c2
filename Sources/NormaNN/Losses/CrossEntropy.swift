import NormaKernels
import NormaTensor

/// What becomes of the losses of single samples.
public enum LossReduction: Sendable, Hashable {
  /// Their mean, weighted where there are weights.
  case mean
  /// Their sum.
  case sum
  /// Nothing: one loss for each.
  case none

  func callAsFunction(_ losses: Tensor) -> Tensor {
    switch self {
    case .mean: losses.mean()
    case .sum: losses.sum()
    case .none: losses
    }
  }
}

/// The cross entropy of scores (logits) with classes: -log softmax(x)[class].
///
/// - Shapes: input `[C]`, `[N, C]` or `[N, C, d...]`; targets without C and of an integer type, or of the
///   input's shape and real: probabilities of the classes.
/// - Parameters:
///   - x: the scores.
///   - target: the classes, or their probabilities.
///   - weight: a factor for each class, `[C]`; the mean is then divided by the factors of the targets.
///   - ignoreIndex: a target that does not count; of a class only beside targets that are classes.
///   - labelSmoothing: the share of the target's probability that is spread evenly over all classes.
///   - reduction: what becomes of the samples' losses.
///   - file: The caller's file, for the text of a mistake.
///   - line: The caller's line.
/// - Edge cases: a target outside of `0 ..< C` is refused; with nothing to count the mean is NaN.
/// - Cost: three trips over the input, fused; nothing of its size is stored in small batches.
/// - PyTorch: `F.cross_entropy`.
public func crossEntropy(
  _ x: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100,
  labelSmoothing: Double = 0, reduction: LossReduction = .mean, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || target.isPoisoned { return .poisoned }
    let call = "crossEntropy(_:_:)"
    let (x, target, weight) = (x.widened, target.widened, weight?.widened)
    guard (0...1).contains(labelSmoothing) else {
      throw TensorError(call, "labelSmoothing must lie in 0...1, got \(labelSmoothing)")
    }
    guard x.rank > 0, x.dtype.isFloatingPoint else {
      throw TensorError(call, "scores of shape [N, C] are needed, got \(x.dtype) \(x.shape)")
    }
    let isShares = target.dtype.isFloatingPoint && target.shape == x.shape
    guard !isShares || ignoreIndex < 0 else {
      throw TensorError(
        call,
        "ignoreIndex \(ignoreIndex) names a class; the targets are probabilities of all classes")
    }
    func loss(_ x: Tensor, _ weight: Tensor?) throws(TensorError) -> Tensor {
      let logits = x.logSoftmax(over: x.rank == 1 ? 0 : 1)
      return isShares
        ? try probabilityLoss(logits, target, weight, labelSmoothing, reduction, call)
        : try indexLoss(logits, target, weight, ignoreIndex, labelSmoothing, reduction, call)
    }
    guard x.dtype == .float16 || x.dtype == .bfloat16 else { return try loss(x, weight) }
    try checkWeight(weight, x, x.rank == 1 ? 0 : 1, call)
    return try loss(x.cast(to: .float32), weight?.cast(to: .float32)).cast(to: x.dtype)
  }
}

/// The negative log-likelihood of classes, given log-probabilities: -x[class].
///
/// Shapes and parameters are those of ``crossEntropy(_:_:weight:ignoreIndex:labelSmoothing:reduction:file:line:)``.
/// PyTorch: `F.nll_loss`.
public func nllLoss(
  _ x: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || target.isPoisoned { return .poisoned }
    return try indexLoss(
      x.widened, target, weight?.widened, ignoreIndex, 0, reduction, "nllLoss(_:_:)")
  }
}

/// `[C, 1, ...]` of the classes' axis beside an input.
private func alongClasses(_ values: Tensor, _ x: Tensor) -> Tensor {
  x.rank <= 2 ? values : values.reshaped([-1] + [Int](repeating: 1, count: x.rank - 2))
}

private func checkWeight(
  _ weight: Tensor?, _ scores: Tensor, _ axis: Int, _ call: String
) throws(TensorError) {
  guard let weight else { return }
  guard weight.shape == [scores.shape[axis]], weight.dtype == scores.dtype else {
    throw TensorError(
      call,
      "the weight holds \(weight.dtype) of shape \(weight.shape); \(scores.dtype) for "
        + "\(scores.shape[axis]) classes is needed")
  }
}

private func indexLoss(
  _ logits: Tensor, _ target: Tensor, _ weight: Tensor?, _ ignoreIndex: Int, _ smoothing: Double,
  _ reduction: LossReduction, _ call: String
) throws(TensorError) -> Tensor {
  let axis = logits.rank == 1 ? 0 : 1
  let classes = logits.shape[axis]
  var expected = logits.shape
  expected.remove(at: axis)
  guard target.shape == expected, !target.dtype.isFloatingPoint, target.dtype != .bool else {
    throw TensorError(
      call,
      "targets of shape \(expected) and an integer type are needed for scores of shape "
        + "\(logits.shape); got \(target.dtype) \(target.shape)")
  }
  try checkWeight(weight, logits, axis, call)
  try checkClasses(target, classes, ignoreIndex, call)
  let wanted = target.unsqueezed(axis)
  let numbers = alongClasses(.arange(classes), logits)
  var isTarget = wanted .== numbers
  if (0..<classes).contains(ignoreIndex) { isTarget = isTarget * (wanted .!= ignoreIndex) }
  let factors = weight.map { alongClasses($0.detached(), logits) }
  var picked = Tensor.where(isTarget, logits, 0)
  if let factors { picked = picked * factors }
  var losses = -picked.sum(over: axis)
  if smoothing > 0 {
    let all = factors.map { logits * $0 } ?? logits
    let spread = Tensor.where(wanted .== ignoreIndex, 0, all).sum(over: axis)
    losses = losses * (1 - smoothing) - spread * (smoothing / Double(classes))
  }
  guard reduction == .mean else { return reduction(losses) }
  let counted = Tensor.where(isTarget, factors ?? Tensor.ones([], dtype: logits.dtype), 0)
  if weight == nil && !hasIgnored(target, ignoreIndex) { return losses.mean() }
  return losses.sum() / counted.sum()
}

private func probabilityLoss(
  _ logits: Tensor, _ target: Tensor, _ weight: Tensor?, _ smoothing: Double,
  _ reduction: LossReduction, _ call: String
) throws(TensorError) -> Tensor {
  let axis = logits.rank == 1 ? 0 : 1
  let classes = logits.shape[axis]
  try checkWeight(weight, logits, axis, call)
  var target = target
  if smoothing > 0 { target = target * (1 - smoothing) + smoothing / Double(classes) }
  // What a class of no probability would cost plays no part, even where it is infinite.
  let known = Tensor.where(
    (target.detached() .== 0) * (logits.detached() .== -Double.infinity), 0, logits)
  var products = known * target
  if let weight { products = products * alongClasses(weight.detached(), logits) }
  let losses = -products.sum(over: axis)
  let samples = Double(logits.count / max(classes, 1))
  return reduction == .mean ? losses.sum() / samples : reduction(losses)
}

private func checkClasses(
  _ target: Tensor, _ classes: Int, _ ignored: Int, _ call: String
) throws(TensorError) {
  for value in target.array(of: Int64.self)
  where (value < 0 || value >= classes) && value != ignored {
    throw TensorError(call, "target \(value) is not among the \(classes) classes")
  }
}

private func hasIgnored(_ target: Tensor, _ ignored: Int) -> Bool {
  target.array(of: Int64.self).contains(Int64(ignored))
}
