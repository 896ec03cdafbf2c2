import NormaTensor

/// A change to how `y` was made, to how the layer treats it, or to both at once.
struct LayerChange {
  var change: Change
  /// What the layer itself contributes to this cause.
  var layer: LayerPart = .nothing

  enum LayerPart {
    case nothing
    /// The layer's own epsilon.
    case epsilon
    /// The layer's weight and bias.
    case affine
    /// The layer's use of running statistics.
    case statistics
  }
}

/// The question why `layer(y)` is not `y`.
///
/// A layer leaves alone what has mean 0 and variance 1 over its axes, provided that it has no
/// epsilon, weight 1, bias 0 and uses the batch. So `y` is compared with the standardization that
/// would have been left alone, and the layer with the one that would have left it alone.
struct IdentityGame {
  let evidence: Evidence
  let right: Recipe
  let changes: [LayerChange]

  /// The standardization that a layer leaves alone.
  static func right(rank: Int) -> Recipe {
    let axes = LayerNumbers.axes(rank: rank)
    return Recipe(
      source: .batch, meanAxes: axes, steps: [Recipe.Step(statistic: .variance, axes: axes)],
      epsilon: 0, affine: .none)
  }

  /// The layer's input as made with the changes that `set` does not put right, over some channels.
  func made(fixing set: Int, channels: Range<Int>? = nil) -> Tensor {
    let kept = changes.indices.filter { set & (1 << $0) == 0 }.map { changes[$0].change }
    return evidence.output(right.applying(kept), channels: channels)
  }

  /// What the layer adds to its input, with the causes in `set` put right.
  func gap(fixing set: Int, channels: Range<Int>? = nil) -> Tensor {
    let y = made(fixing: set, channels: channels)
    let layer = evidence.layer
    func holds(_ part: LayerChange.LayerPart) -> Bool {
      changes.indices.contains { changes[$0].layer == part && set & (1 << $0) == 0 }
    }
    let features = layer.features
    func pick(_ values: [Double]) -> Tensor {
      evidence.broadcast(channels: channels.map { Array(values[$0]) } ?? values)
    }
    var mean: Tensor
    var variance: Tensor
    if holds(.statistics), let runningMean = layer.runningMean,
      let runningVariance = layer.runningVariance
    {
      (mean, variance) = (pick(runningMean), pick(runningVariance))
    } else {
      mean = y.mean(over: evidence.axes, keepDims: true)
      variance = y.variance(over: evidence.axes, correction: 0, keepDims: true)
    }
    if holds(.epsilon) { variance = variance + layer.epsilon }
    var scale = variance.sqrt()
    scale = 1 / scale
    var shift = [Double](repeating: 0, count: features)
    if holds(.affine) {
      scale = scale * pick(layer.weight ?? [Double](repeating: 1, count: features))
      shift = layer.bias ?? shift
    }
    mean = mean.evaluated()
    scale = scale.evaluated()
    return (y - mean) * scale + pick(shift) - y
  }

  /// The changes that must be put right for the gap to close, the fewest, as a set.
  ///
  /// Data standardized per pixel has mean 0 and one variance per channel already: its axes are
  /// not the layer's, and yet they are not to blame. Looked at in a few channels.
  func needed() -> Int {
    let channels = 0..<min(4, evidence.layer.features)
    let all = (1 << changes.count) - 1
    let whole = size(gap(fixing: 0, channels: channels))
    let closed = max(1e-9 * whole, 1e-12)
    if size(gap(fixing: all, channels: channels)) > closed { return all }
    let sets = (0..<all).sorted { ($0.nonzeroBitCount, $0) < ($1.nonzeroBitCount, $1) }
    return sets.first { size(gap(fixing: $0, channels: channels)) <= closed } ?? all
  }

  private func size(_ gap: Tensor) -> Double {
    let size = gap.abs().max().item()
    return size.isNaN ? .infinity : size
  }
}
