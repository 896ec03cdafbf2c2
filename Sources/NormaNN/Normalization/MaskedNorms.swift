import NormaTensor

// Norms of samples with padding, which affects neither statistics nor results nor gradients. Batch
// norm has a masked form of its own, with running statistics.

/// Layer normalization of the values where `mask` is not zero by their own statistics; 0 elsewhere.
///
/// The formula is that of ``LayerNorm`` over the selected values, with n their number. The mask
/// broadcasts to the input: `[N, L, 1]` for padded sequences `[N, L, F]`; it may also mask
/// positions of the normalized axes.
///
/// - Edge cases: a sample without values gives zeros, one with a single value gives the bias there;
///   masked values may be NaN, and have gradient 0.
/// - Accuracy: as ``LayerNorm``. Cost: four passes over memory.
/// - Flax: `LayerNorm` with `mask`, which leaves padding in the result. PyTorch has none.
public func layerNorm(
  _ x: Tensor, normalizedShape: [Int], axes: [Int]? = nil, mask: Tensor, weight: Tensor? = nil,
  bias: Tensor? = nil, eps: Double = 1e-5, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try maskedLayerNorm(
      x, normalizedShape, axes, mask, weight, bias, eps, call: "layerNorm(_:mask:)")
  }
}

private func maskedLayerNorm(
  _ x: Tensor, _ normalizedShape: [Int], _ axes: [Int]?, _ mask: Tensor, _ weight: Tensor?,
  _ bias: Tensor?, _ eps: Double, call: String
) throws(TensorError) -> Tensor {
  if x.isPoisoned || mask.isPoisoned { return .poisoned }
  let places = try NormalizedAxes(
    normalizedShape, axes: axes, of: x, weight: weight, bias: bias, call: call)
  try requireMask(mask, x, call: call)
  return try x.normalized(
    over: places.axes, mask: mask, eps: eps, weight: weight?.reshaped(places.parameterShape),
    bias: bias?.reshaped(places.parameterShape), call: call
  ).output
}

/// Root mean square normalization of the values where `mask` is not zero; 0 elsewhere.
///
/// y = x / √(Σ x² / n + eps) * weight over the n selected values; see ``RMSNorm`` and
/// ``layerNorm(_:normalizedShape:axes:mask:weight:bias:eps:file:line:)``.
///
/// - Accuracy: computed in `float64` and rounded once. Cost: two passes over memory.
public func rmsNorm(
  _ x: Tensor, normalizedShape: [Int], axes: [Int]? = nil, mask: Tensor, weight: Tensor? = nil,
  eps: Double? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try maskedRMSNorm(x, normalizedShape, axes, mask, weight, eps, call: "rmsNorm(_:mask:)")
  }
}

/// Composed of differentiable operations: masked values have gradient 0, as they have result 0.
private func maskedRMSNorm(
  _ x: Tensor, _ normalizedShape: [Int], _ axes: [Int]?, _ mask: Tensor, _ weight: Tensor?,
  _ eps: Double?, call: String
) throws(TensorError) -> Tensor {
  if x.isPoisoned || mask.isPoisoned { return .poisoned }
  let places = try NormalizedAxes(
    normalizedShape, axes: axes, of: x, weight: weight, call: call)
  try requireMask(mask, x, call: call)
  let eps = eps ?? x.dtype.computingEpsilon
  try requireEpsilon(eps, call: call)
  let holds = mask.detached().cast(to: .bool)
  let kept = Tensor.where(holds, x, Tensor.zeros([], dtype: x.dtype)).cast(to: .float64)
  let count = holds.cast(to: .float64).broadcast(to: x.shape)
    .sum(over: places.axes, keepDims: true).clamped(min: 1)
  let square = kept.squared().sum(over: places.axes, keepDims: true) / count
  let normalized = kept * (square + eps).rsqrt()
  guard let weight else { return normalized.cast(to: x.dtype) }
  return (normalized * weight.reshaped(places.parameterShape).cast(to: .float64))
    .cast(to: x.dtype)
}

