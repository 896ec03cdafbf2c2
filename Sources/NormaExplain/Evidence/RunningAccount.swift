import NormaTensor

/// The running statistic that a result is compared with.
package enum RunningStatistic: String, Sendable {
  case mean = "running_mean"
  case variance = "running_var"
}

/// A possible update of a running statistic in one call of a layer in training.
struct RunningRecipe: Hashable {
  enum Weight: Hashable {
    case layers
    /// The momentum is the weight of the old value.
    case exchanged
    case cumulative
    /// The new value replaces the old one.
    case replaced
    /// No update.
    case kept
    /// The weight of the new value.
    case value(Double)
  }

  enum Value: Hashable {
    case statistic
    /// The standard deviation in place of the variance.
    case deviation
    case variancePlusEpsilon
    /// The mean over images of each image's statistic.
    case meanOverBatch
    /// The mean over parts of the batch, as for several machines.
    case meanOverParts(Int)
    /// The variance over images at every position, averaged over positions.
    case overBatchOnly
    /// One statistic of the whole batch, although every sample should have its own.
    case wholeBatch
  }

  var weight: Weight = .layers
  var correction: Recipe.Correction
  var value: Value = .statistic
  var updates = 1
  /// Whether the old value is assumed to be 0.
  var startsAtZero = false
}

/// Finds how a running statistic was updated, and divides the gap to the layer's.
struct RunningAccount {
  let layer: LayerNumbers
  let input: Tensor
  let statistic: RunningStatistic
  let target: [Double]
  let rounding: Double
  /// For each channel, the magnitudes that an update adds up.
  let sizes: [Double]

  init(
    layer: LayerNumbers, input: Tensor, statistic: RunningStatistic, target: [Double],
    rounding: Double
  ) {
    (self.layer, self.input, self.statistic) = (layer, input, statistic)
    (self.target, self.rounding) = (target, rounding)
    let old = Self.initial(statistic, of: layer)
    guard statistic == .mean else {
      sizes = old.map(abs)
      return
    }
    let frame = layer.frame(input.shape)
    let all = frame.shape.indices.filter { !frame.parameterAxes.contains($0) }
    let squares = input.cast(to: .float64).squared().mean(over: all, keepDims: false)
    // A tenth of the values, as in `Evidence.meanSize`.
    sizes = zip(old, squares.array(of: Double.self)).map { abs($0) + 0.1 * $1.squareRoot() }
  }

  /// The statistic before the call.
  private static func initial(
    _ statistic: RunningStatistic, of layer: LayerNumbers
  ) -> [Double] {
    (statistic == .mean ? layer.runningMean : layer.runningVariance)
      ?? [Double](repeating: statistic == .mean ? 0 : 1, count: layer.features)
  }

  /// A mistake in an update; two of the same `kind` exclude each other.
  struct Option {
    let cause: CauseName
    let rarity: Int
    let yours: String
    let layers: String
    let kind: Int
    let write: (inout RunningRecipe) -> Void

    init(
      _ cause: CauseName, rarity: Int, _ yours: String, _ layers: String, kind: Int,
      _ write: @escaping (inout RunningRecipe) -> Void
    ) {
      self.cause = cause
      self.rarity = rarity
      self.yours = yours
      self.layers = layers
      self.kind = kind
      self.write = write
    }
  }

  var right: RunningRecipe {
    RunningRecipe(
      correction: statistic == .mean || layer.runningVarianceCorrection == 0 ? .none : .one)
  }

  private func options() -> [Option] {
    let m = layer.momentum.map { text($0) } ?? "1 / batches"
    let layers = "new value weighs \(m)"
    let updates = [
      Option(
        .momentumConvention, rarity: 0, "momentum \(m) weighs the old value", layers, kind: 0
      ) { $0.weight = .exchanged },
      Option(.momentumConvention, rarity: 1, "the mean over all batches", layers, kind: 0) {
        $0.weight = .cumulative
      },
      Option(.runningVersusBatch, rarity: 1, "the batch's own statistic", layers, kind: 0) {
        $0.weight = .replaced
      },
      Option(
        .runningVersusBatch, rarity: 1, "the statistic before the update", "the updated one",
        kind: 0
      ) { $0.weight = .kept },
      Option(.other, rarity: 2, "updated twice", "updated once", kind: 1) { $0.updates = 2 },
      Option(.other, rarity: 2, "started at 0", "started at the old value", kind: 2) {
        $0.startsAtZero = true
      },
    ]
    return statistic == .mean ? updates : updates + varianceOptions()
  }

