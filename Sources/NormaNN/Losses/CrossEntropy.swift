import NormaTensor

/// How the losses of single samples are combined.
public enum LossReduction: Sendable, Hashable {
  /// Their mean, weighted if there are weights.
  case mean
  /// Their sum.
  case sum
  /// No reduction: one loss per sample.
  case none

  func callAsFunction(_ losses: Tensor) -> Tensor {
    switch self {
    case .mean: losses.mean()
    case .sum: losses.sum()
    case .none: losses
    }
  }
}

/// The cross entropy of scores (logits) and classes: -log softmax(x)[class].
///
/// - Shapes: input `[C]`, `[N, C]` or `[N, C, d...]`; targets either without the axis C and of an
///   integer type, or of the input's shape and real: probabilities of the classes.
/// - Parameters:
///   - x: the scores.
///   - target: the classes, or their probabilities.
///   - weight: a factor for each class, `[C]`; the mean is then divided by the sum of the targets'
///     factors.
///   - ignoreIndex: a target that is ignored; may name a class only if the targets are classes.
///   - labelSmoothing: the share of the target's probability that is spread evenly over all
///     classes.
///   - reduction: how the samples' losses are combined.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - Edge cases: a target outside of `0 ..< C` is an error; if all targets are ignored, the mean is
///   NaN.
/// - Cost: if the classes are the last axis of `float32` in memory, one pass over the input and
///   one for its gradient, and nothing of its size is stored; otherwise that of `logSoftmax` and a
///   gather.
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
      throw TensorError(call, "labelSmoothing must be in 0...1, got \(labelSmoothing)")
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
      let axis = x.rank == 1 ? 0 : 1
      if isShares {
        return try probabilityLoss(
          x.logSoftmax(over: axis), target, weight, labelSmoothing, reduction, call)
      }
      let targets = try ClassTargets(target, x, weight, ignoreIndex, axis, call)
      if labelSmoothing == 0 {
        return targets.loss(
          x.logSoftmax(at: targets.places, over: axis, call: call), reduction)
      }
      let logits = x.logSoftmax(over: axis)
      return targets.loss(
        targets.picked(logits), reduction, spread: logits, smoothing: labelSmoothing)
    }
    guard x.dtype == .float16 || x.dtype == .bfloat16 else { return try loss(x, weight) }
    try checkWeight(weight, x, x.rank == 1 ? 0 : 1, call)
    return try loss(x.cast(to: .float32), weight?.cast(to: .float32)).cast(to: x.dtype)
  }
}

/// The negative log-likelihood of classes, given log-probabilities: -x[class].
///
/// Shapes and parameters are those of
/// ``crossEntropy(_:_:weight:ignoreIndex:labelSmoothing:reduction:file:line:)``.
/// PyTorch: `F.nll_loss`.
public func nllLoss(
  _ x: Tensor, _ target: Tensor, weight: Tensor? = nil, ignoreIndex: Int = -100,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || target.isPoisoned { return .poisoned }
    let (x, weight) = (x.widened, weight?.widened)
    let targets = try ClassTargets(
      target, x, weight, ignoreIndex, x.rank == 1 ? 0 : 1, "nllLoss(_:_:)")
    return targets.loss(targets.picked(x), reduction)
  }
}

/// `[C, 1, ...]`: aligns values per class with the class axis of an input.
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

/// Targets that are classes: their indices and weights.
private struct ClassTargets {
  /// The classes, -1 for ignored targets.
  let places: Tensor
  private let axis: Int, classes: Int
  /// Whether some are ignored.
  private let hasIgnored: Bool
  /// The factors of the classes, `[C]`.
  private let weight: Tensor?

  init(
    _ target: Tensor, _ x: Tensor, _ weight: Tensor?, _ ignored: Int, _ axis: Int, _ call: String
  ) throws(TensorError) {
    guard x.rank > 0 else {
      throw TensorError(call, "scores of shape [N, C] are needed, got \(x.dtype) \(x.shape)")
    }
    classes = x.shape[axis]
    var expected = x.shape
    expected.remove(at: axis)
    guard target.shape == expected, !target.dtype.isFloatingPoint, target.dtype != .bool else {
      throw TensorError(
        call,
        "targets of shape \(expected) and an integer type are needed for scores of shape "
          + "\(x.shape); got \(target.dtype) \(target.shape)")
    }
    try checkWeight(weight, x, axis, call)
    (self.axis, self.weight) = (axis, weight?.detached())
    let isInside = target.count == 0 || ClassTargets.areInside(target, classes)
    hasIgnored = !isInside || (0..<classes).contains(ignored)
    if !isInside {
      try target.dtype == .uint64
        ? ClassTargets.check(target.array(of: UInt64.self), classes, ignored, call)
        : ClassTargets.check(target.array(of: Int64.self), classes, ignored, call)
    }
    let all = target.cast(to: .int64)
    places = hasIgnored ? Tensor.where(target .== ignored, -1, all) : all
  }

  private static func areInside(_ target: Tensor, _ classes: Int) -> Bool {
    // Siblings: one pass over memory.
    let (least, most) = (target.min(), target.max())
    return (least.item() as Double) >= 0 && (most.item() as Double) < Double(classes)
  }

  private static func check<T: BinaryInteger>(
    _ values: [T], _ classes: Int, _ ignored: Int, _ call: String
  ) throws(TensorError) {
    for value in values where (value < 0 || value >= classes) && value != ignored {
      throw TensorError(call, "target \(value) is not among the \(classes) classes")
    }
  }

  /// The log-probabilities of the target classes; 0 for ignored targets.
  func picked(_ logits: Tensor) -> Tensor {
    let safe = hasIgnored ? places.clamped(min: 0) : places
    let picked = logits.gathered(safe.unsqueezed(axis), over: axis).squeezed(axis)
    return hasIgnored ? Tensor.where(places .< 0, 0, picked) : picked
  }

  /// The loss of the picked log-probabilities. With `smoothing`, that share of each target is
  /// spread evenly over all classes.
  func loss(
    _ picked: Tensor, _ reduction: LossReduction, spread logits: Tensor? = nil,
    smoothing: Double = 0
  ) -> Tensor {
    // An ignored target may have any factor, as its picked value is 0.
    let factors = weight.map { $0[hasIgnored ? places.clamped(min: 0) : places] }
    var losses = factors.map { -(picked * $0) } ?? -picked
    if let logits {
      let all = weight.map { logits * alongClasses($0, logits) } ?? logits
      var spread = all.sum(over: axis)
      if hasIgnored { spread = Tensor.where(places .< 0, 0, spread) }
      losses = losses * (1 - smoothing) - spread * (smoothing / Double(classes))
    }
    guard reduction == .mean else { return reduction(losses) }
    if factors == nil && !hasIgnored { return losses.mean() }
    let one = factors ?? Tensor.ones([], dtype: losses.dtype)
    let counted = hasIgnored ? Tensor.where(places .< 0, 0, one) : one
    return losses.sum() / counted.sum()
  }
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
  // The loss of a class with probability 0 must not matter, even if it is infinite.
  let known = Tensor.where(
    (target.detached() .== 0) * (logits.detached() .== -Double.infinity), 0, logits)
  var products = known * target
  if let weight { products = products * alongClasses(weight.detached(), logits) }
  let losses = -products.sum(over: axis)
  let samples = Double(logits.count / max(classes, 1))
  return reduction == .mean ? losses.sum() / samples : reduction(losses)
}
