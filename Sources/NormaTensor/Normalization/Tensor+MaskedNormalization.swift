/// The statistics that a normalization computes from the unmasked values, pending, in `float64`.
///
/// Reduced axes have size 1.
package struct MaskedStatistics: Sendable {
  /// The number of values of each statistic.
  package let count: Tensor
  package let mean: Tensor
  /// The sum of squared distances from the mean.
  package let squares: Tensor

  /// The biased variance, which normalizes; 0 if there are no values.
  package var variance: Tensor { squares / count.clamped(min: 1) }
}

extension Tensor {
  /// (x - mean) / √(variance + eps) * weight + bias where the mask is true, with the statistics of
  /// these values over `axes`; 0 elsewhere. Masked values have no influence, whatever they are.
  ///
  /// A single operation for differentiation; gradients are 0 where the mask is false. `mask`,
  /// `weight` and `bias` broadcast to the shape. Cost: as without a mask, plus reading the mask.
  package func normalized(
    over axes: [Int], mask: Tensor, eps: Double, weight: Tensor?, bias: Tensor?, call: String
  ) throws(TensorError) -> (output: Tensor, statistics: MaskedStatistics) {
    try Tensor.requireEpsilon(eps, call)
    let sorted = axes.sorted()
    let holds = mask.detached().cast(to: .bool)
    let zero = Tensor.zeros([], dtype: dtype)
    let taken = try detached().weightedStatistics(
      over: sorted, mask: mask, weights: nil, call: call)
    let statistics = MaskedStatistics(
      count: taken.count, mean: Tensor.where(taken.count .== 0.0, 0.0, taken.mean),
      squares: taken.squares)
    if dtype == .float64,
      let scale = Tensor.where(holds, detached(), zero).scaleForNormalization(
        over: sorted, variance: statistics.variance, isCentered: true, eps: eps),
      scale.array(of: Double.self).contains(where: { $0 != 1 })
    {
      let output = try (self * scale).normalized(
        over: axes, mask: mask, eps: eps, weight: weight, bias: bias, call: call
      ).output
      return (output, statistics)
    }
    let everywhere = try detached().normalized(
      mean: statistics.mean, variance: statistics.variance, eps: eps,
      weight: weight?.detached(), bias: bias?.detached(), call: call)
    let recorded = Tensor.where(holds, everywhere, zero).recordedNormalization(
      of: self, mean: statistics.mean, variance: statistics.variance, eps: eps, weight: weight,
      bias: bias, own: OwnStatistics(axes: sorted, origin: .mean),
      mask: NormalizationMask(holds: holds, count: statistics.count.clamped(min: 1)), call: call)
    return (recorded, statistics)
  }
}

/// The values that a normalization counts.
struct NormalizationMask {
  let holds: Tensor
  /// The number of values of each statistic, at least 1.
  let count: Tensor

  /// The values that count; 0 for others, whatever they are.
  func kept(_ values: Tensor) -> Tensor {
    Tensor.where(holds, values, Tensor.zeros([], dtype: values.dtype))
  }
}
