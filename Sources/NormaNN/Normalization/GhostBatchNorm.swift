import NormaTensor

/// Batch normalization that splits the batch into parts in training, each with its own statistics.
///
/// Parts of `partSize` samples are normalized as ``BatchNorm`` normalizes batches, so that large
/// batches keep the noise of small ones. The remainder is a part of its own. Running statistics are
/// updated once per batch, with the means of the full parts' means and variances; a batch of one
/// part or less is normalized as a whole. Evaluation is that of ``BatchNorm``.
///
/// - Shapes: input and output `[N, C, ...]`.
/// - Edge cases: a part with one value per channel is an error.
/// - Cost: as ``BatchNorm``; a remainder is concatenated, with one more pass over memory.
/// - Keras 2: `BatchNormalization(virtual_batch_size:)`. PyTorch has none.
/// - Source: Hoffer, Hubara and Soudry, "Train longer, generalize better" (2017), whose running
///   statistics follow part by part.
public final class GhostBatchNorm: BatchNorm {
  /// The number of samples in a part.
  public let partSize: Int

  override var name: String { "GhostBatchNorm" }
  override var takesMasks: Bool { false }

  /// A layer for `features` channels; the other options are those of ``BatchNorm``.
  public init(
    _ features: Int, partSize: Int, eps: Double = 1e-5, momentum: Momentum = 0.1,
    affine: Bool = true, bias: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.partSize = max(partSize, 1)
    super.init(
      features, eps: eps, momentum: momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
    if partSize < 1 {
      let error = TensorError(
        "GhostBatchNorm(_:partSize:)",
        "partSize must be positive, got \(partSize)")
      report(error, file: file, line: line)
    }
  }

  public override var optionsDescription: String {
    super.optionsDescription + ", partSize: \(partSize)"
  }

  override func normalizedByItself(
    _ x: Tensor
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics)? {
    let parts = x.shape[0] / partSize
    guard x.shape[0] > partSize else { return nil }
    let sample = Array(x.shape.dropFirst())
    let space = sample.dropFirst().reduce(1, *)
    guard partSize * space > 1, x.shape[0] % partSize * space != 1 else {
      throw TensorError(
        call,
        "shape \(x.shape) in parts of \(partSize) samples has a part with one value per channel, "
          + "which has no variance")
    }
    // Two axes: the parts, and the samples of a part.
    let full = x.narrowed(over: 0, from: 0, count: parts * partSize)
    let split = full.reshaped([parts, partSize] + sample)
    let shape = split.shape.indices.map { $0 == 2 ? features : 1 }
    let (output, statistics) = try split.normalized(
      over: split.shape.indices.filter { $0 != 0 && $0 != 2 }, eps: eps,
      weight: weight?.value.reshaped(shape), bias: bias?.value.reshaped(shape), call: call)
    var outputs = [output.reshaped([parts * partSize] + sample)]
    if parts * partSize < x.shape[0] {
      let rest = x.narrowed(over: 0, from: parts * partSize, count: x.shape[0] - parts * partSize)
      outputs.append(
        try batchNorm(
          rest, runningMean: nil, runningVar: nil, weight: weight?.value, bias: bias?.value,
          training: true, eps: eps, call: call
        ).output)
    }
    let average = NormalizationStatistics(
      mean: statistics.mean.mean(over: 0), squares: statistics.squares.mean(over: 0),
      count: statistics.count)
    return (outputs.count == 1 ? outputs[0] : .concatenated(outputs), average)
  }
}

/// Batch normalization with a separate layer for each part of the batch in training, such as clean
/// and adversarial samples.
///
/// The batch is divided into `splits` parts of equal size. This layer normalizes the first and
/// `auxBn` the others, each with its own parameters and running statistics. In evaluation this
/// layer normalizes everything.
///
/// - Shapes: input and output `[N, C, H, W]`, N a multiple of `splits`.
/// - Cost: as ``BatchNorm``, plus one pass over memory to concatenate the parts.
/// - timm: `SplitBatchNorm2d(num_features, num_splits)`.
/// - Source: Xie, Tan, Gong, Wang, Yuille and Le, "Adversarial Examples Improve Image Recognition"
///   (2020).
public final class SplitBatchNorm2d: BatchNorm {
  /// The layers of all parts but the first; `aux_bn.0` and so on in state dictionaries.
  public let auxBn: [BatchNorm2d]

  /// More parts than any batch needs; each part has a layer.
  private static let mostSplits = 1 << 16

  override var ranks: ClosedRange<Int> { 4...4 }
  override var name: String { "SplitBatchNorm2d" }
  override var takesMasks: Bool { false }

  /// A layer for `features` channels and batches of `splits` parts.
  public init(
    _ features: Int, splits: Int = 2, eps: Double = 1e-5, momentum: Momentum = 0.1,
    affine: Bool = true, bias: Bool = true, trackRunningStats: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    let isSplit = 2...Self.mostSplits ~= splits
    auxBn = (1..<(isSplit ? splits : 2)).map { _ in
      BatchNorm2d(
        features, eps: eps, momentum: momentum, affine: affine, bias: bias,
        trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
    }
    super.init(
      features, eps: eps, momentum: momentum, affine: affine, bias: bias,
      trackRunningStats: trackRunningStats, dtype: dtype, file: file, line: line)
    if !isSplit {
      let text = "splits must be in 2 ... \(Self.mostSplits), got \(splits)"
      report(TensorError("SplitBatchNorm2d(_:splits:)", text), file: file, line: line)
    }
  }

  public override var optionsDescription: String {
    super.optionsDescription + ", splits: \(auxBn.count + 1)"
  }

  override public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let splits = auxBn.count + 1
    guard standIn == nil, isTraining, !x.isPoisoned, x.rank == 4 else {
      return super.callAsFunction(x, file: file, line: line)
    }
    guard x.shape[0] % splits == 0 else {
      return checked(file: file, line: line) { () throws(TensorError) in
        throw TensorError(call, "\(x.shape[0]) samples do not divide into \(splits) equal parts")
      }
    }
    let parts = x.split(every: max(x.shape[0] / splits, 1), over: 0)
    let first = super.callAsFunction(parts[0], file: file, line: line)
    let others = zip(auxBn, parts.dropFirst()).map { $0($1, file: file, line: line) }
    return .concatenated([first] + others)
  }
}
