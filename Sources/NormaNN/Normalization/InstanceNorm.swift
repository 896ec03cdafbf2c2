import NormaTensor

/// Instance normalization: normalizes every channel of every sample with its own mean and variance;
/// use ``InstanceNorm1d``, ``InstanceNorm2d`` or ``InstanceNorm3d``.
///
/// y = (x - mean) / √(variance + eps) * weight + bias, with mean and variance, divided by n, over
/// the axes after the channels. Without running statistics, which is the default, training and
/// evaluation are the same. With them, evaluation normalizes with the running statistics, and
/// training updates them: (1 - momentum) * old + momentum * new, where new is the mean over the
/// samples of their means and of their variances, divided by n - 1.
///
/// - Shapes: input and output `[N, C, ...]` or one sample `[C, ...]`; weight, bias and running
///   statistics `[C]`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: a constant channel gives exactly the bias; an empty batch gives an empty result
///   and leaves the running statistics unchanged; one value per channel and sample is an error
///   where it would be normalized with its own statistics. Without parameters and running
///   statistics any number of channels is accepted, as in PyTorch.
/// - Accuracy: as ``BatchNorm``; the mean is carried in two numbers.
/// - Cost: one read and one write if a channel is contiguous and there are at least twice as
///   many channels (over all samples) as threads; otherwise, as with channels last, one more read.
/// - PyTorch: `torch.nn.InstanceNorm1d`, `2d`, `3d`. Its `num_batches_tracked` never counts, and
///   its momentum `None` means 0; here it means ``Momentum/cumulative``.
///   for which a momentum of `None` means 0; here ``Momentum/cumulative`` means what it says.
/// - Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization" (2016).
public class InstanceNorm: Module, PlacedLayer, LazyChannels {
  /// The number of channels; 0 for a lazy layer that has no state or input yet.
  public internal(set) var features: Int
  /// Added to the variance under the square root.
  public let eps: Double
  /// The weight of new statistics in the running ones.
  public let momentum: Momentum
  /// The scale γ of each channel, initially 1; nil without `affine`, the default.
  public let weight: Parameter?
  /// The shift β of each channel, initially 0; nil without `affine` or `bias`.
  public let bias: Parameter?
  /// The running mean of each channel, initially 0; nil without `trackRunningStats`, the default.
  public let runningMean: Buffer?
  /// The running variance of each channel (divided by n - 1), initially 1.
  public let runningVar: Buffer?
  /// Counts batches with a cumulative ``momentum`` only; otherwise it stays at 0, as in PyTorch.
  public let numBatchesTracked: Buffer?

  /// The number of axes after the channels.
  package var space: Int { 2 }
  var name: String { "InstanceNorm\(space)d" }

  /// A layer for `features` channels, with PyTorch's defaults and meanings.
  ///
  /// PyTorch: `nn.InstanceNorm2d(features)`.
  public required init(
    _ features: Int, eps: Double = 1e-5, momentum: Momentum = 0.1, affine: Bool = false,
    bias: Bool = true, trackRunningStats: Bool = false, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: Self.self, file: file, line: line)
    let features = options.size(features, "features")
    self.features = features
    self.eps = options.eps(eps)
    self.momentum = momentum
    weight = affine ? Parameter(.ones(features, dtype: dtype)) : nil
    self.bias = affine && bias ? Parameter(.zeros(features, dtype: dtype)) : nil
    runningMean = trackRunningStats ? Buffer(.zeros(features, dtype: dtype)) : nil
    runningVar = trackRunningStats ? Buffer(.ones(features, dtype: dtype)) : nil
    numBatchesTracked = trackRunningStats ? Buffer(Tensor(0, dtype: .int64)) : nil
  }

  public override var optionsDescription: String {
    OptionText(features).with("eps", eps).with("momentum", momentum)
      .with("affine", weight != nil, unless: false)
      .with("bias", bias != nil, unless: weight != nil)
      .with("trackRunningStats", runningMean != nil, unless: false).text
  }

  /// A layer that takes its number of channels from the state that it loads, or from its first
  /// input. PyTorch: `nn.LazyInstanceNorm2d()`.
  public convenience init(
    eps: Double = 1e-5, momentum: Momentum = 0.1, affine: Bool = false, bias: Bool = true,
    trackRunningStats: Bool = false, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self.init(
      0, eps: eps, momentum: momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }

  /// Normalizes a batch or one sample; training updates the running statistics, if there are any.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let axis = try channelAxis(x)
      let result = try instanceNorm(
        x, channelAxis: axis, runningMean: runningMean?.value, runningVar: runningVar?.value,
        weight: weight?.value, bias: bias?.value, useInputStats: isTraining || runningMean == nil,
        eps: eps, call: "\(name)(_:)")
      if isTraining && !GradientMode.isRecomputing && x.count > 0 { commit(result.statistics) }
      return result.output
    }.observed(by: self, of: x, file, line)
  }

  func channelAxis(_ x: Tensor) throws(TensorError) -> Int {
    let axis = x.rank - space - 1
    guard axis == 0 || axis == 1 else {
      throw TensorError(
        "\(name)(_:)", "expected \(space + 1) or \(space + 2) axes, got shape \(x.shape)")
    }
    begin(with: x.shape[axis])
    guard x.shape[axis] == features || weight == nil && runningMean == nil else {
      throw TensorError(
        "\(name)(_:)",
        "the layer has \(features) channels and axis \(axis) of shape \(x.shape) has "
          + "\(x.shape[axis])")
    }
    return axis
  }

  /// Updates the running statistics.
  private func commit(_ statistics: NormalizationStatistics?) {
    guard let statistics else { return }
    follow(
      mean: .init(value: average(statistics.mean)),
      variance: .init(value: average(statistics.unbiasedVariance)))
  }

  func follow(mean: RunningStatisticsUpdate.Target, variance: RunningStatisticsUpdate.Target) {
    guard let runningMean, let runningVar else { return }
    let number = momentum == .cumulative ? numBatchesTracked?.countBatch() ?? 1 : 1
    // Runs the previous update, so that pending updates do not pile up over training steps.
    Tensor.evaluate([runningMean.value, runningVar.value])
    let share = momentum.share(ofBatch: number)
    runningMean.value = runningMean.value.following(mean, share)
    runningVar.value = runningVar.value.following(variance, share)
  }

  /// The mean of a statistic over the samples of a batch.
  private func average(_ statistic: Tensor) -> Tensor {
    statistic.rank == space + 2 ? statistic.mean(over: 0, keepDims: true) : statistic
  }
}

/// ``InstanceNorm`` for `[N, C, L]` and `[C, L]`. PyTorch: `torch.nn.InstanceNorm1d`.
public final class InstanceNorm1d: InstanceNorm {
  override package var space: Int { 1 }
}

/// ``InstanceNorm`` for images, `[N, C, H, W]` and `[C, H, W]`. PyTorch: `torch.nn.InstanceNorm2d`.
public final class InstanceNorm2d: InstanceNorm {
  override package var space: Int { 2 }
}

/// ``InstanceNorm`` for volumes, `[N, C, D, H, W]` and `[C, D, H, W]`.
/// PyTorch: `torch.nn.InstanceNorm3d`.
public final class InstanceNorm3d: InstanceNorm {
  override package var space: Int { 3 }
}
