import NormaTensor

/// Adaptive instance normalization: gives every channel of every sample its mean and spread in
/// `style`.
///
/// y = (x - mean(x)) / √(variance(x) + eps) * √(variance(style) + eps) + mean(style), with
/// statistics, divided by n, over the axes after the channels.
///
/// - Shapes: `x` `[N, C, ...]`, `style` `[N, C, ...]` with spatial axes of any size; the result has
///   the shape of `x`. Gradients flow to both.
/// - Accuracy and cost: as ``InstanceNorm``, plus one pass over `style`.
/// - Source: Huang and Belongie, "Arbitrary Style Transfer in Real-time with Adaptive Instance
///   Normalization" (2017), whose code divides variances by n - 1.
public func adaptiveInstanceNorm(
  _ x: Tensor, style: Tensor, eps: Double = 1e-5, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.isPoisoned || style.isPoisoned { return .poisoned }
    let call = "adaptiveInstanceNorm(_:style:)"
    guard x.rank >= 3, style.rank >= 3, x.shape.prefix(2) == style.shape.prefix(2) else {
      throw TensorError(
        call,
        "input \(x.shape) and style \(style.shape) need the same samples and channels, and space")
    }
    try requireReal(x, call: call)
    try requireReal(style, call: call)
    let (wide, axes) = (style.cast(to: .float64), Array(2..<style.rank))
    let shape = Array(x.shape.prefix(2)) + x.shape.dropFirst(2).map { _ in 1 }
    let spread = (wide.variance(over: axes, correction: 0) + eps).sqrt().reshaped(shape)
    return try x.normalized(
      over: Array(2..<x.rank), eps: eps, weight: spread,
      bias: wide.mean(over: axes).reshaped(shape), call: call
    ).output
  }
}

/// Layer normalization with a scale and shift computed from a condition, such as a time or a class.
///
/// y = (x - mean) / √(variance + eps) * (1 + scale) + shift over the last axis, where scale and
/// shift are a linear map of silu(condition).
///
/// - Shapes: input `[N, ..., features]`, condition `[N, conditions]`; output that of the input.
/// - Types: real ones.
/// - Cost: as ``LayerNorm``, plus a matrix product for the condition.
/// - diffusers: `AdaLayerNorm`, here without its embedding table; `linear.weight` and `linear.bias`
///   hold the scales before the shifts.
/// - Source: Perez, Strub, de Vries, Dumoulin and Courville, "FiLM" (2018); Peebles and Xie,
///   "Scalable Diffusion Models with Transformers" (2023).
public final class AdaptiveLayerNorm: Module {
  /// The number of elements of the last axis.
  public let features: Int
  /// Added to the variance under the square root.
  public let eps: Double
  /// The map from the condition to scales and shifts.
  public let linear: Linear

  /// A layer for `features` elements and conditions of `conditions` numbers.
  public init(
    _ features: Int, conditions: Int, eps: Double = 1e-5, dtype: DType = .float32
  ) {
    (self.features, self.eps) = (features, eps)
    linear = Linear(conditions, product([2, features]), dtype: dtype)
  }

  /// Normalizes `x` given a condition.
  public func callAsFunction(
    _ x: Tensor, _ condition: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned || condition.isPoisoned { return .poisoned }
      let call = "AdaptiveLayerNorm(_:_:)"
      guard x.rank >= 2, x.shape.last == features, condition.rank == 2,
        condition.shape[0] == x.shape[0]
      else {
        throw TensorError(
          call,
          "input \(x.shape) and condition \(condition.shape) are not [N, ..., \(features)] and "
            + "[N, conditions]")
      }
      try requireReal(x, call: call)
      let shape = [x.shape[0]] + x.shape.dropFirst(2).map { _ in 1 } + [features]
      let parts = linear(condition.silu(), file: file, line: line).chunked(2, over: -1)
      return try x.normalized(
        over: [x.rank - 1], eps: eps, weight: (parts[0] + 1).reshaped(shape),
        bias: parts[1].reshaped(shape), call: call
      ).output
    }.observed(by: self, of: x, file, line)
  }
}

/// Batch normalization of images with separate weight and bias for each class.
///
/// y = (x - mean) / √(variance + eps) * weight[class] + bias[class], with the statistics of
/// ``BatchNorm2d``. Weights are initially normal with mean 1 and standard deviation 0.02, biases 0.
///
/// - Shapes: input `[N, C, H, W]`, classes `[N]` of integers; output that of the input.
/// - Cost: as ``BatchNorm``.
/// - In state dictionaries `bn.running_mean` and so on, and `embed.weight` `[classes, 2 C]`, the
///   weights before the biases.
/// - Source: de Vries, Strub, Mary, Larochelle, Pietquin and Courville, "Modulating early visual
///   processing by language" (2017); Dumoulin, Shlens and Kudlur (2017).
public final class ConditionalBatchNorm2d: Module {
  /// The batch norm that provides the statistics.
  public let bn: BatchNorm2d
  /// Weight and bias of each class.
  public let embed: Embedding

  /// A layer for `features` channels and this many classes.
  public init(
    _ features: Int, classes: Int, eps: Double = 1e-5, momentum: Momentum = 0.1,
    dtype: DType = .float32
  ) {
    bn = BatchNorm2d(features, eps: eps, momentum: momentum, affine: false, dtype: dtype)
    embed = Embedding(classes, product([2, features]), dtype: dtype)
    embed.weight.value = .concatenated(
      [
        .normal([classes, features], mean: 1, std: 0.02, dtype: dtype),
        .zeros([classes, features], dtype: dtype),
      ], over: 1)
  }

  /// Normalizes a batch, given the classes of its samples.
  public func callAsFunction(
    _ x: Tensor, _ classes: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned || classes.isPoisoned { return .poisoned }
      guard x.rank == 4, classes.shape == [x.shape[0]] else {
        throw TensorError(
          "ConditionalBatchNorm2d(_:_:)",
          "input \(x.shape) and classes \(classes.shape) are not [N, C, H, W] and [N]")
      }
      let y = bn(x, file: file, line: line)
      if y.isPoisoned { return y }
      let parts = embed(classes, file: file, line: line).chunked(2, over: 1)
        .map { $0.reshaped(x.shape[0], -1, 1, 1) }
      return y * parts[0] + parts[1]
    }.observed(by: self, of: x, file, line)
  }
}
