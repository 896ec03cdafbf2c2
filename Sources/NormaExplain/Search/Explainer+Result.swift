import NormaTensor

extension Explainer {
  /// The explanation that results from an account.
  func explanation(of account: Account?) -> Explanation {
    var causes: [Explanation.Cause] = []
    var steps: [LadderStep] = []
    var unexplained = 0.0
    var differences = account?.split.differences ?? DifferenceSamples()
    if let account {
      let split = account.split
      let shares = split.shares
      let all = (1 << split.changes.count) - 1
      for index in split.changes.indices {
        let own = 1 << index
        causes.append(
          Explanation.Cause(
            name: split.changes[index].cause, alternatives: account.alternatives[index],
            share: shares[index], gapWhenFixed: split.left[own],
            gapAlone: split.left[all & ~own], yours: account.words[index].yours,
            layers: account.words[index].layers, reason: account.words[index].reason))
      }
      causes.sort { abs($0.share) > abs($1.share) }
      unexplained = split.unexplained
      steps =
        Ladder(
          split: split, words: account.words, alternatives: account.alternatives,
          idle: account.idle, isRounding: account.isRounding
        ).steps
      // The nearest formula is no explanation if it leaves much of the gap.
      if !account.isRounding && unexplained > Finder.mostUnexplained {
        (causes, steps) = ([], [])
        unexplained = 1
        differences.after = []
      }
    }
    return Explanation(
      layer: layer.name, isTraining: layer.isTraining, statistics: statistics(),
      gap: account.map {
        Explanation.Gap(maximum: $0.split.gap, rootMeanSquare: $0.split.rootMeanSquare)
      },
      causes: causes, steps: steps, unexplained: unexplained,
      unexplainedIsRounding: account?.isRounding ?? true, notes: notes(account), nonFinite: [],
      differences: differences)
  }

  private func notes(_ account: Account?) -> [String] {
    var notes = layer.notes + (account?.notes ?? [])
    if let account, account.alternatives.contains(where: { !$0.isEmpty }), account.notes.isEmpty {
      notes.append(
        "Some causes cannot be distinguished here. Data with more varied variances, or the tensor "
          + "before the layer (from:), would separate them.")
    }
    if !layer.usesBatch, layer.batchesTracked == 0,
      layer.runningMean?.allSatisfy({ $0 == 0 }) ?? false,
      layer.runningVariance?.allSatisfy({ $0 == 1 }) ?? false
    {
      notes.append(
        "The running statistics are still 0 and 1: the layer has never seen a batch in training.")
    }
    return notes
  }

  func statistics() -> LayerStatistics {
    let frame = layer.frame(input.shape)
    // Running statistics are per channel, even if samples have statistics of their own.
    let channels = frame.shape.indices.filter { !frame.parameterAxes.contains($0) }
    let axes = layer.usesBatch ? frame.axes : channels
    let wide = frame.seen(input.cast(to: .float64))
    let mean = wide.mean(over: axes, keepDims: false).array(of: Double.self)
    let squares =
      layer.subtractsMean
      ? wide.variance(over: axes, correction: 0, keepDims: false)
      : wide.squared().mean(over: axes, keepDims: false)
    let biased = squares.array(of: Double.self)
    let count = Frame.count(axes, of: frame.shape)
    let factor = Recipe.Correction.one.factor(count: Double(count), batch: 0)
    let used = layer.usesBatch ? biased : layer.runningVariance ?? biased
    return LayerStatistics(
      shape: input.shape, axes: frame.isGrouped ? frame.outerAxes : axes,
      groups: frame.isGrouped ? frame.shape[1] : nil,
      unit: layer.usesBatch ? layer.unit(frame) : "channel", subtractsMean: layer.subtractsMean,
      count: count, usesRunning: !layer.usesBatch, mean: mean, biasedVariance: biased,
      unbiasedVariance: biased.map { $0 * factor }, runningMean: layer.runningMean,
      runningVariance: layer.runningVariance, epsilon: layer.epsilon,
      epsilonShare: used.map { layer.epsilon / ($0 + layer.epsilon) }, weight: layer.weight,
      bias: layer.bias)
  }
}

extension Explanation {
  /// The result of an invalid call inside `catchingTensorErrors`.
  static func nothing(_ layer: LayerNumbers, _ input: Tensor) -> Explanation {
    Explanation(
      layer: layer.name, isTraining: layer.isTraining,
      statistics: LayerStatistics(
        shape: input.shape, axes: [], groups: nil, unit: "value",
        subtractsMean: layer.subtractsMean, count: 0, usesRunning: !layer.usesBatch, mean: [],
        biasedVariance: [], unbiasedVariance: [], runningMean: nil, runningVariance: nil,
        epsilon: layer.epsilon, epsilonShare: [], weight: nil, bias: nil),
      gap: nil, causes: [], steps: [], unexplained: 0, unexplainedIsRounding: false,
      notes: [], nonFinite: [])
  }
}
