import NormaTensor

/// A convolution of images whose weight is normalized before use: each output's filter has mean 0
/// and variance 1 / (1 + eps / variance).
///
/// The convolution uses (w - mean) / √(variance + eps), with mean and variance, divided by n, over
/// all axes but the outputs; the parameter is w. Followed by group norm, it trains with small
/// batches.
///
/// - Cost: one pass over the weight for each call.
/// - timm: `StdConv2d`, which has no bias by default, either, and padding that keeps the size.
/// - Source: Qiao, Wang, Liu, Shen and Yuille, "Micro-Batch Training with Batch-Channel
///   Normalization and Weight Standardization" (2019).
public final class StdConv2d: Convolution {
  /// Added to the variance under the square root.
  public let eps: Double

  override var convolvingWeight: Tensor { standardized(eps: eps, gain: nil) }

  public override var optionsDescription: String { super.optionsDescription + ", eps: \(eps)" }

  /// A convolution with timm's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: (some PaddingConvertible)? = ConvolutionPadding?.none,
    dilation: some ExtentsConvertible = 1, groups: Int = 1, bias: Bool = false,
    eps: Double = 1e-6, dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) {
    self.eps = eps
    super.init(
      space: 2, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding?.asPadding
        ?? .keepingSize(kernelSize.asExtents, stride.asExtents, dilation.asExtents),
      dilation: dilation.asExtents,
      groups: groups, bias: bias, paddingMode: .zeros, dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

/// A convolution of images with a normalized weight and a gain for each output, for networks
/// without normalization of activations.
///
/// The convolution uses gain * gamma / √n * (w - mean) / √(variance + eps), with mean and variance
/// over the n values of an output's filter. `gamma` is the gain of the activation before the layer.
///
/// - Cost: one pass over the weight for each call.
/// - timm: `ScaledStdConv2d`.
/// - Source: Brock, De and Smith, "Characterizing signal propagation to close the performance gap
///   in unnormalized ResNets" (2021).
public final class ScaledStdConv2d: Convolution {
  /// Added to the variance under the square root.
  public let eps: Double
  /// The gain of the activation before the layer.
  public let gamma: Double
  /// The gain of each output, `[outputs, 1, 1, 1]`.
  public let gain: Parameter

  public override var optionsDescription: String {
    super.optionsDescription + ", gamma: \(gamma), eps: \(eps)"
  }

  override var convolvingWeight: Tensor {
    let count = weight.shape.dropFirst().reduce(1, *)
    let factor = gamma / Double(max(count, 1)).squareRoot()
    return standardized(eps: eps, gain: gain.value.cast(to: .float64) * factor)
  }

  /// A convolution with timm's defaults.
  public init(
    _ inputs: Int, _ outputs: Int, kernelSize: some ExtentsConvertible,
    stride: some ExtentsConvertible = 1,
    padding: (some PaddingConvertible)? = ConvolutionPadding?.none,
    dilation: some ExtentsConvertible = 1, groups: Int = 1, bias: Bool = true,
    gamma: Double = 1, eps: Double = 1e-6, gainInit: Double = 1, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    (self.gamma, self.eps) = (gamma, eps)
    gain = Parameter(.full([outputs, 1, 1, 1], gainInit, dtype: dtype))
    super.init(
      space: 2, inputs, outputs, kernelSize: kernelSize.asExtents, stride: stride.asExtents,
      padding: padding?.asPadding
        ?? .keepingSize(kernelSize.asExtents, stride.asExtents, dilation.asExtents),
      dilation: dilation.asExtents,
      groups: groups, bias: bias, paddingMode: .zeros, dtype: dtype,
      options: LayerOptions(layer: Self.self, file: file, line: line))
  }
}

extension Convolution {
  /// The weight with each output's filter normalized, times a gain.
  fileprivate func standardized(eps: Double, gain: Tensor?) -> Tensor {
    checked(file: #fileID, line: #line) { () throws(TensorError) in
      let own = weight.value
      return try own.normalized(
        over: Array(1..<own.rank), eps: eps, weight: gain, bias: nil, call: "StdConv2d(_:)"
      ).output
    }
  }
}

extension ConvolutionPadding {
  /// timm's default padding: ((stride - 1) + dilation (kernel - 1)) / 2.
  fileprivate static func keepingSize(
    _ kernel: Extents, _ stride: Extents, _ dilation: Extents
  ) -> ConvolutionPadding {
    let sizes = zip(kernel.repeated(2), zip(stride.repeated(2), dilation.repeated(2)))
    return ConvolutionPadding(
      Extents(sizes.map { (($1.0 - 1) + $1.1 * ($0 - 1)) / 2 }))
  }
}
