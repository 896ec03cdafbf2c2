import NormaTensor

/// Batch normalization over the channels in axis 1, for inputs of any number of axes.
///
/// y = (x - mean) / √(variance + eps) * weight + bias. In training, mean and variance are those of
/// the batch over all axes but 1, with the variance divided by n; in evaluation, they are the
/// running ones. Training updates the running statistics: (1 - momentum) * old + momentum * batch,
/// with the batch's variance divided by n - 1.
///
/// - Shapes: input and output `[N, C, ...]`; weight, bias and running statistics `[C]`.
/// - Types: real ones; half types are computed in `float32`.
/// - Settings beyond training and evaluation: ``statistics`` selects the statistics that normalize,
///   ``updatesRunningStatistics`` whether training updates the running ones. A frozen layer
///   (``Module/freeze()``) normalizes with its running statistics and keeps them, in training too.
/// - Edge cases: a constant channel gives exactly the bias. An empty batch gives an empty result,
///   leaves the running mean and variance unchanged, and counts as a batch except with cumulative
///   momentum. One value per channel is an error in training, unless ``singleValuePolicy`` says
///   otherwise. A running variance below -eps, as damaged files have, gives NaN in its channel in
///   evaluation, as in PyTorch.
/// - Accuracy: the mean is carried in two numbers, so that data far from zero keep their digits: in
///   `float32` the error is at most 4 ulp of the largest result, for data at 1e7 ± 1 too. In
///   evaluation the running mean is rounded to its own type: in `float32` this adds up to half an
///   ulp of the mean, divided by the standard deviation (0.5 at 1e7 ± 1); with `dtype: .float64` it
///   adds nothing.
/// - Cost, in training: one read and one write if a channel is contiguous or comes in runs of at
///   least 16,384 values, takes at most 4 MiB, and there are at least twice as many channels as
///   threads (large images, N, C, H, W); otherwise one more read. In evaluation: one read and one
///   write.
/// - PyTorch: `torch.nn.BatchNorm1d`, `2d`, `3d`; use the class of that name. Keras and Flax define
///   momentum the other way round (their 0.99 is `.decay(0.99)`), and Keras' eps is 1e-3: see
///   ``NormalizationConvention``.
/// - Source: Ioffe and Szegedy, "Batch Normalization" (2015).
public class BatchNorm: Module, PlacedLayer, LazyChannels {
  /// The number of channels; 0 for a lazy layer that has neither loaded a state nor seen an input.
  public internal(set) var features: Int
  /// Added to the variance under the square root.
  public let eps: Double
  /// The weight of a new batch in the running statistics.
  public let momentum: Momentum
  /// The scale γ of each channel, initially 1; nil without `affine`.
  public let weight: Parameter?
  /// The shift β of each channel, initially 0; nil without `affine` or `bias`.
  public let bias: Parameter?
  /// The running mean of each channel, initially 0; nil without `trackRunningStats`.
  public let runningMean: Buffer?
  /// The running variance of each channel (divided by n - 1), initially 1.
  public let runningVar: Buffer?
  /// The number of training batches in the running statistics.
  public let numBatchesTracked: Buffer?

  /// Which statistics normalize.
  public var statistics = StatisticsSource.auto
  /// Whether training updates the running statistics.
  public var updatesRunningStatistics = true
  /// Whether the layer keeps its running statistics and normalizes with them in either mode; see
  /// ``Module/freeze()``.
  public private(set) var isFrozen = false
  /// What to do with a batch that has one value per channel.
  public var singleValuePolicy = SingleValuePolicy.error
  /// What to do with a training batch that contains NaN or infinity.
  public var nonFinitePolicy = NonFinitePolicy.propagate
  /// The running variance is updated with Σ (x - mean)² / (n - this): 1 as in PyTorch, 0 in Keras
  /// and Flax.
  public var runningVarianceCorrection = 1.0

  /// Replaces the call while the layer is recalibrated or observed.
  package var intercept: ((Tensor, Tensor?) throws(TensorError) -> Tensor)?

  /// The ranks that an input may have.
  var ranks: ClosedRange<Int> { 2...Int.max }
  /// The layer's name in messages.
  var name: String { "BatchNorm" }

