import NormaTensor

/// Layer normalization as a pure function: over the last axes, whose sizes are `normalizedShape`,
/// or over `axes`.
///
/// The formula, edge cases and cost are those of ``LayerNorm``. `weight` and `bias` have the shape
/// `normalizedShape`.
///
/// PyTorch: `torch.nn.functional.layer_norm`.
public func layerNorm(
  _ x: Tensor, normalizedShape: [Int], axes: [Int]? = nil, weight: Tensor? = nil,
  bias: Tensor? = nil, eps: Double = 1e-5, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try layerNorm(
      x, normalizedShape: normalizedShape, axes: axes, weight: weight, bias: bias, eps: eps,
      call: "layerNorm(_:normalizedShape:)"
    ).output
  }
}

/// The normalized tensor and the statistics that normalized it.
package func layerNorm(
  _ x: Tensor, normalizedShape: [Int], axes: [Int]? = nil, weight: Tensor?, bias: Tensor?,
  eps: Double, call: String
) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics?) {
  if x.isPoisoned { return (x, nil) }
  let places = try NormalizedAxes(
    normalizedShape, axes: axes, of: x, weight: weight, bias: bias, call: call)
  return try x.normalized(
    over: places.axes, eps: eps, weight: weight?.reshaped(places.parameterShape),
    bias: bias?.reshaped(places.parameterShape), call: call)
}

/// Layer normalization: normalizes every sample with the mean and variance of its last axes.
///
/// y = (x - mean) / √(variance + eps) * weight + bias, with mean and variance, divided by n, over
/// the last axes, whose sizes are `normalizedShape`, or over `axes`; the same in training and
/// evaluation.
///
/// - Shapes: input and output `[..., normalizedShape]`, or with these sizes at `axes`; weight and
///   bias `normalizedShape`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: a constant sample gives exactly the bias, and so does one of a single value; with
///   eps 0 this is 0 / 0 and gives NaN, as in PyTorch. An empty batch gives an empty result.
/// - Accuracy: as ``BatchNorm``; the mean is carried in two numbers.
/// - Cost: one read and one write if there are at least twice as many samples as threads;
///   otherwise one more read.
/// - PyTorch: `torch.nn.LayerNorm`. Keras' eps is 1e-3, Flax's 1e-6.
/// - Source: Ba, Kiros and Hinton, "Layer Normalization" (2016).
public class LayerNorm: Module, PlacedLayer {
  /// The sizes of the normalized axes.
  public let normalizedShape: [Int]
  /// The normalized axes from first to last; nil for the last ones.
  public let axes: [Int]?
  /// Added to the variance under the square root.
  public let eps: Double
  /// The scale γ of each position, initially 1; nil without `elementwiseAffine`.
  public let weight: Parameter?
  /// The shift β of each position, initially 0; nil without `elementwiseAffine` or `bias`.
  public let bias: Parameter?

  /// A layer over the last axes, or over `axes`, with PyTorch's defaults. PyTorch:
  /// `nn.LayerNorm([10, 20])`.
  public init(
    _ normalizedShape: [Int], axes: [Int]? = nil, eps: Double = 1e-5,
    elementwiseAffine: Bool = true, bias: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: Self.self, file: file, line: line)
    let normalizedShape = normalizedShape.map { options.size($0, "a size") }
    self.normalizedShape = normalizedShape
    self.axes = axes
    self.eps = options.eps(eps)
    weight = elementwiseAffine ? Parameter(.ones(normalizedShape, dtype: dtype)) : nil
    self.bias =
      elementwiseAffine && bias ? Parameter(.zeros(normalizedShape, dtype: dtype)) : nil
  }

  /// A layer over the last axis, of `features` elements, or over another one, such as the channels
  /// of images in axis 1. PyTorch: `nn.LayerNorm(features)`.
  public convenience init(
    _ features: Int, axis: Int = -1, eps: Double = 1e-5, elementwiseAffine: Bool = true,
    bias: Bool = true, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      [features], axes: axis == -1 ? nil : [axis], eps: eps, elementwiseAffine: elementwiseAffine,
      bias: bias,
      dtype: dtype, file: file, line: line)
  }

  public override var optionsDescription: String {
    OptionText(normalizedShape.count == 1 ? normalizedShape[0] : normalizedShape as Any)
      .with("axes", axes as Any).with("eps", eps)
      .with("elementwiseAffine", weight != nil, unless: true)
      .with("bias", bias != nil, unless: weight != nil).text
  }

  /// Normalizes every sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try layerNorm(
        x, normalizedShape: normalizedShape, axes: axes, weight: weight?.value,
        bias: bias?.value, eps: eps, call: "LayerNorm(_:)"
      ).output
    }.observed(by: self, of: x, file, line)
  }
}

/// ``LayerNorm`` over the channels of images, `[N, C, H, W]`, separately for each pixel.
///
/// ConvNeXt's layer; with channels last in memory it costs one read and one write. timm:
/// `LayerNorm2d`, whose eps is 1e-6 too.
public final class LayerNorm2d: LayerNorm {
  /// A layer for `channels` channels.
  public init(
    _ channels: Int, eps: Double = 1e-6, affine: Bool = true, bias: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      [channels], axes: [1], eps: eps, elementwiseAffine: affine, bias: bias, dtype: dtype,
      file: file, line: line)
  }
}
