import NormaTensor

extension Recipe {
  /// The divisor of the centered value, for a variance over `count` values.
  func divisor(variance: Double, count: Double) -> Double {
    let deviation: Double =
      switch placement {
      case .inside: (variance + epsilon).squareRoot()
      case .outside: variance.squareRoot() + epsilon
      case .larger: max(variance, epsilon).squareRoot()
      case .both: (variance + epsilon).squareRoot() + epsilon
      case .reciprocal: 1 / (1 / variance.squareRoot() + epsilon)
      case .largerDeviation: max(variance.squareRoot(), epsilon)
      case .sum: (variance + epsilon / count).squareRoot()
      }
    return switch divisor {
    case .deviation: deviation
    case .variance: deviation * deviation
    case .reciprocal: 1 / deviation
    case .one: 1
    }
  }

  /// `divisor(variance:count:)` for a tensor of variances.
  func divisor(variances: Tensor, count: Double) -> Tensor {
    let deviation: Tensor =
      switch placement {
      case .inside: (variances + epsilon).sqrt()
      case .outside: variances.sqrt() + epsilon
      case .larger: variances.clamped(min: epsilon).sqrt()
      case .both: (variances + epsilon).sqrt() + epsilon
      case .reciprocal: 1 / (1 / variances.sqrt() + epsilon)
      case .largerDeviation: variances.sqrt().clamped(min: epsilon)
      case .sum: (variances + epsilon / count).sqrt()
      }
    return switch divisor {
    case .deviation: deviation
    case .variance: deviation.squared()
    case .reciprocal: 1 / deviation
    case .one: deviation * 0 + 1
    }
  }
}

extension Evidence {
  /// The recipe's output for the input, in `float64` and the frame's shape: all of it, or a part
  /// along the frame's `sliceAxis`.
  func output(_ recipe: Recipe, slices: Range<Int>? = nil) -> Tensor {
    func part(_ tensor: Tensor) -> Tensor {
      guard let slices, let axis = frame.sliceAxis, tensor.shape[axis] > 1 else { return tensor }
      return sliced(tensor, axis: axis, slices)
    }
    if let function = recipe.replaced {
      let result = output(function, of: slices.map { wideInput(slices: $0) } ?? wide)
      return recipe.narrow.map { result.cast(to: $0).cast(to: .float64) } ?? result
    }
    let (mean, variance) = statistics(recipe)
    let (scale, offset) = recipe.scaleAndShift(layer, frame)
    let (weight, bias) = (part(scale.tensor), part(offset.tensor))
    let divisor = recipe.divisor(variances: part(variance), count: count(recipe))
    let source = slices.map { wideInput(slices: $0) } ?? wide
    var value = prepared(source, recipe.surroundings, part: part)
    if let narrow = recipe.narrowSteps { value = entering(value, narrow) }
    var result: Tensor
    let gain = recipe.gain.factor(Double(frame.count))
    if recipe.fold != .right {
      let factor = (weight / divisor).evaluated()
      let folded: Tensor =
        switch recipe.fold {
        case .right: factor
        case .plain: factor * 0 + 1
        case .weight: factor * 0 + weight
        case .reciprocal: 1 / divisor + factor * 0
        }
      result = value * factor - part(mean) * folded.evaluated()
    } else if let narrow = recipe.narrowSteps {
      result = normalized(value - part(mean), divisor, narrow) * weight
    } else if let narrow = recipe.narrow, recipe.narrowsEarly {
      result = ((value - part(mean)) / divisor.evaluated()).cast(to: narrow).cast(to: .float64)
      result = result * weight
    } else if scale.shape == variance.shape {
      // One small factor, so that the large tensor only needs a difference, a product and a sum.
      result = (value - part(mean)) * (weight / divisor).evaluated()
    } else {
      result = (value - part(mean)) / divisor.evaluated() * weight
    }
    if gain != 1 { result = result * gain }
    if let factors = recipe.observedFactors { result = result * part(factors.tensor) }
    if recipe.affine != .none { result = result + bias }
    if let extra = layer.extra, recipe.hasExtra {
      result = result * part(extra.scale.tensor) + part(extra.shift.tensor)
    }
    if let scale = recipe.observedScale { result = result * part(scale.tensor) }
    if let shift = recipe.observedShift { result = result + part(shift.tensor) }
    switch recipe.surroundings {
    case .shiftAfter: result = shift.map { result + part($0.tensor) } ?? result
    case .rectifiedAfter: result = result.clamped(min: 0)
    case .inputAdded: result = result + source
    default: break
    }
    if let mask, recipe.mask == .zeroed { result = result * part(mask.cast(to: .float64)) }
    if let narrow = recipe.narrow { result = result.cast(to: narrow).cast(to: .float64) }
    if let residual, recipe.holdsResidual { result = result + part(residual) }
    return result
  }

  /// An input after the operations that precede the normalization.
  func prepared(
    _ value: Tensor, _ surroundings: Recipe.Surroundings, part: (Tensor) -> Tensor = { $0 }
  ) -> Tensor {
    switch surroundings.before {
    case .shiftAfter, .shiftMissing: return shift.map { value - part($0.tensor) } ?? value
    case .rectifiedBefore: return value.clamped(min: 0)
    case .affineBefore:
      let (weight, bias) = layer.recipe(frame).scaleAndShift(layer, frame)
      return value * part(weight.tensor) + part(bias.tensor)
    default: return value
    }
  }

