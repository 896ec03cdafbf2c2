import NormaTensor

/// The data behind an explanation, with every statistic computed once.
///
/// Statistics are computed in `float64` from all values; the search uses a sample of the elements,
/// the final numbers use all of them. All tensors have the shape of the layer's frame.
final class Evidence {
  /// The input of the formula, and the user's result.
  let input: Tensor
  let target: Tensor
  let layer: LayerNumbers
  let frame: Frame
  /// What a preceding layer added to each channel, if known.
  let shift: Grid?
  /// The batches that led to the running statistics, each repeated `repetitions` times.
  let history: [Tensor]
  let repetitions: Int
  /// 1 at selected positions, 0 at padding; broadcasts to `input`.
  let mask: Tensor?
  /// The sizes of parts of the batch that were normalized separately; empty if unknown.
  let blocks: [Int]
  /// The relative size of one rounding.
  let rounding: Double

  /// The sampled elements: their indices and values.
  let places: [Int]
  let sampledInput: [Double]
  let sampledTarget: [Double]

  /// Whether results of half types are assumed to be computed in `float32` and rounded once at the
  /// end, so that small differences show.
  var isRoundedOnce = false

  /// The residual of the best recipe: the rounding in the user's computation.
  var residual: Tensor?

  let wide: Tensor
  private var narrow: [Range<Int>: Tensor] = [:]
  var nested: [StatisticKey: Tensor] = [:]
  /// Mean and biased variance per channel of every batch of the history.
  lazy var historyMoments = history.map { batch -> (mean: [Double], variance: [Double]) in
    let axes = layer.frame(batch.shape).axes
    let wide = batch.cast(to: .float64)
    return (
      perChannel(wide.mean(over: axes, keepDims: true)),
      perChannel(wide.variance(over: axes, correction: 0, keepDims: true))
    )
  }
  var replays: [ReplayKey: (mean: [Double], variance: [Double])] = [:]
  /// The indices of the samples in smaller tensors.
  private var offsets: [OffsetKey: [Int]] = [:]
  var samples: [Recipe: (mean: [Double], variance: [Double])] = [:]
  var affineSamples: [Recipe.Affine: (scale: [Double], offset: [Double])] = [:]
  lazy var sampledExtra = layer.extra.map {
    (scale: sample($0.scale.tensor), shift: sample($0.shift.tensor))
  }
  /// The smallest and the largest value of the input.
  lazy var limits = (least: wide.min().item(), most: wide.max().item())
  /// The root mean square distance of the target's samples from their mean.
  lazy var spread: Double = {
    let n = Double(max(sampledTarget.count, 1))
    let mean = sampledTarget.reduce(0, +) / n
    return (sampledTarget.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
  }()
  lazy var sampledShift = shift.map { sample($0.tensor) }
  lazy var sampledMask = mask.map { sample($0.cast(to: .float64)) }

  struct StatisticKey: Hashable {
    let shape: [Int]?
    var steps: [Recipe.Step]
    let mask: Recipe.Mask
    let surroundings: Recipe.Surroundings
    let aboutZero: Bool
    let rows: Int?
    let narrowSteps: Recipe.NarrowSteps?
  }

  private struct OffsetKey: Hashable {
    let shape: [Int]
    let small: [Int]
  }

  struct ReplayKey: Hashable {
    let momentum: Recipe.Momentum
    let variance: Recipe.RunningVariance
  }

  /// Evidence from tensors of the user's shape.
  convenience init(
    input: Tensor, target: Tensor, layer: LayerNumbers, shift: Grid? = nil, history: [Tensor] = [],
    repetitions: Int = 1, mask: Tensor? = nil, blocks: [Int] = [], sampleLimit: Int = 4096
  ) {
    let frame = layer.frame(input.shape)
    self.init(
      frame: frame, input: frame.seen(input), target: frame.seen(target), layer: layer,
      shift: shift, history: history, repetitions: repetitions, mask: mask.map(frame.seen),
      blocks: blocks.isEmpty ? layer.blocks : blocks, sampleLimit: sampleLimit)
  }

  private init(
    frame: Frame, input: Tensor, target: Tensor, layer: LayerNumbers, shift: Grid?,
    history: [Tensor], repetitions: Int, mask: Tensor?, blocks: [Int], sampleLimit: Int
  ) {
    self.frame = frame
    self.input = input
    self.target = target
    self.layer = layer
    self.shift = shift
    self.history = history
    self.repetitions = repetitions
    self.mask = mask
    // Parts of the batch matter only for layers that normalize it as a whole.
    let isBatch = frame.axes.contains(0) && blocks.reduce(0, +) == frame.shape[0]
    self.blocks = isBatch ? blocks : []
    wide = input.cast(to: .float64)
    places = samplePlaces(count: input.shape.reduce(1, *), limit: sampleLimit)
    sampledInput = values(of: input, at: places)
    sampledTarget = values(of: target, at: places)
    rounding = max(unitRoundoff(input.dtype), unitRoundoff(target.dtype))
  }

  /// The same evidence for a part of the input, with the statistics of the whole.
  func narrowed(to range: Range<Int>) -> Evidence {
    guard let axis = frame.sliceAxis else { return self }
    func part(_ tensor: Tensor) -> Tensor {
      tensor.shape[axis] == 1 ? tensor : sliced(tensor, axis: axis, range)
    }
    func part(_ grid: Grid) -> Grid {
      let tensor = part(grid.tensor)
      return Grid(shape: tensor.shape, values: tensor.array(of: Double.self))
    }
    // Running statistics lie along the channels, so batches are cut together with them.
    let cutsChannels = frame.parameterAxes == [axis]
    return Evidence(
      frame: frame.narrowed(to: range), input: part(input), target: part(target),
      layer: layer.narrowed(to: range, of: frame), shift: shift.map(part),
      history: cutsChannels ? history.map(part) : history, repetitions: repetitions,
      mask: mask.map(part), blocks: blocks, sampleLimit: 4096)
  }

  /// The values of a tensor that broadcasts to a shape of the input, at the sampled positions.
  func sample(
    _ tensor: Tensor, in shape: [Int]? = nil, first limit: Int = .max
  ) -> [Double] {
    let key = OffsetKey(shape: shape ?? frame.shape, small: tensor.shape)
    let known = offsets[key] ?? broadcastOffsets(places, shape: key.shape, from: key.small)
    offsets[key] = known
    return values(of: tensor, at: limit < known.count ? Array(known.prefix(limit)) : known)
  }

  /// A value for every channel in the shape that broadcasts to the input.
  func broadcast(channels: [Double]) -> Tensor { Tensor(channels, shape: frame.parameterShape) }

  /// A part of the input in `float64`.
  func wideInput(slices: Range<Int>) -> Tensor {
    if let known = narrow[slices] { return known }
    let part = frame.sliceAxis.map { sliced(input, axis: $0, slices) } ?? input
    let result = part.cast(to: .float64)
    narrow[slices] = result
    return result
  }

  /// The mean and variance that a recipe divides by, in shapes that broadcast to the input.
  func statistics(_ recipe: Recipe) -> (mean: Tensor, variance: Tensor) {
    let (mean, variance) = adjustedStatistics(recipe)
    guard let shape = recipe.shape else { return (mean, variance) }
    func seen(_ tensor: Tensor) -> Tensor {
      tensor.broadcast(to: shape).reshaped(frame.shape).evaluated()
    }
    return (seen(mean), seen(variance))
  }

  /// `plainStatistics(_:)`, with the recipe's changes to the mean.
  private func adjustedStatistics(_ recipe: Recipe) -> (mean: Tensor, variance: Tensor) {
    let (mean, variance) = plainStatistics(recipe)
    switch recipe.meanFactor {
    case .one: return (mean, variance)
    case .negative: return (-mean, variance)
    case .count(let other), .countBoth(let other):
      let n = Double(Frame.count(recipe.meanAxes, of: recipe.shape ?? frame.shape))
      let made = (mean * (n / Double(other))).evaluated()
      guard recipe.meanFactor == .countBoth(other) else { return (made, variance) }
      let factor = recipe.correction.factor(count: n, batch: Double(frame.outer[0]))
      return (made, (variance + (mean - made).squared() * factor).evaluated())
    }
  }

  /// Mean and variance in shapes that broadcast to the recipe's own shape.
  private func plainStatistics(_ recipe: Recipe) -> (mean: Tensor, variance: Tensor) {
    let key = recipe.statisticsKey
    if key.source != .batch {
      let (mean, variance) = running(key)
      return (
        broadcast(channels: key.centred ? mean : mean.map { _ in 0 }),
        broadcast(channels: variance)
      )
    }
    if key.blocks != .none && !blocks.isEmpty {
      let (mean, variance) = blockStatistics(key)
      return (key.centred ? mean : mean * 0, variance)
    }
    let step = Recipe.Step(statistic: .mean, axes: key.meanAxes)
    let mean = nest([step], of: key)
    return (key.centred ? mean : mean * 0, nest(key.steps, of: key))
  }

  /// The samples of `statistics(_:)`, at least the first `limit` of them. For most recipes the
  /// first few are enough; all samples of all recipes would take gigabytes.
  func sampledStatistics(
    _ recipe: Recipe, first limit: Int = .max
  ) -> (mean: [Double], variance: [Double]) {
    let key = recipe.statisticsKey
    if let known = samples[key], known.mean.count >= min(limit, places.count) { return known }
    let (mean, variance) = adjustedStatistics(key)
    let sampled = (
      sample(mean, in: key.shape, first: limit), sample(variance, in: key.shape, first: limit)
    )
    samples[key] = sampled
    return sampled
  }
}

extension Recipe.Correction {
  /// The factor for a mean over `count` squared deviations; NaN if there is none.
  func factor(count: Double, batch: Double) -> Double {
    switch self {
    case .none: 1
    case .one: count > 1 ? count / (count - 1) : .nan
    case .twice: count > 1 ? (count / (count - 1)) * (count / (count - 1)) : .nan
    case .inverse: (count - 1) / count
    case .batchSize: batch > 1 ? batch / (batch - 1) : .nan
    case .sum: count
    case .count(let other): count / Double(other)
    }
  }
}
