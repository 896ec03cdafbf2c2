import NormaKernels
import NormaTensor

/// Batch normalization over the channels in axis 1, for inputs of any number of axes.
///
/// y = (x - mean) / √(variance + eps) * weight + bias, where in training mean and variance are
/// those of the batch, over all axes but 1, the variance divided by n; in evaluation the running
/// ones. In training the running statistics follow: (1 - momentum) * old + momentum * batch, with
/// the batch's variance divided by n - 1.
///
/// - Shapes: input and output `[N, C, ...]`; weight, bias and running statistics `[C]`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: a constant channel gives exactly the bias; an empty batch gives an empty result,
///   leaves the running mean and variance, and counts as a batch; one value per channel is refused
///   in training.
/// - Accuracy: the mean is carried in two numbers, so that data far from zero keep their digits: in
///   `float32` at most 4 ulp of the largest result, for data at 1e7 ± 1 too.
/// - Cost, in training: one read and one write where a channel's numbers lie together or in runs of
///   at least 16,384, take at most 4 MiB, and there are at least twice as many channels as threads
///   (large images, N, C, H, W); else one read more. In evaluation: one read and one write.
/// - PyTorch: `torch.nn.BatchNorm1d`, `2d`, `3d`; use the class of that name. Keras and Flax count
///   momentum the other way round (their 0.99 is 0.01 here), and Keras' eps is 1e-3.
/// - Source: Ioffe and Szegedy, "Batch Normalization" (2015).
open class BatchNorm: Module, Layer {
  /// The number of channels.
  public let features: Int
  /// Added to the variance under the root.
  public let eps: Double
  /// The share of the new batch in the running statistics; nil for the mean of all batches so far.
  public let momentum: Double?
  /// γ of each channel, at first 1; nil without `affine`.
  public let weight: Parameter?
  /// β of each channel, at first 0; nil without `affine` or `bias`.
  public let bias: Parameter?
  /// The running mean of each channel, at first 0; nil without `trackRunningStats`.
  public let runningMean: Buffer?
  /// The running variance of each channel (divided by n - 1), at first 1.
  public let runningVar: Buffer?
  /// How many training batches the running statistics have seen.
  public let numBatchesTracked: Buffer?

  /// The numbers of axes that an input may have.
  var ranks: ClosedRange<Int> { 2...Int.max }
  /// The layer's name in messages.
  var name: String { "BatchNorm" }

  /// A layer for `features` channels, with PyTorch's defaults and meanings.
  ///
  /// `affine: false` leaves out weight and bias, `bias: false` the bias alone. Without
  /// `trackRunningStats` the batch normalizes in evaluation, too. PyTorch:
  /// `nn.BatchNorm2d(features)`.
  public init(
    _ features: Int, eps: Double = 1e-5, momentum: Double? = 0.1, affine: Bool = true,
    bias: Bool = true, trackRunningStats: Bool = true, dtype: DType = .float32
  ) {
    self.features = features
    self.eps = eps
    self.momentum = momentum
    weight = affine ? Parameter(.ones(features, dtype: dtype)) : nil
    self.bias = affine && bias ? Parameter(.zeros(features, dtype: dtype)) : nil
    runningMean = trackRunningStats ? Buffer(.zeros(features, dtype: dtype)) : nil
    runningVar = trackRunningStats ? Buffer(.ones(features, dtype: dtype)) : nil
    numBatchesTracked = trackRunningStats ? Buffer(Tensor(0, dtype: .int64)) : nil
  }

  /// Whether the next call normalizes with the statistics of its batch: in training, and always
  /// without running statistics.
  public var usesBatchStatistics: Bool { isTraining || runningMean == nil }

  /// Normalizes a batch; in training the running statistics follow, once for every call.
  ///
  /// The result is pending: its statistics and itself run when numbers are needed.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      try check(x)
      let result = try batchNorm(
        x, runningMean: runningMean?.value, runningVar: runningVar?.value, weight: weight?.value,
        bias: bias?.value, training: usesBatchStatistics, eps: eps, call: "\(name)(_:)")
      if isTraining && !GradientMode.isRecomputing { commit(result.statistics) }
      return result.output.observed(by: self)
    }
  }

  /// Whether every batch counts the same, whatever the momentum; while statistics are taken anew.
  var averagesAllBatches = false

  /// Running statistics as they were at first: mean 0, variance 1, no batch.
  /// PyTorch: `reset_running_stats()`.
  public func resetRunningStatistics() {
    guard let runningMean, let runningVar, let numBatchesTracked else { return }
    runningMean.value = .zeros(features, dtype: runningMean.value.dtype)
    runningVar.value = .ones(features, dtype: runningVar.value.dtype)
    numBatchesTracked.value = Tensor(0, dtype: .int64)
  }

  private func check(_ x: Tensor) throws(TensorError) {
    let call = "\(name)(_:)"
    guard ranks.contains(x.rank) else {
      let allowed =
        ranks.upperBound == Int.max
        ? "at least 2" : Array(ranks).map(String.init).joined(separator: " or ")
      throw TensorError(call, "expected \(allowed) axes, got shape \(x.shape)")
    }
    guard x.shape[1] == features else {
      throw TensorError(
        call, "the layer has \(features) channels and axis 1 of shape \(x.shape) has \(x.shape[1])")
    }
  }

  /// Lets the running statistics follow those of a batch; an empty batch has none, and counts.
  private func commit(_ statistics: NormalizationStatistics?) {
    guard let runningMean, let runningVar, let numBatchesTracked else { return }
    numBatchesTracked.value = Tensor(numBatchesTracked.value.item(as: Int64.self) + 1)
    guard let statistics else { return }
    // The last update has run by now: pending updates never pile up over training steps.
    Tensor.evaluate([runningMean.value, runningVar.value])
    let own = averagesAllBatches ? nil : momentum
    let share = own ?? 1 / numBatchesTracked.value.item()
    runningMean.value = runningMean.value.following(statistics.mean, share)
    runningVar.value = runningVar.value.following(statistics.unbiasedVariance, share)
  }
}

extension Tensor {
  /// (1 - share) * self + share * target, in `float64`, rounded once to this tensor's type.
  func following(_ target: Tensor, _ share: Double) -> Tensor {
    let old = reshaped(target.shape).cast(to: .float64)
    return (old * (1 - share) + target * share).cast(to: dtype).reshaped(shape)
  }
}

/// ``BatchNorm`` for `[N, C]` and `[N, C, L]`. PyTorch: `torch.nn.BatchNorm1d`.
public final class BatchNorm1d: BatchNorm {
  override var ranks: ClosedRange<Int> { 2...3 }
  override var name: String { "BatchNorm1d" }
}

/// ``BatchNorm`` for images, `[N, C, H, W]`. PyTorch: `torch.nn.BatchNorm2d`.
public final class BatchNorm2d: BatchNorm {
  override var ranks: ClosedRange<Int> { 4...4 }
  override var name: String { "BatchNorm2d" }
}

/// ``BatchNorm`` for volumes, `[N, C, D, H, W]`. PyTorch: `torch.nn.BatchNorm3d`.
public final class BatchNorm3d: BatchNorm {
  override var ranks: ClosedRange<Int> { 5...5 }
  override var name: String { "BatchNorm3d" }
}
