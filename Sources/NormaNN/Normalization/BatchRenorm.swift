import NormaTensor

/// Batch renormalization: in training, results with the batch's statistics are corrected towards
/// those with the running ones, so that training and evaluation agree for small batches, too.
///
/// y = ((x - mean) / √(variance + eps) * r + d) * weight + bias, with
///
///     r = √(variance + eps) / √(running variance + eps), within 1 / largestScale ... largestScale
///     d = (mean - running mean) / √(running variance + eps), within ± largestShift
///
/// Both are constants for gradients. Start training with `largestScale = 1` and `largestShift = 0`,
/// which is batch norm, and increase both once the running statistics are meaningful; the paper
/// ends with 3 and 5. Evaluation and running statistics are those of ``BatchNorm``.
///
/// - Shapes: input and output `[N, C, ...]`.
/// - Cost: as ``BatchNorm``.
/// - Keras: `BatchNormalization(renorm=True)`. PyTorch has none.
/// - Source: Ioffe, "Batch Renormalization" (2017).
public final class BatchRenorm: BatchNorm {
  /// The bound of r, at least 1; `rmax` in the paper.
  public var largestScale = 3.0
  /// The bound of d, not negative; `dmax` in the paper.
  public var largestShift = 5.0

  override var name: String { "BatchRenorm" }
  override var takesMasks: Bool { false }

  public override var optionsDescription: String {
    super.optionsDescription + ", largestScale: \(largestScale), largestShift: \(largestShift)"
  }

  override func normalizedByItself(
    _ x: Tensor
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics)? {
    guard let runningMean, let runningVar, x.count > 0 else { return nil }
    guard largestScale >= 1, largestShift >= 0 else {
      throw TensorError(
        call,
        "largestScale is at least 1 and largestShift not negative, got \(largestScale) and "
          + "\(largestShift)")
    }
    guard eps > 0 else { throw TensorError(call, "eps must be positive in training, got \(eps)") }
    let axes = x.shape.indices.filter { $0 != 1 }
    let shape = x.shape.indices.map { $0 == 1 ? features : 1 }
    let own = x.detached().normalizationStatistics(over: axes)
    // The running statistics before this batch; committing it changes them.
    let spread = (runningVar.value.reshaped(shape).cast(to: .float64) + eps).sqrt()
    let mean = runningMean.value.reshaped(shape).cast(to: .float64)
    let r = ((own.variance + eps).sqrt() / spread).clamped(
      min: 1 / largestScale, max: largestScale)
    let d = ((own.mean - mean) / spread).clamped(min: -largestShift, max: largestShift)
    let scale = weight.map { $0.value.reshaped(shape).cast(to: .float64) }
    let shift = scale.map { $0 * d } ?? d
    let (output, statistics) = try x.normalized(
      over: axes, eps: eps, weight: scale.map { $0 * r } ?? r,
      bias: bias.map { shift + $0.value.reshaped(shape).cast(to: .float64) } ?? shift, call: call)
    return (output, statistics)
  }
}
