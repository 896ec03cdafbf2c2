import NormaTensor

/// Root mean square normalization as a pure function: over the last axes, whose sizes are
/// `normalizedShape`, or over `axes`.
///
/// The formula, edge cases and cost are those of ``RMSNorm``. `weight` has the shape
/// `normalizedShape`. PyTorch: `torch.nn.functional.rms_norm`.
public func rmsNorm(
  _ x: Tensor, normalizedShape: [Int], axes: [Int]? = nil, weight: Tensor? = nil,
  eps: Double? = nil, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try rmsNorm(
      x, normalizedShape: normalizedShape, axes: axes, weight: weight, eps: eps,
      call: "rmsNorm(_:normalizedShape:)"
    ).output
  }
}

/// The normalized tensor and the statistics that normalized it.
package func rmsNorm(
  _ x: Tensor, normalizedShape: [Int], axes: [Int]?, weight: Tensor?, eps: Double?, call: String
) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics?) {
  if x.isPoisoned { return (x, nil) }
  let places = try NormalizedAxes(
    normalizedShape, axes: axes, of: x, weight: weight, call: call)
  return try x.normalized(
    over: places.axes, from: .zero, eps: eps ?? x.dtype.computingEpsilon,
    weight: weight?.reshaped(places.parameterShape), bias: nil, call: call)
}

extension DType {
  /// The distance from 1 to the next larger number of the type in which elements are computed.
  package var computingEpsilon: Double {
    self == .float64 ? Double.ulpOfOne : Double(Float.ulpOfOne)
  }
}

/// Root mean square normalization: scales every sample by the root mean square of its last axes.
///
/// y = x / √(Σ x² / n + eps) * weight, with the sum over the last axes, whose sizes are
/// `normalizedShape`, or over `axes`; the same in training and evaluation.
///
/// - Shapes: input and output `[..., normalizedShape]`, or with these sizes at `axes`; weight
///   `normalizedShape`.
/// - Types: real ones; half types are computed in `float32`.
/// - Edge cases: `eps: nil` is the distance from 1 to the next larger number of the computing type,
///   2⁻²³ or for `float64` 2⁻⁵²; zeros give zeros; an empty batch gives an empty result.
/// - Accuracy: the sum is taken in `float64`, where squares of `float32` neither overflow nor
///   underflow; in `float32` the error is at most 4 ulp of the largest result.
/// - Cost: one read and one write if there are at least twice as many samples as threads;
///   otherwise one more read.
/// - PyTorch: `torch.nn.RMSNorm`. Keras' and Flax's eps is 1e-6, MLX's 1e-5.
/// - Source: Zhang and Sennrich, "Root Mean Square Layer Normalization" (2019).
public class RMSNorm: Module, PlacedLayer {
  /// The sizes of the normalized axes.
  public let normalizedShape: [Int]
  /// The normalized axes from first to last; nil for the last ones.
  public let axes: [Int]?
  /// Added to the mean square under the square root; nil for the machine epsilon of the type.
  public let eps: Double?
  /// The scale of each position, initially 1; nil without `elementwiseAffine`.
  public let weight: Parameter?

  /// A layer over the last axes, or over `axes`, with PyTorch's defaults. PyTorch: `nn.RMSNorm([10,
  /// 20])`.
  public init(
    _ normalizedShape: [Int], axes: [Int]? = nil, eps: Double? = nil,
    elementwiseAffine: Bool = true, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    let options = LayerOptions(layer: Self.self, file: file, line: line)
    let normalizedShape = normalizedShape.map { options.size($0, "a size") }
    self.normalizedShape = normalizedShape
    self.axes = axes
    self.eps = eps.map { options.eps($0) }
    weight = elementwiseAffine ? Parameter(.ones(normalizedShape, dtype: dtype)) : nil
  }

  /// A layer over the last axis, of `features` elements, or over another one.
  /// PyTorch: `nn.RMSNorm(features)`.
  public convenience init(
    _ features: Int, axis: Int = -1, eps: Double? = nil, elementwiseAffine: Bool = true,
    dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.init(
      [features], axes: axis == -1 ? nil : [axis], eps: eps, elementwiseAffine: elementwiseAffine,
      dtype: dtype, file: file, line: line)
  }

  public override var optionsDescription: String {
    OptionText(normalizedShape.count == 1 ? normalizedShape[0] : normalizedShape as Any)
      .with("axes", axes as Any).with("eps", eps as Any)
      .with("elementwiseAffine", weight != nil, unless: true).text
  }

  /// Normalizes every sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try rmsNorm(
        x, normalizedShape: normalizedShape, axes: axes, weight: weight?.value, eps: eps,
        call: "RMSNorm(_:)"
      ).output
    }.observed(by: self, of: x, file, line)
  }
}

/// ``RMSNorm`` over the channels of images, `[N, C, H, W]`, separately for each pixel.
///
/// timm: `RmsNorm2d`, whose eps is 1e-6 too.
public final class RMSNorm2d: RMSNorm {
  /// A layer for `channels` channels.
  public init(
    _ channels: Int, eps: Double = 1e-6, affine: Bool = true, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    super.init(
      [channels], axes: [1], eps: eps, elementwiseAffine: affine, dtype: dtype, file: file,
      line: line)
  }
}