/// Group normalization of the values where `mask` is not zero, with the statistics of those in
/// their group; 0 elsewhere.
///
/// The mask broadcasts to the input: `[N, 1, L]` for padded sequences `[N, C, L]`. See
/// ``GroupNorm`` and ``layerNorm(_:normalizedShape:axes:mask:weight:bias:eps:file:line:)``.
public func groupNorm(
  _ x: Tensor, groups: Int, mask: Tensor, weight: Tensor? = nil, bias: Tensor? = nil,
  eps: Double = 1e-5, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try maskedGroupNorm(x, groups, mask, weight, bias, eps, call: "groupNorm(_:groups:mask:)")
  }
}

private func maskedGroupNorm(
  _ x: Tensor, _ groups: Int, _ mask: Tensor, _ weight: Tensor?, _ bias: Tensor?, _ eps: Double,
  call: String
) throws(TensorError) -> Tensor {
  if x.isPoisoned || mask.isPoisoned { return .poisoned }
  let parts = try GroupedChannels(x, groups, weight: weight, bias: bias, call: call)
  try requireMask(mask, x, call: call)
  let whole = [Int](repeating: 1, count: x.rank - mask.rank) + mask.shape
  let channels = whole[1] == 1 ? [1, 1] : [groups, parts.size]
  return try parts.input.normalized(
    over: parts.axes, mask: mask.reshaped([whole[0]] + channels + whole.dropFirst(2)), eps: eps,
    weight: parts.weight, bias: parts.bias, call: call
  ).output.reshaped(x.shape)
}

/// Instance normalization of a batch: normalizes the values where `mask` is not zero with the
/// statistics of those in their channel and sample; 0 elsewhere.
///
/// The mask broadcasts to the input: `[N, 1, L]` for padded sequences `[N, C, L]`. See
/// ``InstanceNorm`` and ``layerNorm(_:normalizedShape:axes:mask:weight:bias:eps:file:line:)``.
public func instanceNorm(
  _ x: Tensor, mask: Tensor, weight: Tensor? = nil, bias: Tensor? = nil, eps: Double = 1e-5,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || mask.isPoisoned { return .poisoned }
    return try maskedInstanceNorm(x, 1, mask, weight, bias, eps, call: "instanceNorm(_:mask:)")
      .output
  }
}

private func maskedInstanceNorm(
  _ x: Tensor, _ channelAxis: Int, _ mask: Tensor, _ weight: Tensor?, _ bias: Tensor?,
  _ eps: Double, call: String
) throws(TensorError) -> (output: Tensor, statistics: MaskedStatistics) {
  guard x.rank > channelAxis + 1 else {
    throw TensorError(call, "shape \(x.shape) has no axes after the channels")
  }
  try requireReal(x, call: call)
  try requireChannels(
    x.shape[channelAxis], ["weight": weight, "bias": bias], call: call)
  try requireMask(mask, x, call: call)
  let shape = x.shape.indices.map { $0 == channelAxis ? x.shape[channelAxis] : 1 }
  return try x.normalized(
    over: Array(channelAxis + 1..<x.rank), mask: mask, eps: eps, weight: weight?.reshaped(shape),
    bias: bias?.reshaped(shape), call: call)
}

private func requireMask(_ mask: Tensor, _ x: Tensor, call: String) throws(TensorError) {
  guard mask.stretches(to: x.shape) else {
    throw TensorError(
      call, "the mask has shape \(mask.shape), which does not stretch to \(x.shape)")
  }
}

extension LayerNorm {
  /// Normalizes the values where `mask` is not zero by their own statistics; 0 elsewhere. See
  /// ``layerNorm(_:normalizedShape:axes:mask:weight:bias:eps:file:line:)``.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try maskedLayerNorm(
        x, normalizedShape, axes, mask, weight?.value, bias?.value, eps, call: "LayerNorm(_:mask:)")
    }.observed(by: self, of: x, file, line)
  }
}

extension RMSNorm {
  /// Normalizes the values where `mask` is not zero by their own root mean square; 0 elsewhere. See
  /// ``rmsNorm(_:normalizedShape:axes:mask:weight:eps:file:line:)``.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try maskedRMSNorm(
        x, normalizedShape, axes, mask, weight?.value, eps, call: "RMSNorm(_:mask:)")
    }.observed(by: self, of: x, file, line)
  }
}

