import NormaTensor

/// Batch normalization of images whose statistics and parameters never change.
///
/// y = (x - mean) / √(variance + eps) * weight + bias with the values of a trained ``BatchNorm2d``,
/// in training and evaluation, for fine-tuning with batches too small for statistics of their own.
/// Gradients flow to the input only. In state dictionaries all four are buffers; there is no
/// `num_batches_tracked`, and one in a loaded state may be left out.
///
/// - Shapes: input and output `[N, C, ...]`; buffers `[C]`.
/// - Cost: one read and one write.
/// - PyTorch: `torchvision.ops.FrozenBatchNorm2d`. ``Module/freeze()`` does the same to a layer
///   that remains a ``BatchNorm2d``.
public final class FrozenBatchNorm2d: Module, PlacedLayer {
  /// Added to the variance under the square root.
  public let eps: Double
  /// The scale γ of each channel.
  public let weight: Buffer
  /// The shift β of each channel.
  public let bias: Buffer
  /// The mean of each channel.
  public let runningMean: Buffer
  /// The variance of each channel.
  public let runningVar: Buffer

  /// A layer that is the identity, up to eps, until a state is loaded.
  public init(_ features: Int, eps: Double = 1e-5, dtype: DType = .float32) {
    self.eps = eps
    (weight, bias) = (
      Buffer(.ones(features, dtype: dtype)), Buffer(.zeros(features, dtype: dtype))
    )
    (runningMean, runningVar) = (
      Buffer(.zeros(features, dtype: dtype)), Buffer(.ones(features, dtype: dtype))
    )
  }

  /// Keeps what a layer does in evaluation, permanently.
  public convenience init(_ norm: BatchNorm) {
    self.init(norm.features, eps: norm.eps)
    for (own, value) in [
      (weight, norm.weight?.value), (bias, norm.bias?.value),
      (runningMean, norm.runningMean?.value), (runningVar, norm.runningVar?.value),
    ] {
      if let value { own.value = value.detached() }
    }
  }

  public override var optionsDescription: String {
    OptionText(weight.value.shape[0]).with("eps", eps).text
  }

  /// Normalizes a batch with the layer's fixed values.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if let standIn { return standIn(x, file: file, line: line) }
    return checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      return try batchNorm(
        x, runningMean: runningMean.value, runningVar: runningVar.value, weight: weight.value,
        bias: bias.value, training: false, eps: eps, call: "FrozenBatchNorm2d(_:)"
      ).output
    }.observed(by: self, of: x, file, line)
  }
}
