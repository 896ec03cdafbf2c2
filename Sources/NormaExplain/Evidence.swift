import NormaKernels
import NormaTensor

/// The data that an explanation rests on, with every statistic computed once.
///
/// Statistics are computed in Float64 from all values; the search looks at a sample of the
/// elements, the final numbers at all of them.
final class Evidence {
  /// What the formula is applied to, and what the user says it gives.
  let input: Tensor
  let target: Tensor
  let layer: LayerNumbers
  let axes: [Int]
  /// What a preceding layer added to each channel, when known.
  let shift: [Double]?
  /// The batches that led to the running statistics, each played `repetitions` times.
  let history: [Tensor]
  let repetitions: Int
  /// 1 where a position counts, 0 where it is padding; broadcasts to `input`.
  let mask: Tensor?
  /// The relative size of one rounding.
  let rounding: Double

  /// The sampled elements: where they are and what they hold.
  let places: [Int]
  let sampledInput: [Double]
  let sampledTarget: [Double]

  let wide: Tensor
  private var narrow: [Range<Int>: Tensor] = [:]
  private var nested: [StatisticKey: Tensor] = [:]
  var replays: [ReplayKey: (mean: [Double], variance: [Double])] = [:]
  var samples: [Recipe: (mean: [Double], variance: [Double])] = [:]
  var affineSamples: [Recipe.Affine: (scale: [Double], offset: [Double])] = [:]
  lazy var sampledShift = shift.map { sample(channels: $0) }
  lazy var sampledMask = mask.map { sample($0.cast(to: .float64)) }

  private struct StatisticKey: Hashable {
    let steps: [Recipe.Step]
    let correction: Recipe.Correction
    let blocks: Int
    let masked: Bool
    let rectified: Bool
  }

  struct ReplayKey: Hashable {
    let momentum: Recipe.Momentum
    let variance: Recipe.RunningVariance
  }

  init(
    input: Tensor, target: Tensor, layer: LayerNumbers, shift: [Double]? = nil,
    history: [Tensor] = [], repetitions: Int = 1, mask: Tensor? = nil, sampleLimit: Int = 4096
  ) {
    self.input = input
    self.target = target
    self.layer = layer
    axes = LayerNumbers.axes(rank: input.shape.count)
    self.shift = shift
    self.history = history
    self.repetitions = repetitions
    self.mask = mask
    wide = input.cast(to: .float64)
    places = samplePlaces(count: input.shape.reduce(1, *), limit: sampleLimit)
    sampledInput = values(of: input, at: places)
    sampledTarget = values(of: target, at: places)
    rounding = max(unitRoundoff(input.dtype), unitRoundoff(target.dtype))
  }

  /// Values of a tensor that broadcasts to the input, at the sampled places.
  func sample(_ tensor: Tensor) -> [Double] {
    let offsets = broadcastOffsets(places, shape: input.shape, from: tensor.shape)
    return values(of: tensor, at: offsets)
  }

  func sample(channels: [Double]) -> [Double] {
    let inner = input.shape.dropFirst(2).reduce(1, *)
    return places.map { channels[$0 / inner % channels.count] }
  }

  /// A value per channel in the shape that broadcasts to the input.
  func broadcast(channels: [Double]) -> Tensor {
    var shape = [Int](repeating: 1, count: input.shape.count)
    shape[1] = channels.count
    return Tensor(channels, shape: shape)
  }

  /// Some channels of the input, in Float64.
  func wideInput(channels: Range<Int>) -> Tensor {
    if let known = narrow[channels] { return known }
    let part = sliced(input, channels: channels).cast(to: .float64)
    narrow[channels] = part
    return part
  }

  /// Mean and variance that a recipe divides by, in shapes that broadcast to the input.
  func statistics(_ recipe: Recipe) -> (mean: Tensor, variance: Tensor) {
    let key = recipe.statisticsKey
    if key.source != .batch {
      let (mean, variance) = running(key)
      return (broadcast(channels: key.centred ? mean : mean.map { _ in 0 }),
        broadcast(channels: variance))
    }
    let step = Recipe.Step(statistic: .mean, axes: key.meanAxes)
    let mean = nest([step], of: key)
    return (key.centred ? mean : mean * 0, nest(key.steps, of: key))
  }

