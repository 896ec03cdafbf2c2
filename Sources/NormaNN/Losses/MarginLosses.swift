import NormaTensor

// Losses that push the scores of the right classes a margin above the others. Scores are `[C]` or
// `[N, C]`; a loss is the mean over classes. The programs run over `[N, C]` or, with several right
// classes, `[N, C, C]`, and store nothing of that size.

/// Σ over classes i other than the target y: max(margin - x[y] + x[i], 0)ᵖ w[y] / C.
///
/// - Parameters:
///   - x: scores `[N, C]`, or `[C]` or a number for one sample.
///   - target: classes `[N]` of an integer type; a scalar or size 1 for one sample.
///   - p: 1 or 2.
///   - margin: the margin between the right score and the others.
///   - weight: a factor for each class, `[C]`; the mean is not divided by it.
///   - reduction: how the samples' losses are combined.
///   - file: The caller's file, for error messages.
///   - line: The caller's line.
/// - PyTorch: `F.multi_margin_loss`, `nn.MultiMarginLoss`.
public func multiMarginLoss(
  _ x: Tensor, _ target: Tensor, p: Int = 1, margin: Double = 1, weight: Tensor? = nil,
  reduction: LossReduction = .mean, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || target.isPoisoned || weight?.isPoisoned == true { return .poisoned }
    let call = "multiMarginLoss(_:_:)"
    let (x, weight) = (x.widened, weight?.widened)
    guard p == 1 || p == 2 else { throw TensorError(call, "p must be 1 or 2, got \(p)") }
    let scores = try rows(x, call)
    let (samples, classes) = (scores.shape[0], scores.shape[1])
    guard target.shape == [samples] || x.rank < 2 && target.rank == 0, target.dtype.isInteger
    else {
      throw TensorError(
        call,
        "one class of an integer type for each of \(samples) samples is needed, got "
          + "\(target.dtype) \(target.shape) for scores \(x.shape)")
    }
    if let weight, weight.shape != [classes] || weight.dtype != x.dtype {
      throw TensorError(
        call,
        "the weight holds \(weight.dtype) \(weight.shape); \(x.dtype) for \(classes) classes is "
          + "needed"
      )
    }
    if let wrong = target.array(of: Int64.self).first(where: { $0 < 0 || $0 >= classes }) {
      throw TensorError(call, "target \(wrong) is not among the \(classes) classes")
    }
    let isTarget = target.reshaped(samples, 1) .== Tensor.arange(classes)
    let right = Tensor.where(isTarget, scores, 0).sum(over: 1, keepDims: true)
    let gaps = (scores - right + margin).clamped(min: 0.0)
    var losses = p == 1 ? gaps : gaps.squared()
    if let weight {
      losses = losses * Tensor.where(isTarget, weight, 0).sum(over: 1, keepDims: true)
    }
    let sums = Tensor.where(isTarget, 0, losses).sum(over: 1) / Double(classes)
    return reduction(x.rank < 2 ? sums.reshaped([]) : sums)
  }
}

/// Σ over right classes j and wrong classes i: max(1 - x[j] + x[i], 0) / C.
///
/// The targets `[N, C]` (or `[C]`) list a row's right classes, up to the first -1; a class that is
/// listed twice counts twice. Scores are real. PyTorch: `F.multilabel_margin_loss`,
/// `nn.MultiLabelMarginLoss`.
public func multiLabelMarginLoss(
  _ x: Tensor, _ target: Tensor, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || target.isPoisoned { return .poisoned }
    let call = "multiLabelMarginLoss(_:_:)"
    let x = x.widened
    let scores = try rows(x, call)
    let (samples, classes) = (scores.shape[0], scores.shape[1])
    guard target.shape == x.shape, target.dtype.isInteger else {
      throw TensorError(
        call,
        "targets of the scores' shape \(x.shape) and an integer type are needed, got "
          + "\(target.dtype) \(target.shape)")
    }
    // The count of each class in its row, which is small next to the scores' program.
    var labels = [Float](repeating: 0, count: samples * classes)
    let list = target.array(of: Int64.self)
    for row in 0..<samples {
      for place in row * classes..<(row + 1) * classes {
        if list[place] == -1 { break }
        guard list[place] >= 0, list[place] < classes else {
          throw TensorError(call, "target \(list[place]) is not among the \(classes) classes")
        }
        labels[row * classes + Int(list[place])] += 1
      }
    }
    let named = Tensor(labels, shape: [samples, classes], dtype: x.dtype)
    // [N, right, wrong]
    let gaps = (1 - (scores.unsqueezed(2) - scores.unsqueezed(1))).clamped(min: 0.0)
    let pairs = Tensor.where(named.unsqueezed(1) .== 0, gaps * named.unsqueezed(2), 0)
    let sums = pairs.sum(over: 1, 2) / Double(classes)
    return reduction(x.rank < 2 ? sums.reshaped([]) : sums)
  }
}

/// The mean over classes of -w (y log σ(x) + (1 - y) log σ(-x)): a binary decision per class.
///
/// x and y have the same shape, with classes in the last axis. The mean over samples follows.
/// PyTorch: `F.multilabel_soft_margin_loss`, `nn.MultiLabelSoftMarginLoss`.
public func multiLabelSoftMarginLoss(
  _ x: Tensor, _ y: Tensor, weight: Tensor? = nil, reduction: LossReduction = .mean,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || y.isPoisoned { return .poisoned }
    guard x.rank > 0, x.shape == y.shape else {
      throw TensorError(
        "multiLabelSoftMarginLoss(_:_:)",
        "shapes \(x.shape) and \(y.shape) are not one shape with classes in the last axis")
    }
    let x = x.widened
    let losses = -(y * x.logSigmoid() + (1 - y) * (-x).logSigmoid())
    return reduction((weight.map { losses * $0 } ?? losses).mean(over: -1))
  }
}

/// Scores as `[N, C]`.
private func rows(_ x: Tensor, _ call: String) throws(TensorError) -> Tensor {
  guard x.rank <= 2, x.dtype.isFloatingPoint, x.rank == 0 || x.shape[x.rank - 1] > 0 else {
    throw TensorError(call, "scores of shape [N, C] or [C] are needed, got \(x.dtype) \(x.shape)")
  }
  return x.rank == 2 ? x : x.reshaped(1, x.count)
}