  /// A layer for `features` channels, with PyTorch's defaults and meanings.
  ///
  /// `affine: false` leaves out weight and bias, `bias: false` the bias alone. Without
  /// `trackRunningStats` the layer normalizes with the batch in evaluation, too. PyTorch:
  /// `nn.BatchNorm2d(features)`.
  public init(
    _ features: Int, eps: Double = 1e-5, momentum: Momentum = 0.1, affine: Bool = true,
    bias: Bool = true, trackRunningStats: Bool = true, dtype: DType = .float32,
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
      .with("affine", weight != nil, unless: true)
      .with("bias", bias != nil, unless: weight != nil)
      .with("trackRunningStats", runningMean != nil, unless: true)
      .with("statistics", statistics, unless: .auto)
      .with("updatesRunningStatistics", updatesRunningStatistics, unless: true)
      .with("isFrozen", isFrozen, unless: false).text
  }

  /// A layer that takes its number of channels from the state that it loads, or from its first
  /// input. Pass its parameters to an optimizer only after that. PyTorch: `nn.LazyBatchNorm2d()`.
  public convenience init(
    eps: Double = 1e-5, momentum: Momentum = 0.1, affine: Bool = true, bias: Bool = true,
    trackRunningStats: Bool = true, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self.init(
      0, eps: eps, momentum: momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
  }

  /// Whether the next call normalizes with the statistics of its batch: by default in training, and
  /// always without running statistics.
  public var usesBatchStatistics: Bool {
    if runningMean == nil { return true }
    if isFrozen { return false }
    return statistics == .auto ? isTraining : statistics == .batch
  }

  /// A subclass's own normalization of a checked batch with its statistics, together with these;
  /// nil if the subclass uses the common one.
  func normalizedByItself(
    _ x: Tensor
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics)? { nil }

  /// Whether calls accept a mask that selects values.
  var takesMasks: Bool { true }

  /// Whether a batch is only a part of one that several processes normalize together.
  var normalizesShards: Bool { false }

  override func setFrozen(_ isFrozen: Bool) { self.isFrozen = isFrozen }

  /// Normalizes a batch; in training, each call updates the running statistics once.
  ///
  /// The result is pending: statistics and output are computed when their values are needed.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn { return standIn(x, file: file, line: line) }
    return checked(file: file, line: line) { () throws(TensorError) in try called(x, mask: nil) }
      .attributed(to: self, of: x, file, line)
  }

  /// Normalizes the values where `mask` is not zero by their own statistics; 0 elsewhere.
  ///
  /// Padding affects neither statistics, running ones included, nor results, nor gradients. The
  /// mask broadcasts to the input: `[N, 1, L]` for sequences of different lengths. Cost: four
  /// passes over memory. Keras and Flax have `mask`, which leaves the padding in the result;
  /// PyTorch has none.
  public func callAsFunction(
    _ x: Tensor, mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      switch standIn {
      case nil: return try called(x, mask: mask)
      case let norm as BatchNorm: return norm(x, mask: mask, file: file, line: line)
      case let norm as GroupNorm: return norm(x, mask: mask, file: file, line: line)
      case let other?:
        throw TensorError(call, "\(type(of: other)) replaces the layer, and takes no mask")
      }
    }.attributed(to: self, of: x, file, line)
  }

  private func called(_ x: Tensor, mask: Tensor?) throws(TensorError) -> Tensor {
    if x.isPoisoned { return x }
    let result: Tensor
    if let intercept {
      try check(x)
      result = try intercept(x, mask)
    } else {
      let (output, update) = try normalized(x, mask: mask)
      if let update, !GradientMode.isRecomputing { commit(update) }
      result = output
    }
    return result.observed(by: self)
  }

  /// Resets the running statistics to their initial values: mean 0, variance 1, no batches.
  /// PyTorch: `reset_running_stats()`.
  public func resetRunningStatistics() {
    guard let runningMean, let runningVar, let numBatchesTracked else { return }
    runningMean.value = .zeros(features, dtype: runningMean.value.dtype)
    runningVar.value = .ones(features, dtype: runningVar.value.dtype)
    numBatchesTracked.value = Tensor(0, dtype: .int64)
  }

  /// The name of a call in messages.
  var call: String { "\(name)(_:)" }

  func check(_ x: Tensor) throws(TensorError) {
    guard ranks.contains(x.rank) else {
      let allowed =
        ranks.upperBound == Int.max
        ? "at least 2" : Array(ranks).map(String.init).joined(separator: " or ")
      throw TensorError(call, "expected \(allowed) axes, got shape \(x.shape)")
    }
    begin(with: x.shape[1])
    guard x.shape[1] == features else {
      throw TensorError(
        call, "the layer has \(features) channels and axis 1 of shape \(x.shape) has \(x.shape[1])")
    }
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
