import NormaTensor

/// The properties of a normalization layer that an explanation needs, as plain numbers.
package struct LayerNumbers: Sendable {
  /// The values of an input that a statistic is taken over.
  package enum Reach: Sendable, Hashable {
    /// A channel, at axis 1. Batch norm.
    case batch
    /// A channel of a sample: this many last axes. Instance norm.
    case instance(axes: Int)
    /// A group of neighboring channels of a sample, with this many groups. Group norm.
    case groups(Int)
    /// Axes of these sizes, from first to last; nil for the last ones. Layer and RMS norm.
    case axes([Int]?, sizes: [Int])
  }

  /// The layer as written in code, such as `BatchNorm2d(64)`.
  package var name: String
  package var reach: Reach
  /// Whether values are centered and divided by their deviation, rather than by their root mean
  /// square.
  package var subtractsMean: Bool
  /// The number of weights: channels, or positions of a normalized shape.
  package var features: Int
  package var epsilon: Double
  /// The weight of a new batch in the running statistics; nil for the mean over all batches.
  package var momentum: Double?
  package var weight: [Double]?
  package var bias: [Double]?
  package var runningMean: [Double]?
  package var runningVariance: [Double]?
  package var batchesTracked: Int
  package var isTraining: Bool
  /// Whether a call normalizes with the statistics of its own batch.
  package var usesBatch: Bool
  /// Subtracted from n in the variance that updates the running variance.
  package var runningVarianceCorrection = 1.0
  /// The sizes of the parts of the batch with statistics of their own; empty for a single part.
  var blocks: [Int] = []
  /// What is applied after weight and bias.
  var extra: Extra?
  /// Additional properties of the layer, in sentences.
  var notes: [String] = []

  /// An additional factor and addend, such as those of a condition, which broadcast to the input.
  struct Extra: Sendable {
    var scale: Grid
    var shift: Grid
    /// What they are, in a few words.
    let words: String
  }

  /// - Parameter usesBatch: nil for PyTorch's behavior: in training, or without running statistics.
  package init(
    name: String, reach: Reach = .batch, subtractsMean: Bool = true, features: Int,
    epsilon: Double = 1e-5, momentum: Double? = 0.1, weight: [Double]? = nil,
    bias: [Double]? = nil, runningMean: [Double]? = nil, runningVariance: [Double]? = nil,
    batchesTracked: Int = 0, isTraining: Bool = true, usesBatch: Bool? = nil
  ) {
    self.name = name
    self.reach = reach
    self.subtractsMean = subtractsMean
    self.features = features
    self.epsilon = epsilon
    self.momentum = momentum
    self.weight = weight
    self.bias = bias
    self.runningMean = runningMean
    self.runningVariance = runningVariance
    self.batchesTracked = batchesTracked
    self.isTraining = isTraining
    self.usesBatch = usesBatch ?? (isTraining || runningMean == nil || runningVariance == nil)
  }

  /// The layer's view of an input shape.
  func frame(_ shape: [Int]) -> Frame {
    let rank = shape.count
    switch reach {
    case .batch:
      return Frame(
        outer: shape, shape: shape, axes: (0..<rank).filter { $0 != 1 }, parameterAxes: [1],
        channelAxis: 1)
    case .instance(let count):
      let channels = rank - count - 1
      return Frame(
        outer: shape, shape: shape, axes: Array(rank - count..<rank), parameterAxes: [channels],
        channelAxis: channels)
    case .groups(let groups):
      let split = [shape[0], groups, shape[1] / groups] + shape.dropFirst(2)
      return Frame(
        outer: shape, shape: split, axes: Array(2...rank), parameterAxes: [1, 2], channelAxis: 1)
    case .axes(let axes, let sizes):
      let all = axes?.map { $0 < 0 ? $0 + rank : $0 } ?? Array(rank - sizes.count..<rank)
      return Frame(
        outer: shape, shape: shape, axes: all, parameterAxes: all, channelAxis: all[0])
    }
  }

  /// The unit with a mean and a variance of its own.
  func unit(_ frame: Frame) -> String {
    switch reach {
    case .batch: "channel"
    case .instance: frame.kept.count > 1 ? "channel of a sample" : "channel"
    case .groups: "group of a sample"
    case .axes: frame.kept.count > 1 ? "position" : "sample"
    }
  }

  /// The same layer for a part of an input along an axis of `frame`.
  func narrowed(to range: Range<Int>, of frame: Frame) -> LayerNumbers {
    guard let axis = frame.sliceAxis else { return self }
    var layer = self
    layer.extra?.scale = cut(extra?.scale, axis, range)
    layer.extra?.shift = cut(extra?.shift, axis, range)
    guard frame.parameterAxes == [axis] else { return layer }
    layer.features = range.count
    layer.weight = weight.map { Array($0[range]) }
    layer.bias = bias.map { Array($0[range]) }
    layer.runningMean = runningMean.map { Array($0[range]) }
    layer.runningVariance = runningVariance.map { Array($0[range]) }
    return layer
  }

  private func cut(_ grid: Grid?, _ axis: Int, _ range: Range<Int>) -> Grid {
    guard let grid else { return Grid(shape: [], values: [0]) }
    if grid.shape[axis] == 1 { return grid }
    let part = sliced(grid.tensor, axis: axis, range)
    return Grid(shape: part.shape, values: part.array(of: Double.self))
  }

  /// How the layer updates its own running variance.
  var ownRunningVariance: Recipe.RunningVariance {
    runningVarianceCorrection == 0 ? .biased : .unbiased
  }

  /// Whether weight and bias, or what is applied after them, have an effect.
  var changesScale: Bool { hasAffine || extra != nil }

  /// Whether weight and bias have an effect.
  var hasAffine: Bool {
    weight.map { $0.contains { $0 != 1 } } ?? false || bias.map { $0.contains { $0 != 0 } } ?? false
  }

  /// The weight of a new batch in the running statistics at the next update.
  func momentum(_ convention: Recipe.Momentum) -> Double {
    let layers = momentum ?? 1 / (Double(batchesTracked) + 1)
    return switch convention {
    case .layers: layers
    case .exchanged: 1 - layers
    case .cumulative, .pooled: 1 / (Double(batchesTracked) + 1)
    case .last: 1
    case .value(let value): value
    }
  }

  /// The layer's own formula, for an input of a type.
  func recipe(_ frame: Frame, _ dtype: DType = .float64) -> Recipe {
    var recipe = standardization(frame)
    recipe.source = usesBatch ? .batch : .running
    recipe.epsilon = epsilon
    recipe.affine = .both
    recipe.hasExtra = true
    // Half types are rounded once, at the end.
    if unitRoundoff(dtype) > unitRoundoff(.float32) { recipe.narrow = dtype }
    return recipe
  }

  /// The formula whose results the layer would leave unchanged without epsilon, weight and bias.
  func standardization(_ frame: Frame) -> Recipe {
    Recipe(
      source: .batch, meanAxes: frame.axes,
      steps: [Recipe.Step(statistic: .variance, axes: frame.axes)], epsilon: 0, affine: .none,
      centred: subtractsMean, aboutZero: !subtractsMean, runningVariance: ownRunningVariance,
      updateCorrection: runningVarianceCorrection == 0 ? .none : .one,
      blocks: usesBatch && !blocks.isEmpty ? .own : .none, hasExtra: false)
  }

  /// The layer's output for an input, computed in `float64` and rounded to the input's type.
  package func output(for input: Tensor) -> Tensor {
    let evidence = Evidence(input: input, target: input, layer: self, sampleLimit: 1)
    return evidence.output(recipe(evidence.frame)).reshaped(input.shape).cast(to: input.dtype)
      .evaluated()
  }
}
