import NormaTensor

/// A change to how `y` was computed, to how the layer treats it, or to both.
struct LayerChange {
  var change: Change
  /// The layer's own contribution to this cause.
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
/// A layer leaves values with mean 0 and variance 1 over its axes unchanged if it has no epsilon,
/// weight 1, bias 0 and uses the batch. So `y` is compared with the standardization that would be
/// left unchanged, and the layer with the one that would leave it unchanged.
struct IdentityGame {
  let evidence: Evidence
  let right: Recipe
  let changes: [LayerChange]

  /// The layer's input, all or a part of it, with the changes that `set` does not fix.
  func made(fixing set: Int, slices: Range<Int>? = nil) -> Tensor {
    let kept = changes.indices.filter { set & (1 << $0) == 0 }.map { changes[$0].change }
    return evidence.output(right.applying(kept), slices: slices)
  }

  /// What the layer adds to its input, with the causes in `set` fixed.
  func gap(fixing set: Int, slices: Range<Int>? = nil) -> Tensor {
    let y = made(fixing: set, slices: slices)
    let layer = evidence.layer
    func holds(_ part: LayerChange.LayerPart) -> Bool {
      changes.indices.contains { changes[$0].layer == part && set & (1 << $0) == 0 }
    }
    let frame = evidence.frame
    func part(_ all: Tensor) -> Tensor {
      guard let slices, let axis = frame.sliceAxis, all.shape[axis] > 1 else { return all }
      return sliced(all, axis: axis, slices)
    }
    func pick(_ values: [Double]) -> Tensor { part(evidence.broadcast(channels: values)) }
    var mean: Tensor
    var variance: Tensor
    if holds(.statistics), let runningMean = layer.runningMean,
      let runningVariance = layer.runningVariance
    {
      (mean, variance) = (pick(runningMean), pick(runningVariance))
    } else if layer.subtractsMean {
      mean = y.mean(over: frame.axes, keepDims: true)
      variance = y.variance(over: frame.axes, correction: 0, keepDims: true)
    } else {
      mean = Tensor(0, dtype: .float64)
      variance = y.squared().mean(over: frame.axes, keepDims: true)
    }
    if holds(.epsilon) { variance = variance + layer.epsilon }
    mean = mean.evaluated()
    var result = (y - mean) * (1 / variance.sqrt()).evaluated()
    if holds(.affine) {
      if let weight = layer.weight { result = result * pick(weight) }
      if let bias = layer.bias { result = result + pick(bias) }
      if let extra = layer.extra {
        result = result * part(extra.scale.tensor) + part(extra.shift.tensor)
      }
    }
    return result - y
  }

  /// The smallest set of changes that must be fixed to close the gap.
  ///
  /// Data standardized per pixel already have mean 0 and one variance per channel: the axes differ
  /// from the layer's, but are not to blame. Determined from a part of the data.
  func needed() -> Int {
    let slices = evidence.frame.sliceAxis.map { 0..<min(4, evidence.frame.shape[$0]) }
    let all = (1 << changes.count) - 1
    let whole = size(gap(fixing: 0, slices: slices))
    let closed = max(1e-9 * whole, 1e-12)
    if size(gap(fixing: all, slices: slices)) > closed { return all }
    let sets = (0..<all).sorted { ($0.nonzeroBitCount, $0) < ($1.nonzeroBitCount, $1) }
    return sets.first { size(gap(fixing: $0, slices: slices)) <= closed } ?? all
  }

  private func size(_ gap: Tensor) -> Double {
    let size = gap.abs().max().item()
    return size.isNaN ? .infinity : size
  }
}