extension GroupNorm {
  /// Normalizes the values where `mask` is not zero with the statistics of those in their group; 0
  /// elsewhere. See ``groupNorm(_:groups:mask:weight:bias:eps:file:line:)``.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let norm = standIn as? BatchNorm { return norm(x, mask: mask, file: file, line: line) }
    if let norm = standIn as? GroupNorm { return norm(x, mask: mask, file: file, line: line) }
    return checked(file: file, line: line) { () throws(TensorError) in
      try maskedGroupNorm(
        x, groups, mask, weight?.value, bias?.value, eps, call: "GroupNorm(_:mask:)")
    }.observed(by: self, of: x, file, line)
  }
}

extension InstanceNorm {
  /// Normalizes the values where `mask` is not zero with the statistics of those in their channel
  /// and sample; 0 elsewhere. See ``instanceNorm(_:mask:weight:bias:eps:file:line:)``.
  ///
  /// Running statistics, if there are any, are updated with the means over the samples that have
  /// values (at least two for the variance), and normalize the selected values in evaluation.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned || mask.isPoisoned { return .poisoned }
      let call = "\(name)(_:mask:)"
      let axis = try channelAxis(x)
      if isTraining || runningMean == nil {
        let (output, statistics) = try maskedInstanceNorm(
          x, axis, mask, weight?.value, bias?.value, eps, call: call)
        // Run together with the output, which reads the input while it is in cache.
        output.evaluated()
        if isTraining && !GradientMode.isRecomputing { commit(statistics) }
        return output
      }
      try requireMask(mask, x, call: call)
      let holds = mask.detached().cast(to: .bool)
      let zero = Tensor.zeros([], dtype: x.dtype)
      // Masked values may be NaN and must not reach the gradients either.
      let everywhere = try instanceNorm(
        Tensor.where(holds, x, zero), channelAxis: axis, runningMean: runningMean?.value,
        runningVar: runningVar?.value, weight: weight?.value, bias: bias?.value,
        useInputStats: false, eps: eps, call: call
      ).output
      return Tensor.where(holds, everywhere, zero)
    }.observed(by: self, of: x, file, line)
  }

  /// Updates the running statistics with the means of the samples' statistics.
  private func commit(_ statistics: MaskedStatistics) {
    let degrees = statistics.count - 1
    let variance = statistics.squares / degrees.clamped(min: 1)
    follow(
      mean: average(statistics.mean, where: statistics.count .> 0.0),
      variance: average(variance, where: degrees .> 0.0))
  }

  /// The mean of a statistic over the samples that have it.
  private func average(_ value: Tensor, where isKnown: Tensor) -> RunningStatisticsUpdate.Target {
    guard value.rank == space + 2 else { return .init(value: value, isKnown: isKnown) }
    let count = isKnown.cast(to: .float64).sum(over: 0, keepDims: true)
    let sum = Tensor.where(isKnown, value, 0.0).sum(over: 0, keepDims: true)
    return .init(value: sum / count.clamped(min: 1), isKnown: count .> 0.0)
  }
}

extension Tensor {
  /// A mask for padded data of a shape: selects the first `lengths[n]` positions of an axis in
  /// sample n, along the first axis.
  ///
  ///     let y = norm(x, mask: .mask(lengths: [5, 3], over: 2, of: x.shape))
  ///
  /// - Shapes: the sizes of the first axis and of `axis`, and 1 elsewhere; it broadcasts to
  ///   `shape`.
  /// - Keras: `tf.sequence_mask`. PyTorch has none.
  public static func mask(
    lengths: [Int], over axis: Int, of shape: [Int], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "mask(lengths:over:of:)"
      _ = try Shape.count(shape, call: call)
      let front = try Shape.axis(axis, of: shape, call: call)
      guard front > 0, lengths.count == shape[0] else {
        throw TensorError(
          call,
          "\(lengths.count) lengths over axis \(axis) of shape \(shape); there is one for each "
            + "sample in axis 0, over another axis")
      }
      let size = shape[front]
      if let wrong = lengths.first(where: { !(0...size).contains($0) }) {
        throw TensorError(
          call, "length \(wrong) is out of range; axis \(axis) has lengths from 0 to \(size)")
      }
      func along(_ axis: Int) -> [Int] { shape.indices.map { $0 == axis ? shape[$0] : 1 } }
      return Tensor.arange(size).reshaped(along(front)) .< Tensor(lengths, shape: along(0))
    }
  }
}