  private func varianceOptions() -> [Option] {
    let corrections: [(Recipe.Correction, String)] = [
      (.none, "variance over n"), (.one, "variance over n - 1"),
      (.twice, "n / (n - 1) applied twice"),
      (.batchSize, "times N / (N - 1), N = \(input.shape[0]) rows"),
    ]
    let own = right.correction
    let layers = own == .none ? "variance over n" : "variance over n - 1"
    var result = corrections.filter { $0.0 != own }.map { value, words in
      Option(
        .runningVarianceCorrection, rarity: value == .none || value == .one ? 0 : 2, words, layers,
        kind: 3
      ) { $0.correction = value }
    }
    let whole = "one statistic of the whole batch"
    func add(_ cause: CauseName, _ words: String, _ layers: String, _ value: RunningRecipe.Value) {
      result.append(Option(cause, rarity: 1, words, layers, kind: 4) { $0.value = value })
    }
    add(.other, "the deviation", "its square", .deviation)
    add(.epsilonValue, "epsilon added", "no epsilon", .variancePlusEpsilon)
    if layer.reach != .batch {
      add(.axes, "variance of the whole batch", "mean of each sample's variance", .wholeBatch)
      return result
    }
    add(.perAxisComposition, "mean of each image's variance", whole, .meanOverBatch)
    add(.axes, "variance over images, averaged over pixels", whole, .overBatchOnly)
    for parts in 2..<17 where input.shape[0] % parts == 0 && input.shape[0] > parts {
      add(.perAxisComposition, "mean of \(parts) parts' variances", whole, .meanOverParts(parts))
    }
    return result
  }

  /// The statistic after the call.
  func value(_ recipe: RunningRecipe) -> [Double] {
    let old: [Double] =
      recipe.startsAtZero
      ? [Double](repeating: 0, count: layer.features)
      : Self.initial(statistic, of: layer)
    let new = batchValue(recipe)
    let m: Double =
      switch recipe.weight {
      case .layers: layer.momentum(.layers)
      case .exchanged: layer.momentum(.exchanged)
      case .cumulative: layer.momentum(.cumulative)
      case .replaced: 1
      case .kept: 0
      case .value(let value): value
      }
    var result = old
    for _ in 0..<recipe.updates {
      for c in result.indices { result[c] = (1 - m) * result[c] + m * new[c] }
    }
    return result
  }

  func batchValue(_ recipe: RunningRecipe) -> [Double] {
    let wide = input.cast(to: .float64)
    let frame = layer.frame(input.shape)
    let axes = frame.axes
    let all = frame.shape.indices.filter { !frame.parameterAxes.contains($0) }
    if statistic == .mean { return wide.mean(over: all, keepDims: false).array(of: Double.self) }
    func variance(_ value: Tensor, _ axes: [Int]) -> Tensor {
      let n = axes.reduce(1.0) { $0 * Double(value.shape[$1]) }
      return value.variance(over: axes, correction: 0, keepDims: true)
        * recipe.correction.factor(count: n, batch: Double(input.shape[0]))
    }
    let result: Tensor
    switch recipe.value {
    case .statistic: result = variance(wide, axes)
    case .deviation: result = variance(wide, axes).sqrt()
    case .variancePlusEpsilon: result = variance(wide, axes) + layer.epsilon
    case .wholeBatch: result = variance(wide, all)
    case .meanOverBatch:
      let inner = Array(axes.dropFirst())
      if inner.isEmpty { return [Double](repeating: .nan, count: layer.features) }
      result = variance(wide, inner).mean(over: [0], keepDims: true)
    case .meanOverParts(let parts):
      let shape = input.shape
      let split = wide.reshaped([parts, shape[0] / parts] + shape.dropFirst())
      result = variance(split, axes.map { $0 + 1 }).mean(over: [0], keepDims: true)
    case .overBatchOnly:
      let inner = Array(axes.dropFirst())
      if inner.isEmpty { return [Double](repeating: .nan, count: layer.features) }
      result = variance(wide, [0]).mean(over: inner, keepDims: true)
    }
    // Instance norm: the mean of the samples' statistics.
    let others = all.filter { !axes.contains($0) }
    let mean = others.isEmpty ? result : result.mean(over: others, keepDims: false)
    return mean.array(of: Double.self)
  }

  func misfit(_ recipe: RunningRecipe) -> Double {
    var total = 0.0
    for (channel, (own, wanted)) in zip(value(recipe), target).enumerated() {
      // A sum rounds relative to its parts, however close to 0 it is.
      let slack = rounding * (2 * abs(own) + abs(wanted) + sizes[channel]) + 1e-30
      total += ((own - wanted) / slack) * ((own - wanted) / slack)
    }
    let result = (total / Double(max(target.count, 1))).squareRoot()
    return result.isFinite ? result : .greatestFiniteMagnitude
  }

