import NormaTensor

extension Evidence {
  /// Mean and variance per channel of a recipe that uses running statistics.
  func running(_ recipe: Recipe) -> (mean: [Double], variance: [Double]) {
    let (mean, variance) = unchangedRunning(recipe)
    if recipe.buffers == .kept { return (mean, variance) }
    return (mean.map(recipe.buffers.mean), variance.map(recipe.buffers.variance))
  }

  private func unchangedRunning(_ recipe: Recipe) -> (mean: [Double], variance: [Double]) {
    let mean = layer.runningMean ?? [Double](repeating: 0, count: layer.features)
    let variance = layer.runningVariance ?? [Double](repeating: 1, count: layer.features)
    if recipe.source == .updated {
      return updated(recipe, mean: mean, variance: variance)
    }
    if recipe.momentum == .layers && recipe.runningVariance == layer.ownRunningVariance {
      return (mean, variance)
    }
    if !history.isEmpty {
      return replay(momentum: recipe.momentum, variance: recipe.runningVariance)
    }
    if recipe.momentum != .layers { return (mean.map { _ in .nan }, mean.map { _ in .nan }) }
    // Without the batches: the contribution on top of the initial 1 was larger or smaller by a
    // factor of n / (n - 1).
    let start =
      layer.batchesTracked == 0
      ? 0 : layer.momentum.map { power(1 - $0, layer.batchesTracked) } ?? 0
    let n = Double(frame.count)
    let factor = recipe.runningVariance == .biased ? (n - 1) / n : n / (n - 1)
    return (mean, variance.map { ($0 - start) * factor + start })
  }

  private func updated(
    _ recipe: Recipe, mean: [Double], variance: [Double]
  ) -> (mean: [Double], variance: [Double]) {
    var batch = layer.recipe(frame)
    batch.source = .batch
    batch.surroundings = recipe.surroundings
    (batch.meanAxes, batch.steps) = (recipe.meanAxes, recipe.steps)
    let (centre, spread) = statistics(batch)
    let (centres, spreads) = (perChannel(centre), perChannel(spread))
    if centres.count != mean.count || spreads.count != mean.count {
      return (mean.map { _ in .nan }, mean.map { _ in .nan })
    }
    let n = Double(frame.count)
    let images = Double(input.shape[0])
    let factor =
      recipe.correction.factor(count: n, batch: images)
      * recipe.updateCorrection.factor(count: n, batch: images)
    let m = layer.momentum(recipe.momentum)
    return (
      zip(mean, centres).map { (1 - m) * $0 + m * $1 },
      zip(variance, spreads).map { (1 - m) * $0 + m * factor * $1 }
    )
  }

  /// A statistic per channel: the mean where samples have statistics of their own.
  func perChannel(_ statistic: Tensor) -> [Double] {
    let others = statistic.shape.indices.filter { !frame.parameterAxes.contains($0) }
    return statistic.mean(over: others, keepDims: false).array(of: Double.self)
  }

  private func replay(
    momentum: Recipe.Momentum, variance: Recipe.RunningVariance
  ) -> (mean: [Double], variance: [Double]) {
    let key = ReplayKey(momentum: momentum, variance: variance)
    if let known = replays[key] { return known }
    let batches = zip(history, historyMoments).map { batch, moments in
      let n = Double(layer.frame(batch.shape).count)
      let factor = variance == .biased ? 1 : Recipe.Correction.one.factor(count: n, batch: 0)
      return (mean: moments.mean, variance: moments.variance.map { $0 * factor })
    }
    if momentum == .pooled {
      let pooled = pool(batches, variance: variance)
      replays[key] = pooled
      return pooled
    }
    var mean = [Double](repeating: 0, count: layer.features)
    var spread = [Double](repeating: 1, count: layer.features)
    var step = 0
    for _ in 0..<repetitions {
      for batch in batches {
        step += 1
        let m: Double =
          switch momentum {
          case .layers: layer.momentum ?? 1 / Double(step)
          case .exchanged: layer.momentum.map { 1 - $0 } ?? 1 / Double(step)
          case .cumulative, .pooled: 1 / Double(step)
          case .last: 1
          case .value(let value): value
          }
        for c in mean.indices {
          // A sum of two products, so that a variance far below the initial 1 keeps its digits.
          mean[c] = (1 - m) * mean[c] + m * batch.mean[c]
          spread[c] = (1 - m) * spread[c] + m * batch.variance[c]
        }
      }
    }
    // A fitted momentum is only used once.
    if case .value = momentum { return (mean, spread) }
    replays[key] = (mean, spread)
    return (mean, spread)
  }

  /// Mean and variance of all values of batches of the same size.
  private func pool(
    _ batches: [(mean: [Double], variance: [Double])], variance: Recipe.RunningVariance
  ) -> (mean: [Double], variance: [Double]) {
    guard let shape = history.first?.shape else { return ([], []) }
    let n = Double(layer.frame(shape).count)
    let count = Double(batches.count)
    var mean = [Double](repeating: 0, count: layer.features)
    var spread = mean
    for c in mean.indices {
      mean[c] = batches.reduce(0) { $0 + $1.mean[c] } / count
      let unit = variance == .biased ? n : n - 1
      let squares = batches.reduce(0) {
        $0 + $1.variance[c] * unit + n * ($1.mean[c] - mean[c]) * ($1.mean[c] - mean[c])
      }
      spread[c] = squares / (variance == .biased ? n * count : n * count - 1)
    }
    return (mean, spread)
  }
}

private func power(_ base: Double, _ exponent: Int) -> Double {
  var (result, square, left) = (1.0, base, exponent)
  while left > 0 {
    if left & 1 == 1 { result *= square }
    square *= square
    left >>= 1
  }
  return result
}
