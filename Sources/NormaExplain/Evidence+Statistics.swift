import NormaTensor

extension Evidence {
  /// A mean, or a variance, of the input by steps, with the recipe's correction.
  func nest(_ steps: [Recipe.Step], of recipe: Recipe) -> Tensor {
    let key = StatisticKey(
      steps: steps, blocks: recipe.blocks, averagesBlocks: recipe.averagesBlocks,
      masked: recipe.mask != .ignored,
      rectified: recipe.surroundings == .rectifiedBefore)
    let plain = chain(key)
    let factor = correctionFactor(key, recipe.correction)
    let isDeviation = steps.contains { $0.statistic == .deviation }
    if factor == 1 && !isDeviation { return plain }
    return ((isDeviation ? plain.squared() : plain) * factor).evaluated()
  }

  /// The steps in turn, each dividing by n. What a chain begins with is computed once.
  private func chain(_ key: StatisticKey) -> Tensor {
    if let known = nested[key] { return known }
    var value: Tensor
    if key.steps.count > 1, let last = key.steps.last {
      var start = key
      start.steps.removeLast()
      value = apply(last, to: chain(start), key: key)
    } else {
      value = key.rectified ? wide.clamped(min: 0) : wide
      if key.blocks > 1 {
        let shape = input.shape
        value = value.reshaped([key.blocks, shape[0] / key.blocks] + shape.dropFirst())
      }
      for step in key.steps { value = apply(step, to: value, key: key) }
      if key.blocks > 1 && key.averagesBlocks {
        value = value.mean(over: [0], keepDims: false)
      } else if key.blocks > 1 {
        // One row of the result for each row of the input, so that it broadcasts.
        let rows = input.shape[0] / key.blocks
        let tail = Array(value.shape.dropFirst(2))
        let ones = Tensor(
          [Double](repeating: 1, count: rows), shape: [1, rows] + tail.map { _ in 1 })
        value = (value * ones).reshaped([input.shape[0]] + tail)
      }
    }
    value = value.evaluated()
    nested[key] = value
    return value
  }

  private func apply(_ step: Recipe.Step, to value: Tensor, key: StatisticKey) -> Tensor {
    if key.masked, let mask = mask?.cast(to: .float64) {
      return masked(step, of: value, mask: mask)
    }
    let axes = key.blocks > 1 ? step.axes.map { $0 + 1 } : step.axes
    return switch step.statistic {
    case .mean: value.mean(over: axes, keepDims: true)
    case .meanSquare: value.squared().mean(over: axes, keepDims: true)
    case .variance: value.variance(over: axes, correction: 0, keepDims: true)
    case .deviation: value.std(over: axes, correction: 0, keepDims: true)
    }
  }

  private func masked(_ step: Recipe.Step, of value: Tensor, mask: Tensor) -> Tensor {
    let weights = value * 0 + mask
    let counts = weights.sum(over: step.axes, keepDims: true)
    let mean = (value * weights).sum(over: step.axes, keepDims: true) / counts
    if step.statistic == .mean { return mean }
    let centre = step.statistic == .meanSquare ? mean * 0 : mean
    let variance =
      ((value - centre).squared() * weights).sum(over: step.axes, keepDims: true) / counts
    return step.statistic == .deviation ? variance.sqrt() : variance
  }

  /// By what a correction at every step multiplies the variance in the end.
  private func correctionFactor(_ key: StatisticKey, _ correction: Recipe.Correction) -> Double {
    if correction == .none { return 1 }
    var scale = 1.0
    for step in key.steps {
      let n = count(of: step, key)
      let factor = correction.factor(count: n, batch: Double(input.shape[0]))
      switch step.statistic {
      case .mean: break
      case .meanSquare: scale *= scale
      case .variance: scale *= scale * factor
      case .deviation: scale *= factor.squareRoot()
      }
    }
    return key.steps.contains { $0.statistic == .deviation } ? scale * scale : scale
  }

  /// The number of values that a step takes together.
  private func count(of step: Recipe.Step, _ key: StatisticKey) -> Double {
    let all = step.axes.reduce(1.0) { $0 * Double(input.shape[$1]) }
    if key.masked, let mask {
      let part = mask.cast(to: .float64).mean().item()
      return all * part
    }
    return step.axes.contains(0) ? all / Double(key.blocks) : all
  }
}
