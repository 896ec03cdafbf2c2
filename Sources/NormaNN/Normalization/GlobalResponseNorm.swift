import NormaTensor

/// Global response normalization: scales channels by their norm relative to the other channels.
///
/// y = weight * x * n + bias + x, where n is ‖x‖ of the channel over all positions, divided by the
/// mean of these norms over the channels plus eps.
///
/// - Shapes: input and output `[N, C, ...]`, or with the channels in another axis; weight and bias
///   `[C]`, initially 0, so that the layer starts as the identity.
/// - Types: real ones.
/// - Accuracy: norms in `float64`; the factor of x is rounded once.
/// - Cost: two reads and one write.
/// - timm: `GlobalResponseNorm`, whose channels are last by default: `axis: -1`.
/// - Source: Woo, Debnath, Hu, Chen, Liu, Kweon and Xie, "ConvNeXt V2" (2023).
public final class GlobalResponseNorm: Module, PlacedLayer {
  /// The axis of the channels.
  public let axis: Int
  /// Added to the mean norm.
  public let eps: Double
  /// The weight of the response of each channel.
  public let weight: Parameter
  /// The shift of each channel.
  public let bias: Parameter

  /// A layer for `channels` channels.
  public init(
    _ channels: Int, axis: Int = 1, eps: Double = 1e-6, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: GlobalResponseNorm.self, file: file, line: line)
    let channels = options.size(channels, "channels")
    (self.axis, self.eps) = (axis, options.eps(eps))
    weight = Parameter(.zeros(channels, dtype: dtype))
    bias = Parameter(.zeros(channels, dtype: dtype))
  }

  /// Scales the channels of every sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let call = "GlobalResponseNorm(_:)"
      let front = try Shape.axis(axis, of: x.shape, call: call)
      guard x.rank >= 3, front > 0, x.shape[front] == weight.shape[0] else {
        throw TensorError(
          call,
          "expected a batch with space and \(weight.shape[0]) channels in axis \(axis), got shape "
            + "\(x.shape)")
      }
      let shape = x.shape.indices.map { $0 == front ? x.shape[front] : 1 }
      let space = x.shape.indices.filter { $0 != 0 && $0 != front }
      let length = try x.wideNorm(2, over: space, call: call)
      let response = length / (length.mean(over: front, keepDims: true) + eps)
      let factor = weight.value.cast(to: .float64).reshaped(shape) * response + 1
      return x * factor.cast(to: x.dtype) + bias.value.reshaped(shape).cast(to: x.dtype)
    }.observed(by: self, of: x, file, line)
  }
}
