import NormaKernels

/// The statistics that a normalization takes from its input, pending, in `float64`.
///
/// Reduced axes have size 1. Their reductions run in one trip, or together with the normalization
/// where the slices of the kept axes stay in cache.
package struct NormalizationStatistics: Sendable {
  package let mean: Tensor
  /// The sum of squared distances from the mean.
  package let squares: Tensor
  /// How many values each statistic rests on.
  package let count: Int

  /// The biased variance, which normalizes.
  package var variance: Tensor { squares / Double(count) }

  /// The variance of an unbiased estimate, which running statistics follow.
  package var unbiasedVariance: Tensor { squares / Double(max(count - 1, 0)) }
}

extension Tensor {
  /// Mean and squared distances over `axes`, kept as axes of size 1.
  package func normalizationStatistics(over axes: [Int]) -> NormalizationStatistics {
    let group = node.group(of: self, over: axes.sorted())
    let count = group.countPerResult
    let squares = group.tensor(.squares)
    return NormalizationStatistics(
      mean: group.tensor(.sum) / Double(count), squares: squares, count: count)
  }

  /// x - mean, in one instruction, with the mean as two numbers.
  func centered(at mean: Tensor, call: String) throws(TensorError) -> Tensor {
    let type = dtype == .float64 ? DType.float64 : .float32
    let high = mean.cast(to: type)
    let low = (mean - high.cast(to: .float64)).cast(to: type)
    return try Tensor.elementwise(
      .normalize,
      [self, high, low, .ones(mean.shape, dtype: type), .zeros(mean.shape, dtype: type)],
      in: type, result: dtype, call: call)
  }

  /// (x - mean) / √(variance + eps) * weight + bias, in one instruction.
  ///
  /// The mean is carried as two numbers of the computing type, so that data far from zero keep
  /// their digits: y = ((x - high) - low) * scale + shift, each step rounded once. Half types
  /// are computed in `float32` and rounded at the end.
  /// - Parameters: `mean` and `variance` (usually in `float64`), `weight` and `bias` broadcast to
  ///   the shape.
  package func normalized(
    mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?, call: String
  ) throws(TensorError) -> Tensor {
    let type = dtype == .float64 ? DType.float64 : .float32
    let high = mean.cast(to: type)
    // Zeros of the mean's shape: what is one number for all channels would be spread in every tile.
    func zeros() -> Tensor {
      Tensor(shape: mean.shape, dtype: type) {
        $0.initializeMemory(as: UInt8.self, repeating: 0)
      }
    }
    // A mean of the computing type is whole, also where it is infinite.
    let low =
      mean.dtype == type ? zeros() : (mean - high.cast(to: .float64)).cast(to: type)
    var scale = (variance + eps).rsqrt()
    if let weight { scale = scale * weight.cast(to: .float64) }
    let shift = bias?.cast(to: type) ?? zeros()
    return try Tensor.elementwise(
      .normalize, [self, high, low, scale.cast(to: type), shift], in: type, result: dtype,
      call: call)
  }
}
