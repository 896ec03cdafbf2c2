import NormaTensor

extension Recipe {
  /// What the centred and divided value is multiplied by and what is added, per channel.
  func scaleAndShift(weight: [Double]?, bias: [Double]?, features: Int) -> (
    scale: [Double], shift: [Double]
  ) {
    let w = weight ?? [Double](repeating: 1, count: features)
    let b = bias ?? [Double](repeating: 0, count: features)
    let ones = [Double](repeating: 1, count: features)
    let zeros = [Double](repeating: 0, count: features)
    return switch affine {
    case .both: (w, b)
    case .none: (ones, zeros)
    case .weightOnly: (w, zeros)
    case .biasOnly: (ones, b)
    case .onePlusWeight: (w.map { 1 + $0 }, b)
    case .biasFirst: (w, zip(w, b).map { $0 * $1 })
    case .exchanged: (b, w)
    case .minusBias: (w, b.map { -$0 })
    case .weightTwice: (w.map { $0 * $0 }, b)
    case .dividedByWeight: (w.map { 1 / $0 }, b)
    }
  }

  /// What the centred value is divided by, for a variance.
  func divisor(variance: Double) -> Double {
    let deviation: Double =
      switch placement {
      case .inside: (variance + epsilon).squareRoot()
      case .outside: variance.squareRoot() + epsilon
      case .larger: max(variance, epsilon).squareRoot()
      case .both: (variance + epsilon).squareRoot() + epsilon
      case .reciprocal: 1 / (1 / variance.squareRoot() + epsilon)
      }
    return switch divisor {
    case .deviation: deviation
    case .variance: deviation * deviation
    case .reciprocal: 1 / deviation
    }
  }

  /// `divisor(variance:)` for a tensor of variances.
  func divisor(variances: Tensor) -> Tensor {
    let deviation: Tensor =
      switch placement {
      case .inside: (variances + epsilon).sqrt()
      case .outside: variances.sqrt() + epsilon
      case .larger: variances.clamped(min: epsilon).sqrt()
      case .both: (variances + epsilon).sqrt() + epsilon
      case .reciprocal: 1 / (1 / variances.sqrt() + epsilon)
      }
    return switch divisor {
    case .deviation: deviation
    case .variance: deviation.squared()
    case .reciprocal: 1 / deviation
    }
  }
}

extension Evidence {
  /// What the recipe makes of the input, in Float64: of all channels, or of some.
  func output(_ recipe: Recipe, channels: Range<Int>? = nil) -> Tensor {
    func part(_ tensor: Tensor) -> Tensor {
      guard let channels, tensor.shape[1] > 1 else { return tensor }
      return sliced(tensor, channels: channels)
    }
    let (mean, variance) = statistics(recipe)
    let (scale, offset) = recipe.scaleAndShift(
      weight: layer.weight, bias: layer.bias, features: layer.features)
    // One small factor, so that the large tensor sees a difference, a product and a sum.
    let divisor = recipe.divisor(variances: part(variance))
    let factor = (part(broadcast(channels: scale)) / divisor).evaluated()
    var value = channels.map { wideInput(channels: $0) } ?? wide
    let bias = shift.map { part(broadcast(channels: $0)) }
    if let bias, [.shiftAfter, .shiftMissing].contains(recipe.surroundings) {
      value = value - bias
    }
    if recipe.surroundings == .rectifiedBefore { value = value.clamped(min: 0) }
    var result = (value - part(mean)) * factor
    if recipe.affine != .none { result = result + part(broadcast(channels: offset)) }
    if let scale = recipe.observedScale { result = result * part(broadcast(channels: scale)) }
    if let shift = recipe.observedShift { result = result + part(broadcast(channels: shift)) }
    if let bias, recipe.surroundings == .shiftAfter { result = result + bias }
    if recipe.surroundings == .rectifiedAfter { result = result.clamped(min: 0) }
    if let mask, recipe.mask == .zeroed { result = result * mask.cast(to: .float64) }
    if let narrow = recipe.narrow { result = result.cast(to: narrow).cast(to: .float64) }
    return result
  }

  /// How far the target is from the recipe's output, in units of the rounding that a careful
  /// computation in the data's type makes at each element: root mean square over the first
  /// `count` samples. About 0.5 when the recipe is the one that was used.
  ///
  /// The rounding of `w * (x - m) / d + b` is `u * (|w / d| * (|x| + |m|) + |w * (x - m) / d| + |b|)`.
  func misfit(_ recipe: Recipe, count: Int) -> Double {
    let (means, variances) = sampledStatistics(recipe)
    let (scales, offsets) = sampledAffine(recipe.affine)
    let observedScale = recipe.observedScale.map { sample(channels: $0) }
    let observedShift = recipe.observedShift.map { sample(channels: $0) }
    let rounding = recipe.narrow.map(unitRoundoff) ?? rounding
    let count = min(count, places.count)
    var total = 0.0
    for i in 0..<count {
      var x = sampledInput[i]
      var extra = 0.0
      switch recipe.surroundings {
      case .shiftAfter, .shiftMissing:
        extra = sampledShift?[i] ?? 0
        x -= extra
      case .rectifiedBefore: x = max(x, 0)
      default: break
      }
      let factor = scales[i] / recipe.divisor(variance: variances[i])
      let centred = (x - means[i]) * factor
      var value = centred + offsets[i]
      var slack =
        abs(centred) + abs(factor) * (abs(x) + abs(means[i])) + abs(offsets[i]) + abs(extra)
      if let scale = observedScale { value *= scale[i] }
      if let shift = observedShift { value += shift[i] }
      if recipe.surroundings == .shiftAfter { value += extra }
      if recipe.surroundings == .rectifiedAfter { value = max(value, 0) }
      if recipe.mask == .zeroed, let kept = sampledMask?[i] {
        value *= kept
        slack = max(slack, 1e-30)
      }
      let distance = (sampledTarget[i] - value) / (rounding * slack + 1e-30)
      total += distance * distance
      // Far off already: the rest would not change the verdict.
      if i == 31, total > 32e18 { return (total / 32).squareRoot() }
    }
    let result = (total / Double(max(count, 1))).squareRoot()
    return result.isFinite ? result : .greatestFiniteMagnitude
  }

  private func sampledAffine(_ affine: Recipe.Affine) -> (scale: [Double], offset: [Double]) {
    if let known = affineSamples[affine] { return known }
    var recipe = layer.recipe(rank: input.shape.count)
    recipe.affine = affine
    let (scale, offset) = recipe.scaleAndShift(
      weight: layer.weight, bias: layer.bias, features: layer.features)
    let sampled = (sample(channels: scale), sample(channels: offset))
    affineSamples[affine] = sampled
    return sampled
  }
}
