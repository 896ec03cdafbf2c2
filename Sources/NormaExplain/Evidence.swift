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
  var nested: [StatisticKey: Tensor] = [:]
  var replays: [ReplayKey: (mean: [Double], variance: [Double])] = [:]
  var samples: [Recipe: (mean: [Double], variance: [Double])] = [:]
  var affineSamples: [Recipe.Affine: (scale: [Double], offset: [Double])] = [:]
  lazy var sampledShift = shift.map { sample(channels: $0) }
  lazy var sampledMask = mask.map { sample($0.cast(to: .float64)) }

  struct StatisticKey: Hashable {
    var steps: [Recipe.Step]
    let blocks: Int
    let averagesBlocks: Bool
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

  /// The same evidence for some channels, whose statistics are the same as among all.
  func narrowed(to channels: Range<Int>) -> Evidence {
    Evidence(
      input: sliced(input, channels: channels), target: sliced(target, channels: channels),
      layer: layer.narrowed(to: channels), shift: shift.map { Array($0[channels]) },
      history: history.map { sliced($0, channels: channels) }, repetitions: repetitions,
      mask: mask.map { $0.shape[1] == 1 ? $0 : sliced($0, channels: channels) })
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
      return (
        broadcast(channels: key.centred ? mean : mean.map { _ in 0 }),
        broadcast(channels: variance)
      )
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
