import NormaTensor

/// Filter response normalization of images, followed by its thresholded linear unit: independent of
/// the batch, and without subtracting a mean.
///
/// y = max(x / √(Σ x² / n + eps) * weight + bias, tau), with the sum over the n positions of a
/// channel; without `threshold` there is no maximum.
///
/// - Shapes: input and output `[N, C, H, W]`; weight, bias and tau `[C]`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: an image of one position gives approximately the sign of x, times weight, plus
///   bias.
/// - Accuracy: as ``RMSNorm``.
/// - Cost: as ``InstanceNorm``; the maximum is fused.
/// - timm: `FilterResponseNormTlu2d`; the paper's eps is 1e-6, and learned where images are small.
/// - Source: Singh and Krishnan, "Filter Response Normalization Layer" (2020).
public final class FilterResponseNorm2d: Module, PlacedLayer {
  /// Added to the mean square under the square root.
  public let eps: Double
  /// The scale γ of each channel, initially 1.
  public let weight: Parameter
  /// The shift β of each channel, initially 0.
  public let bias: Parameter
  /// The lower bound of each channel, initially 0; nil without `threshold`.
  public let tau: Parameter?

  /// A layer for `features` channels.
  public init(
    _ features: Int, eps: Double = 1e-5, threshold: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: FilterResponseNorm2d.self, file: file, line: line)
    let features = options.size(features, "features")
    self.eps = options.eps(eps)
    weight = Parameter(.ones(features, dtype: dtype))
    bias = Parameter(.zeros(features, dtype: dtype))
    tau = threshold ? Parameter(.zeros(features, dtype: dtype)) : nil
  }

  /// Normalizes every channel of every image.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let call = "FilterResponseNorm2d(_:)"
      let shape = try imageChannels(x, weight.shape[0], call: call)
      let y = try x.normalized(
        over: [2, 3], from: .zero, eps: eps, weight: weight.value.reshaped(shape),
        bias: bias.value.reshaped(shape), call: call
      ).output
      return tau.map { maximum(y, $0.value.reshaped(shape)) } ?? y
    }.observed(by: self, of: x, file, line)
  }
}

/// The shape that broadcasts per-channel parameters to images with this many channels.
func imageChannels(
  _ x: Tensor, _ channels: Int, call: String
) throws(TensorError) -> [Int] {
  guard x.rank == 4, x.shape[1] == channels else {
    throw TensorError(call, "expected [N, \(channels), H, W], got shape \(x.shape)")
  }
  try requireReal(x, call: call)
  return [1, channels, 1, 1]
}