  /// The distance of the target from the recipe's output, in units of the rounding error of a
  /// careful computation in the data's type at each element: root mean square over the first
  /// `count` samples. About 0.5 for the recipe that was used.
  ///
  /// The rounding error of `w * (x - m) / d + b` is `u * (|w / d| * (|x| + |m|) + |w * (x - m) /
  /// d| + |b|)`, with a tenth of the values' root mean square added to `|m|`, as their sum rounds
  /// however close to 0 it is. If the distance is at least `bound`, any such number may be
  /// returned.
  func misfit(_ recipe: Recipe, count limit: Int, bound: Double = .infinity) -> Double {
    let (means, variances) = sampledStatistics(recipe, first: limit)
    let (scales, offsets) = sampledAffine(recipe.affine)
    let (weights, biases) = sampledAffine(.both)
    let observedScale = recipe.observedScale.map { sample($0.tensor) }
    let observedShift = recipe.observedShift.map { sample($0.tensor) }
    let extras = recipe.hasExtra ? sampledExtra : nil
    let rounding = recipe.narrow.map(unitRoundoff) ?? rounding
    // A half type is rounded to once at the end, so the order of additions hardly matters.
    let isHalf = rounding > 0x1p-20
    let bound = isHalf && bound > 8.0 / 7 ? bound / 8 + 1 : bound
    let n = count(recipe)
    let gain = recipe.gain.factor(Double(frame.count))
    let isFolded = recipe.fold != .right
    let limit = min(limit, places.count)
    let most = bound * bound * Double(limit)
    let mostSlack = mostSlack(rounding)
    let (surroundings, fold, replaced) = (recipe.surroundings, recipe.fold, recipe.replaced)
    let kept = recipe.mask == .zeroed ? sampledMask : nil
    let isOneRounding = isHalf && isRoundedOnce
    let hasMeanSize = recipe.source == .batch && recipe.centred
    let (input, target, shift) = (sampledInput, sampledTarget, sampledShift)
    // The search spends its time here. Tests run it without optimization, where a generic function
    // for each element, such as `abs`, takes several times as long as the arithmetic, and so does
    // an array that belongs to an object.
    var total = 0.0
    var i = -1
    while i + 1 < limit {
      i += 1
      var x = input[i]
      var extra = 0.0
      switch surroundings {
      case .shiftAfter, .shiftMissing:
        extra = shift?[i] ?? 0
        x -= extra
      case .rectifiedBefore: x = max(x, 0)
      case .affineBefore: x = x * weights[i] + biases[i]
      default: break
      }
      let divisor = recipe.divisor(variance: variances[i], count: n)
      let factor = gain * scales[i] / divisor
      var centred = (x - means[i]) * factor
      if isFolded {
        centred =
          x * factor - means[i] * fold.factor(factor, weight: scales[i], divisor: divisor)
      }
      var value = centred + offsets[i]
      let inner =
        x.magnitude + means[i].magnitude
        + (hasMeanSize ? meanSize(means[i], variances[i], aboutZero: recipe.aboutZero) : 0)
      let division = factor.magnitude * inner
      var slack =
        centred.magnitude + (mostSlack < division ? mostSlack : division) + offsets[i].magnitude
        + extra.magnitude
      if let extras {
        value = value * extras.scale[i] + extras.shift[i]
        slack = slack * extras.scale[i].magnitude + extras.shift[i].magnitude
      }
      if let scale = observedScale { value *= scale[i] }
      if let addend = observedShift { value += addend[i] }
      switch surroundings {
      case .shiftAfter: value += extra
      case .rectifiedAfter: value = max(value, 0)
      case .inputAdded: value += x
      default: break
      }
      if let function = replaced {
        (value, slack) = function.value(input[i], limits)
        slack = min(slack, value.magnitude + mostSlack)
      }
      if let kept {
        value *= kept[i]
        slack = max(slack, 1e-30)
      }
      if isOneRounding {
        slack = value.magnitude + slack * (0x1p-22 / rounding) + 0x1p-25 / rounding
      }
      let distance = (target[i] - value) / (rounding * slack + 1e-30)
      total += distance * distance
      // Worse than the bound, or NaN.
      if !(total <= most) { return .greatestFiniteMagnitude }
    }
    let result = (total / Double(max(limit, 1))).squareRoot()
    if !result.isFinite { return .greatestFiniteMagnitude }
    return isHalf ? max(result, 8 * (result - 1)) : result
  }

  /// A fraction of the magnitude of the averaged values.
  private func meanSize(_ mean: Double, _ variance: Double, aboutZero: Bool) -> Double {
    let square = aboutZero ? variance : variance + mean * mean
    return square > 0 && square.isFinite ? 0.1 * square.squareRoot() : 0
  }

  /// The largest slack from a division by nearly nothing. A statistic of one value has no variance,
  /// and arbitrarily large roundings would match any target; rounding never exceeds a tenth of the
  /// target's own spread.
  func mostSlack(_ rounding: Double) -> Double {
    spread.isFinite ? 0.1 * spread / (rounding * mostRoundings(rounding)) : .infinity
  }

  /// The number of values in a recipe's last statistic.
  private func count(_ recipe: Recipe) -> Double {
    let shape = recipe.shape ?? frame.shape
    return Double(recipe.steps.reduce(1) { $0 * Frame.count($1.axes, of: shape) })
  }

  func sampledAffine(_ affine: Recipe.Affine) -> (scale: [Double], offset: [Double]) {
    if let known = affineSamples[affine] { return known }
    var recipe = layer.recipe(frame)
    recipe.affine = affine
    let (scale, offset) = recipe.scaleAndShift(layer, frame)
    let sampled = (sample(scale.tensor), sample(offset.tensor))
    affineSamples[affine] = sampled
    return sampled
  }
}