  /// The samples of `statistics(_:)`.
  func sampledStatistics(_ recipe: Recipe) -> (mean: [Double], variance: [Double]) {
    let key = recipe.statisticsKey
    if let known = samples[key] { return known }
    let (mean, variance) = statistics(key)
    let sampled = (sample(mean), sample(variance))
    samples[key] = sampled
    return sampled
  }

  private func nest(_ steps: [Recipe.Step], of recipe: Recipe) -> Tensor {
    let key = StatisticKey(
      steps: steps, correction: steps.contains { $0.statistic != .mean } ? recipe.correction : .none,
      blocks: recipe.blocks, masked: recipe.mask != .ignored,
      rectified: recipe.surroundings == .rectifiedBefore)
    if let known = nested[key] { return known }
    var value = key.rectified ? wide.clamped(min: 0) : wide
    if key.blocks > 1 {
      let shape = input.shape
      value = value.reshaped([key.blocks, shape[0] / key.blocks] + shape.dropFirst())
    }
    for step in steps {
      value = apply(step, to: value, correction: key.correction, key: key)
    }
    if steps.contains(where: { $0.statistic == .deviation }) { value = value.squared() }
    if key.blocks > 1 {
      // One row of the result for each row of the input, so that it broadcasts.
      let rows = input.shape[0] / key.blocks
      let tail = Array(value.shape.dropFirst(2))
      let ones = Tensor([Double](repeating: 1, count: rows), shape: [1, rows] + tail.map { _ in 1 })
      value = (value * ones).reshaped([input.shape[0]] + tail)
    }
    value = value.evaluated()
    nested[key] = value
    return value
  }

  private func apply(
    _ step: Recipe.Step, to value: Tensor, correction: Recipe.Correction, key: StatisticKey
  ) -> Tensor {
    let axes = key.blocks > 1 ? step.axes.map { $0 + 1 } : step.axes
    if key.masked, let mask = mask?.cast(to: .float64) {
      return masked(step, of: value, mask: mask, correction: correction)
    }
    let n = axes.reduce(1.0) { $0 * Double(value.shape[$1]) }
    let factor = correction.factor(count: n, batch: Double(input.shape[0]))
    switch step.statistic {
    case .mean: return value.mean(over: axes, keepDims: true)
    case .meanSquare: return value.squared().mean(over: axes, keepDims: true)
    case .variance: return value.variance(over: axes, correction: 0, keepDims: true) * factor
    case .deviation:
      return (value.variance(over: axes, correction: 0, keepDims: true) * factor).sqrt()
    }
  }

  private func masked(
    _ step: Recipe.Step, of value: Tensor, mask: Tensor, correction: Recipe.Correction
  ) -> Tensor {
    let weights = value * 0 + mask
    let counts = weights.sum(over: step.axes, keepDims: true)
    let mean = (value * weights).sum(over: step.axes, keepDims: true) / counts
    if step.statistic == .mean { return mean }
    let centre = step.statistic == .meanSquare ? mean * 0 : mean
    let variance =
      ((value - centre).squared() * weights).sum(over: step.axes, keepDims: true) / counts
    let n = counts.max().item()
    let result = variance * correction.factor(count: n, batch: Double(input.shape[0]))
    return step.statistic == .deviation ? result.sqrt() : result
  }
}

extension Recipe.Correction {
  /// By what a mean over `count` squared deviations is multiplied; nan where there is none.
  func factor(count: Double, batch: Double) -> Double {
    switch self {
    case .none: 1
    case .one: count > 1 ? count / (count - 1) : .nan
    case .twice: count > 1 ? (count / (count - 1)) * (count / (count - 1)) : .nan
    case .inverse: (count - 1) / count
    case .batchSize: batch > 1 ? batch / (batch - 1) : .nan
    }
  }
}
