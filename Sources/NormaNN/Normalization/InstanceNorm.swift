import NormaTensor

/// Instance normalization: every channel of every sample by its own mean and variance; use
/// ``InstanceNorm1d``, ``InstanceNorm2d`` or ``InstanceNorm3d``.
///
/// y = (x - mean) / √(variance + eps) * weight + bias, with mean and variance, divided by n, over
/// the axes behind the channels. Without running statistics, which is the default, training and
/// evaluation are the same. With them they normalize in evaluation, and in training they follow
/// (1 - momentum) * old + momentum * new, where new is the mean over the samples of their means and
/// of their variances, divided by n - 1.
///
/// - Shapes: input and output `[N, C, ...]` or one sample `[C, ...]`; weight, bias and running
///   statistics `[C]`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: a constant channel gives exactly the bias; an empty batch gives an empty result and
///   leaves the running statistics; one value per channel and sample is refused where it would
///   normalize itself. Without parameters and running statistics any number of channels will do,
///   as in PyTorch.
/// - Accuracy: as ``BatchNorm``; the mean is carried in two numbers.
/// - Cost: one read and one write where a channel's numbers lie together and there are at least
///   twice as many channels of samples as threads; else, as channels last, one read more.
/// - PyTorch: `torch.nn.InstanceNorm1d`, `2d`, `3d`, whose `num_batches_tracked` never counts, and
///   for which a momentum of `None` means 0; here ``Momentum/cumulative`` means what it says.
/// - Source: Ulyanov, Vedaldi and Lempitsky, "Instance Normalization" (2016).
public class InstanceNorm: Module, PlacedLayer, LazyChannels {
  /// The number of channels; 0 for a lazy layer until it has a state or a first input.
  public internal(set) var features: Int
  /// Added to the variance under the root.
  public let eps: Double
  /// How much new statistics count in the running ones.
  public let momentum: Momentum
  /// γ of each channel, at first 1; nil without `affine`, the default.
  public let weight: Parameter?
  /// β of each channel, at first 0; nil without `affine` or `bias`.
  public let bias: Parameter?
  /// The running mean of each channel, at first 0; nil without `trackRunningStats`, the default.
  public let runningMean: Buffer?
  /// The running variance of each channel (divided by n - 1), at first 1.
  public let runningVar: Buffer?
  /// Counts with a cumulative ``momentum`` alone; with others it stays at 0, as in PyTorch.
  public let numBatchesTracked: Buffer?

  /// The number of axes behind the channels.
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

  /// A layer that takes its number of channels from the state that it loads, or else from its first
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

  /// Normalizes a batch or one sample; in training the running statistics follow, if there are any.
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

  /// Lets the running statistics follow.
  private func commit(_ statistics: NormalizationStatistics?) {
    guard let statistics else { return }
    follow(
      mean: .init(value: average(statistics.mean)),
      variance: .init(value: average(statistics.unbiasedVariance)))
  }

  func follow(mean: RunningStatisticsUpdate.Target, variance: RunningStatisticsUpdate.Target) {
    guard let runningMean, let runningVar else { return }
    let number = momentum == .cumulative ? numBatchesTracked?.countBatch() ?? 1 : 1
    // The last update has run by now: pending updates never pile up over training steps.
    Tensor.evaluate([runningMean.value, runningVar.value])
    let share = momentum.share(ofBatch: number)
    runningMean.value = runningMean.value.following(mean, share)
    runningVar.value = runningVar.value.following(variance, share)
  }

  /// The mean over the samples of a batch of their statistics.
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
