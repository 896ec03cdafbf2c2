import NormaTensor

/// EvoNorm B0: normalization and activation of images in one layer, found by architecture search,
/// with batch statistics.
///
/// y = x / max(√(batch variance + eps), v x + √(instance variance + eps)) * weight + bias. In
/// evaluation the running variance, which is updated as in ``BatchNorm``, replaces the batch's.
/// Variances that normalize are divided by n.
///
/// - Shapes: input and output `[N, C, H, W]`; weight, bias, v and running variance `[C]`.
/// - Types: real ones.
/// - Edge cases: one value per channel is an error in training.
/// - Cost: two passes over memory for the variances, then one read and one write.
/// - timm: `EvoNorm2dB0`.
/// - Source: Liu, Brock, Simonyan and Le, "Evolving Normalization-Activation Layers" (2020).
public final class EvoNorm2dB0: Module, PlacedLayer {
  /// Added to variances under the square root.
  public let eps: Double
  /// The weight of a new batch in the running variance.
  public let momentum: Momentum
  /// The scale γ of each channel, initially 1.
  public let weight: Parameter
  /// The shift β of each channel, initially 0.
  public let bias: Parameter
  /// The weight of x in the divisor, initially 1.
  public let v: Parameter
  /// The running variance (divided by n - 1), initially 1.
  public let runningVar: Buffer

  /// A layer for `features` channels.
  public init(
    _ features: Int, eps: Double = 1e-3, momentum: Momentum = 0.1, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: EvoNorm2dB0.self, file: file, line: line)
    let features = options.size(features, "features")
    (self.eps, self.momentum) = (options.eps(eps), momentum)
    weight = Parameter(.ones(features, dtype: dtype))
    bias = Parameter(.zeros(features, dtype: dtype))
    v = Parameter(.ones(features, dtype: dtype))
    runningVar = Buffer(.ones(features, dtype: dtype))
  }

  /// Normalizes and activates a batch; in training this updates the running variance.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let call = "EvoNorm2dB0(_:)"
      let shape = try imageChannels(x, weight.shape[0], call: call)
      let axes = [0, 2, 3]
      let type = x.dtype
      let x = evoType(type).map { x.cast(to: $0) } ?? x
      var batch = runningVar.value.reshaped(shape)
      if isTraining, x.count > 0 {
        guard x.count > x.shape[1] else {
          throw TensorError(call, "shape \(x.shape) has one value per channel, without a variance")
        }
        batch = x.variance(over: axes, correction: 0, keepDims: true)
        guard let share = momentum.share else {
          throw TensorError(call, "the layer counts no batches, so momentum cannot be cumulative")
        }
        if !GradientMode.isRecomputing {
          let new = x.detached().normalizationStatistics(over: axes).unbiasedVariance
          runningVar.value.evaluated()
          runningVar.value = runningVar.value.following(new, share)
        }
      }
      let instance = (x.variance(over: 2, 3, correction: 0, keepDims: true) + eps).sqrt()
      let divisor = maximum((batch + eps).sqrt(), x * v.value.reshaped(shape) + instance)
      return (x / divisor * weight.value.reshaped(shape) + bias.value.reshaped(shape))
        .cast(to: type)
    }.observed(by: self, of: x, file, line)
  }
}

/// EvoNorm S0: normalization and activation of images in one layer, sample by sample.
///
/// y = x sigmoid(v x) / √(variance + eps) * weight + bias, with the variance, divided by n, of
/// groups of channels over all positions, as in ``GroupNorm``.
///
/// - Shapes: input and output `[N, C, H, W]`; weight, bias and v `[C]`.
/// - Types: real ones.
/// - Cost: one pass over memory for the variance, then one read and one write.
/// - timm: `EvoNorm2dS0`.
/// - Source: Liu, Brock, Simonyan and Le, "Evolving Normalization-Activation Layers" (2020).
public final class EvoNorm2dS0: Module, PlacedLayer {
  /// The number of groups.
  public let groups: Int
  /// Added to the variance under the square root.
  public let eps: Double
  /// The scale γ of each channel, initially 1.
  public let weight: Parameter
  /// The shift β of each channel, initially 0.
  public let bias: Parameter
  /// The weight of x in the sigmoid, initially 1.
  public let v: Parameter

  /// A layer for `features` channels in `groups` groups.
  public init(
    _ features: Int, groups: Int = 32, eps: Double = 1e-5, dtype: DType = .float32,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    let options = LayerOptions(layer: EvoNorm2dS0.self, file: file, line: line)
    let features = options.size(features, "features")
    (self.groups, self.eps) = (groups, options.eps(eps))
    weight = Parameter(.ones(features, dtype: dtype))
    bias = Parameter(.zeros(features, dtype: dtype))
    v = Parameter(.ones(features, dtype: dtype))
    do throws(TensorError) {
      try requireGroups(groups, features, call: "EvoNorm2dS0(_:groups:)")
    } catch {
      report(error, file: file, line: line)
    }
  }

  /// Normalizes and activates every sample.
  public func callAsFunction(
    _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let channels = weight.shape[0]
      _ = try imageChannels(x, channels, call: "EvoNorm2dS0(_:)")
      // Two axes: the groups, and the channels of a group.
      let places = channels / groups
      let type = x.dtype
      let split = (evoType(type).map { x.cast(to: $0) } ?? x)
        .reshaped([x.shape[0], groups, places] + x.shape.dropFirst(2))
      func parameter(_ own: Parameter) -> Tensor { own.value.reshaped(1, groups, places, 1, 1) }
      let spread = (split.variance(over: 2, 3, 4, correction: 0, keepDims: true) + eps).sqrt()
      let y = split * (split * parameter(v)).sigmoid() / spread
      return (y * parameter(weight) + parameter(bias)).reshaped(x.shape).cast(to: type)
    }.observed(by: self, of: x, file, line)
  }
}

/// The type in which half types are computed, as variances exceed their range; nil for others.
private func evoType(_ type: DType) -> DType? {
  type == .float16 || type == .bfloat16 ? .float32 : nil
}
