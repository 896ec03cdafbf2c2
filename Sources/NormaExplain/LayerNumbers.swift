import NormaTensor

/// What an explanation needs to know of a normalization layer, as plain numbers.
package struct LayerNumbers: Sendable {
  /// How the layer is written, such as `BatchNorm2d(64)`.
  package var name: String
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

  package init(
    name: String, features: Int, epsilon: Double = 1e-5, momentum: Double? = 0.1,
    weight: [Double]? = nil, bias: [Double]? = nil, runningMean: [Double]? = nil,
    runningVariance: [Double]? = nil, batchesTracked: Int = 0, isTraining: Bool = true
  ) {
    self.name = name
    self.features = features
    self.epsilon = epsilon
    self.momentum = momentum
    self.weight = weight
    self.bias = bias
    self.runningMean = runningMean
    self.runningVariance = runningVariance
    self.batchesTracked = batchesTracked
    self.isTraining = isTraining
  }

  /// The same layer with some of its channels.
  func narrowed(to channels: Range<Int>) -> LayerNumbers {
    var layer = self
    layer.features = channels.count
    layer.weight = weight.map { Array($0[channels]) }
    layer.bias = bias.map { Array($0[channels]) }
    layer.runningMean = runningMean.map { Array($0[channels]) }
    layer.runningVariance = runningVariance.map { Array($0[channels]) }
    return layer
  }

  /// Whether a call normalizes with the statistics of its own batch.
  var usesBatch: Bool { isTraining || runningMean == nil || runningVariance == nil }

  /// Whether weight and bias change anything.
  var hasAffine: Bool {
    weight.map { $0.contains { $0 != 1 } } ?? false || bias.map { $0.contains { $0 != 0 } } ?? false
  }

  /// The weight that a new batch has in the running statistics at the next update.
  func momentum(_ convention: Recipe.Momentum) -> Double {
    let layers = momentum ?? 1 / Double(batchesTracked + 1)
    return switch convention {
    case .layers: layers
    case .exchanged: 1 - layers
    case .cumulative, .pooled: 1 / Double(batchesTracked + 1)
    case .last: 1
    }
  }

  /// The layer's own formula for a tensor of `rank` dimensions with channels at dimension 1.
  func recipe(rank: Int) -> Recipe {
    let axes = Self.axes(rank: rank)
    return Recipe(
      source: usesBatch ? .batch : .running, meanAxes: axes,
      steps: [Recipe.Step(statistic: .variance, axes: axes)], epsilon: epsilon)
  }

  /// What the layer makes of an input, computed in Float64 and rounded to the input's type.
  package func output(for input: Tensor) -> Tensor {
    let evidence = Evidence(input: input, target: input, layer: self, sampleLimit: 1)
    return evidence.output(recipe(rank: input.shape.count)).cast(to: input.dtype).evaluated()
  }

  /// All dimensions but the channels.
  static func axes(rank: Int) -> [Int] { (0..<rank).filter { $0 != 1 } }
}
