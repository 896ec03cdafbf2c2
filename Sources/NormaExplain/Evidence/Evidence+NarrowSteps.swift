import NormaTensor

/// Steps that are computed and rounded in a half type.
extension Evidence {
  /// A first step of statistics whose parts are rounded on the way.
  func narrowed(
    _ step: Recipe.Step, of value: Tensor, aboutZero: Bool, _ narrow: Recipe.NarrowSteps
  ) -> Tensor {
    func rounded(_ tensor: Tensor, _ part: Recipe.NarrowSteps.Step) -> Tensor {
      narrow.contains(part) ? roundTrip(tensor, narrow.type) : tensor
    }
    let value = entering(value, narrow)
    let mean = rounded(value.mean(over: step.axes, keepDims: true), .mean).evaluated()
    if step.statistic == .mean { return mean }
    let squares = rounded((aboutZero ? value : value - mean).squared(), .squares)
    let variance = rounded(squares.mean(over: step.axes, keepDims: true), .variance)
    return step.statistic == .deviation ? variance.sqrt() : variance
  }

  /// An input as seen by steps in a half type.
  func entering(_ value: Tensor, _ narrow: Recipe.NarrowSteps) -> Tensor {
    narrow.contains(.input) ? roundTrip(value, narrow.type) : value
  }

  /// A centered value, divided, with the roundings of the steps.
  func normalized(
    _ centred: Tensor, _ divisor: Tensor, _ narrow: Recipe.NarrowSteps
  ) -> Tensor {
    var result =
      narrow.contains(.reciprocal)
      ? centred * roundTrip(1 / divisor, narrow.type).evaluated() : centred / divisor.evaluated()
    if narrow.contains(.normalized) { result = roundTrip(result, narrow.type) }
    return result
  }

  private func roundTrip(_ tensor: Tensor, _ type: DType) -> Tensor {
    tensor.cast(to: type).cast(to: .float64)
  }

  /// The fraction of the samples that a recipe reproduces up to a few roundings of the data's type.
  func closeness(_ recipe: Recipe) -> Double {
    let exact = sample(output(recipe).evaluated())
    let (means, variances) = sampledStatistics(recipe)
    let (scales, offsets) = sampledAffine(recipe.affine)
    let n = Double(frame.count)
    let mostSlack = mostSlack(rounding)
    let near = exact.indices.count { i in
      let factor = abs(scales[i] / recipe.divisor(variance: variances[i], count: n))
      let slack =
        min(factor * (abs(sampledInput[i]) + abs(means[i])), mostSlack) + abs(exact[i])
        + abs(offsets[i])
      return abs(sampledTarget[i] - exact[i]) <= 8 * rounding * slack
        || sampledTarget[i] == exact[i]
    }
    return Double(near) / Double(max(exact.count, 1))
  }
}
