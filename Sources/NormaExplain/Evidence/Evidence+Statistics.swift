import NormaTensor

extension Evidence {
  /// A mean, or a variance, of the input in several steps, with the recipe's correction.
  func nest(_ steps: [Recipe.Step], of recipe: Recipe) -> Tensor {
    let key = StatisticKey(
      shape: recipe.shape, steps: steps, mask: recipe.mask, surroundings: recipe.surroundings,
      aboutZero: recipe.aboutZero && steps[0].statistic != .mean, rows: recipe.rows,
      narrowSteps: recipe.narrowSteps)
    let plain = chain(key)
    let isDeviation = steps.contains { [.deviation, .absolute].contains($0.statistic) }
    if recipe.correction == .none && !isDeviation { return plain }
    let square = isDeviation ? plain.squared() : plain
    if key.mask == .statistics, steps[0].statistic == .variance {
      return (square * maskedFactor(steps[0], recipe.correction)).evaluated()
    }
    return (square * correctionFactor(key, recipe.correction)).evaluated()
  }

  /// Mean and variance by the known parts of the batch.
  func blockStatistics(_ recipe: Recipe) -> (mean: Tensor, variance: Tensor) {
    let value = prepared(wide, recipe.surroundings).evaluated()
    var parts: [(count: Int, mean: Tensor, variance: Tensor)] = []
    var start = 0
    for count in blocks {
      let part = sliced(value, axis: 0, start..<start + count)
      let n = Double(Frame.count(recipe.steps[0].axes, of: part.shape))
      let square =
        recipe.aboutZero
        ? part.squared().mean(over: recipe.steps[0].axes, keepDims: true)
        : part.variance(over: recipe.steps[0].axes, correction: 0, keepDims: true)
      let factor = recipe.correction.factor(count: n, batch: Double(count))
      parts.append(
        (
          count, part.mean(over: recipe.meanAxes, keepDims: true).evaluated(),
          (square * factor).evaluated()
        ))
      start += count
    }
    if recipe.blocks == .own {
      func stretched(_ tensor: Tensor, _ count: Int) -> Tensor {
        var shape = tensor.shape
        shape[0] = count
        return tensor.broadcast(to: shape)
      }
      return (
        Tensor.concatenated(parts.map { stretched($0.mean, $0.count) }).evaluated(),
        Tensor.concatenated(parts.map { stretched($0.variance, $0.count) }).evaluated()
      )
    }
    func average(_ values: [Tensor], _ weights: [Double]) -> Tensor {
      let total = weights.reduce(0, +)
      return zip(values, weights).dropFirst().reduce(values[0] * (weights[0] / total)) {
        $0 + $1.0 * ($1.1 / total)
      }
    }
    let even = parts.map { _ in 1.0 }
    let all = value.mean(over: recipe.meanAxes, keepDims: true)
    let variances = parts.map(\.variance)
    switch recipe.blocks {
    case .averaged: return (average(parts.map(\.mean), even), average(variances, even))
    case .deviations: return (all, average(variances.map { $0.sqrt() }, even).squared())
    case .weighted: return (all, average(variances, parts.map { Double($0.count) }))
    default: return (all, average(variances, even))
    }
  }

  /// The steps in order, each dividing by n. The prefix of a chain is computed once.
  private func chain(_ key: StatisticKey) -> Tensor {
    if let known = nested[key] { return known }
    let value: Tensor
    if key.steps.count > 1, let last = key.steps.last {
      var start = key
      start.steps.removeLast()
      value = apply(last, to: chain(start), aboutZero: false)
    } else {
      value = first(key.steps[0], key)
    }
    nested[key] = value.evaluated()
    return value.evaluated()
  }

  /// The first step, which sees the input itself.
  private func first(_ step: Recipe.Step, _ key: StatisticKey) -> Tensor {
    var value = prepared(wide, key.surroundings)
    if let rows = key.rows { value = sliced(value, axis: 0, 0..<rows) }
    if let mask = mask?.cast(to: .float64) {
      if key.mask == .filled { value = value * mask }
      if key.mask == .statistics {
        return masked(step, of: value, mask: mask, aboutZero: key.aboutZero)
      }
    }
    if let shape = key.shape { value = value.reshaped(shape) }
    if let narrow = key.narrowSteps {
      return self.narrowed(step, of: value, aboutZero: key.aboutZero, narrow)
    }
    return apply(step, to: value, aboutZero: key.aboutZero)
  }

  private func apply(_ step: Recipe.Step, to value: Tensor, aboutZero: Bool) -> Tensor {
    func squares() -> Tensor {
      aboutZero
        ? value.squared().mean(over: step.axes, keepDims: true)
        : value.variance(over: step.axes, correction: 0, keepDims: true)
    }
    switch step.statistic {
    case .mean: return value.mean(over: step.axes, keepDims: true)
    case .variance: return squares()
    case .deviation: return squares().sqrt()
    case .absolute:
      let centre = value.mean(over: step.axes, keepDims: true).evaluated()
      return (aboutZero ? value : value - centre).abs().mean(over: step.axes, keepDims: true)
    }
  }

  private func masked(
    _ step: Recipe.Step, of value: Tensor, mask: Tensor, aboutZero: Bool
  ) -> Tensor {
    let weights = value * 0 + mask
    let counts = counts(step)
    let mean = (value * weights).sum(over: step.axes, keepDims: true) / counts
    if step.statistic == .mean { return mean }
    let distance = aboutZero ? value : value - mean.evaluated()
    let variance = (distance.squared() * weights).sum(over: step.axes, keepDims: true) / counts
    return step.statistic == .deviation ? variance.sqrt() : variance
  }

  /// The number of unmasked values that a step averages.
  private func counts(_ step: Recipe.Step) -> Tensor {
    let ones = wide * 0 + (mask?.cast(to: .float64) ?? Tensor(1, dtype: .float64))
    return ones.sum(over: step.axes, keepDims: true).evaluated()
  }

  private func maskedFactor(_ step: Recipe.Step, _ correction: Recipe.Correction) -> Tensor {
    let counts = counts(step)
    let batch = Double(input.shape[0])
    let factors = counts.array(of: Double.self).map { correction.factor(count: $0, batch: batch) }
    return Tensor(factors, shape: counts.shape)
  }

  /// The total factor for the variance of a correction at every step.
  private func correctionFactor(_ key: StatisticKey, _ correction: Recipe.Correction) -> Double {
    if correction == .none { return 1 }
    var shape = key.shape ?? frame.shape
    if let rows = key.rows { shape[0] = rows }
    var scale = 1.0
    for step in key.steps {
      let n = Double(Frame.count(step.axes, of: shape))
      let factor = correction.factor(count: n, batch: Double(frame.outer[0]))
      switch step.statistic {
      case .mean: break
      case .absolute: scale *= factor
      case .variance: scale *= scale * factor
      case .deviation: scale *= factor.squareRoot()
      }
    }
    let isDeviation = key.steps.contains { [.deviation, .absolute].contains($0.statistic) }
    return isDeviation ? scale * scale : scale
  }
}