  /// The causes of the gap to the layer's own running statistic.
  func causes() -> Result {
    let options = options()
    var sets: [[Option]] = [[]]
    sets += options.map { [$0] }
    for (i, a) in options.enumerated() {
      for b in options[(i + 1)...] where a.kind != b.kind && a.cause != b.cause {
        sets.append([a, b])
      }
    }
    for set in sets where set.count < 2 { sets += momenta(beside: set).map { set + [$0] } }
    let scored = sets.map { set -> (set: [Option], misfit: Double) in
      var recipe = right
      for option in set { option.write(&recipe) }
      return (set, misfit(recipe))
    }
    let least = scored.map(\.misfit).min() ?? .infinity
    // A running statistic takes a few operations and a sum of n values.
    let most = mostRoundings(adding: layer.frame(input.shape).count)
    let bound = max(min(8, most), 2 * least)
    let fitting = scored.filter { $0.misfit <= bound }
    let ranked = fitting.sorted {
      ($0.set.count, $0.set.reduce(0) { $0 + $1.rarity }, $0.misfit)
        < ($1.set.count, $1.set.reduce(0) { $0 + $1.rarity }, $1.misfit)
    }
    guard let best = ranked.first, best.misfit <= most else { return ([], [], 1, false, []) }
    let equals = ranked.dropFirst().map(\.set).filter { $0.count == best.set.count }
    return split(best.set, equals: equals)
  }

  /// The result; `fits` if the remainder of each channel is rounding.
  typealias Result = (
    causes: [Explanation.Cause], steps: [LadderStep], unexplained: Double, fits: Bool,
    left: [Double]
  )

  func recipe(keeping kept: [Option]) -> RunningRecipe {
    var recipe = right
    for option in kept { option.write(&recipe) }
    return recipe
  }

  private func split(_ set: [Option], equals: [[Option]]) -> Result {
    func result(keeping kept: [Option]) -> [Double] { value(recipe(keeping: kept)) }
    let end = result(keeping: [])
    let start = result(keeping: set)
    let left = (0..<(1 << set.count)).map { bits in
      let kept = set.indices.filter { bits & (1 << $0) == 0 }.map { set[$0] }
      return furthest(end, from: result(keeping: kept))
    }
    let division = GapShares(
      left: left, gap: furthest(end, from: target), rest: furthest(start, from: target))
    let all = (1 << set.count) - 1
    let causes = set.indices.map { index in
      let others = set.count == 1 ? equals.compactMap { $0.first?.cause } : []
      return Explanation.Cause(
        name: set[index].cause,
        alternatives: others.filter { $0 != set[index].cause }.reduce(into: []) {
          if !$0.contains($1) { $0.append($1) }
        },
        share: division.shares[index], gapWhenFixed: left[1 << index],
        gapAlone: left[all & ~(1 << index)],
        yours: set[index].yours, layers: set[index].layers,
        reason: set[index].cause.meaning)
    }
    return (
      causes.sorted { abs($0.share) > abs($1.share) }, steps(set, causes: causes, left: left),
      division.unexplained, true, zip(start, target).map { $0 - $1 }
    )
  }
}

/// The largest difference between two lists of numbers.
private func furthest(_ values: [Double], from others: [Double]) -> Double {
  zip(values, others).reduce(0) { max($0, abs($1.0 - $1.1)) }
}

extension Explainer {
  /// Why a running statistic differs from the layer's after one call in training.
  package func explanation(of statistic: RunningStatistic, expecting target: [Double])
    -> Explanation
  {
    require(
      target.count == layer.features,
      "explain(_:expecting:): \(target.count) values for \(layer.features) channels")
    let strange =
      (NonFiniteSurvey(self)?.found ?? [])
      + [NonFiniteScan(target, named: "expected", hasChannels: true)?.found].compactMap { $0 }
    let account = RunningAccount(
      layer: layer, input: input, statistic: statistic, target: target,
      rounding: unitRoundoff(input.dtype))
    let gaps = zip(account.value(account.right), target).map { $0 - $1 }.filter(\.isFinite)
    let energy = gaps.reduce(0) { $0 + $1 * $1 }
    let gap = Explanation.Gap(
      maximum: gaps.reduce(0) { max($0, abs($1)) },
      rootMeanSquare: (energy / Double(max(gaps.count, 1))).squareRoot())
    if !strange.isEmpty { return located(strange, gap: gap) }
    let (causes, steps, unexplained, fits, left) = account.causes()
    let plain = explanation(of: nil)
    return Explanation(
      layer: plain.layer, isTraining: plain.isTraining, statistics: plain.statistics,
      gap: gap, causes: causes, steps: steps,
      unexplained: causes.isEmpty ? (energy == 0 ? 0 : 1) : unexplained,
      unexplainedIsRounding: fits, notes: plain.notes, nonFinite: [],
      differences: DifferenceSamples(now: gaps, after: left))
  }
}
