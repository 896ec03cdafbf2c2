/// The statistics that a normalization takes from the values that count, pending, in `float64`.
///
/// Reduced axes have size 1.
package struct MaskedStatistics: Sendable {
  /// How many values each statistic rests on.
  package let count: Tensor
  package let mean: Tensor
  /// The sum of squared distances from the mean.
  package let squares: Tensor

  /// The biased variance, which normalizes; 0 of no values.
  package var variance: Tensor { squares / count.clamped(min: 1) }
}

extension Tensor {
  /// (x - mean) / √(variance + eps) * weight + bias where the mask holds, with the statistics of
  /// these values over `axes`; 0 elsewhere. What is masked out has no influence, whatever it is.
  ///
  /// One operation to gradients, which are 0 where the mask does not hold. `mask`, `weight` and
  /// `bias` broadcast to the shape. Cost: as without a mask where groups lie together in `float32`; else
  /// four trips, and a gradient computed in `float64`.
  package func normalized(
    over axes: [Int], mask: Tensor, eps: Double, weight: Tensor?, bias: Tensor?, call: String
  ) throws(TensorError) -> (output: Tensor, statistics: MaskedStatistics) {
    try Tensor.requireEpsilon(eps, call)
    let sorted = axes.sorted()
    let holds = mask.detached().cast(to: .bool)
    let output: Tensor
    let statistics: MaskedStatistics
    if let groups = NormalizedGroups(
      detached(), over: sorted, weight: weight?.detached(), bias: bias?.detached()),
      let result = groups.normalized(mask: holds, eps: eps, over: sorted)
    {
      (output, statistics) = result
    } else {
      let taken = try detached().weightedStatistics(
        over: axes, mask: mask, weights: nil, call: call)
      statistics = MaskedStatistics(
        count: taken.count, mean: Tensor.where(taken.count .== 0.0, 0.0, taken.mean),
        squares: taken.squares)
      let zero = Tensor.zeros([], dtype: dtype)
      if let scale = Tensor.where(holds, detached(), zero).scaleForNormalization(
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
      output = Tensor.where(holds, everywhere, zero)
    }
    let hasWeight = weight != nil
    let hasBias = bias != nil
    let inputs = [self] + [weight, bias].compactMap { $0 }
    let saving =
      [self, holds, statistics.count.clamped(min: 1), statistics.mean, statistics.variance]
      + (weight.map { [$0] } ?? [])
    let recorded = output.recorded(call, from: inputs, saving: saving) { rule in
      let weight = hasWeight ? rule.saved[5] : nil
      let atOnce =
        rule.isRecording
        ? nil
        : NormalizationGradient.ofMaskedGroups(rule, over: sorted, eps: eps, weight: weight)
      let gradients =
        atOnce ?? maskedNormalizationGradients(rule, over: axes, eps: eps, weight: weight)
      return [gradients.input] + (hasWeight ? [gradients.weight] : [])
        + (hasBias ? [gradients.bias] : [])
    }
    return (recorded, statistics)
  }
}

/// With g the upstream gradient where the mask holds, u = g weight, c = x - mean there, r = 1 /
/// √(variance + eps), and sums and n over the values that count:
///
///     dx = r (u - Σ(u) / n - r² c Σ(u c) / n)        dweight = g c r        dbias = g
///
/// From differentiable operations in `float64`, so that gradients of it exist.
private func maskedNormalizationGradients(
  _ rule: Backward, over axes: [Int], eps: Double, weight: Tensor?
) -> NormalizationGradients {
  let (holds, count) = (rule.saved[1], rule.saved[2])
  func kept(_ x: Tensor) -> Tensor { Tensor.where(holds, x.cast(to: .float64), 0.0) }
  func mean(_ x: Tensor) -> Tensor {
    x.sum(over: axes, keepDims: true) / count
  }
  let upstream = kept(rule.upstream)
  let x = kept(rule.saved[0])
  let center = kept(x - mean(x))
  let inverse = (mean(center.squared()) + eps).rsqrt()
  let normalized = center * inverse
  return NormalizationGradients(
    input: rule.whenNeeded(0) {
      let weighted = weight.map { upstream * $0.cast(to: .float64) } ?? upstream
      return kept(
        (weighted - mean(weighted) - normalized * mean(weighted * normalized)) * inverse)
    },
    weight: weight == nil ? nil : upstream * normalized, bias: upstream)
}
