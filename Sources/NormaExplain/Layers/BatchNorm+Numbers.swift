import NormaNN
import NormaTensor

extension BatchNorm {
  /// The properties of the layer that an explanation needs, for an input.
  func numbers(for input: Tensor) -> LayerNumbers {
    var numbers = LayerNumbers(
      name: "\(type(of: self))(\(features))", features: features, epsilon: eps,
      momentum: momentum.share, weight: weight?.value.array(of: Double.self),
      bias: bias?.value.array(of: Double.self),
      runningMean: runningMean?.value.array(of: Double.self),
      runningVariance: runningVar?.value.array(of: Double.self),
      batchesTracked: Int(numBatchesTracked?.value.item() ?? 0), isTraining: isTraining,
      usesBatch: usesBatchStatistics)
    numbers.runningVarianceCorrection = runningVarianceCorrection
    guard input.rank >= 2, input.shape[1] == features, input.count > features else {
      return numbers
    }
    switch self {
    case let ghost as GhostBatchNorm where usesBatchStatistics: ghost.add(to: &numbers, input)
    case let split as SplitBatchNorm2d where isTraining: split.add(to: &numbers, input)
    case let renorm as BatchRenorm where usesBatchStatistics: renorm.add(to: &numbers, input)
    default: break
    }
    return numbers
  }
}

extension GhostBatchNorm {
  fileprivate func add(to numbers: inout LayerNumbers, _ input: Tensor) {
    let samples = input.shape[0]
    guard samples > partSize else { return }
    let rest = samples % partSize
    numbers.blocks =
      Array(repeating: partSize, count: samples / partSize) + (rest > 0 ? [rest] : [])
    numbers.notes.append(
      "Each part of \(partSize) samples is normalized with its own statistics; those above are of "
        + "the whole batch.")
  }
}

extension SplitBatchNorm2d {
  fileprivate func add(to numbers: inout LayerNumbers, _ input: Tensor) {
    let layers = [self as BatchNorm] + auxBn
    guard input.rank == 4, input.shape[0] % layers.count == 0 else { return }
    let size = input.shape[0] / layers.count
    numbers.blocks = layers.map { _ in size }
    let words = "weight and bias of each part's own layer"
    numbers.notes.append(
      "Each of \(layers.count) parts of the batch is normalized with its own statistics, with the "
        + "\(words); the statistics above are of the whole batch.")
    guard weight != nil || bias != nil else { return }
    (numbers.weight, numbers.bias) = (nil, nil)
    func rows(_ value: (BatchNorm) -> Tensor?, _ neutral: Double) -> Grid {
      let values = layers.flatMap { layer -> [Double] in
        let own = value(layer)?.array(of: Double.self)
        let row = own ?? [Double](repeating: neutral, count: features)
        return (0..<size).flatMap { _ in row }
      }
      return Grid(shape: [input.shape[0], features, 1, 1], values: values)
    }
    numbers.extra = .init(
      scale: rows({ $0.weight?.value }, 1), shift: rows({ $0.bias?.value }, 0), words: words)
  }
}

extension BatchRenorm {
  fileprivate func add(to numbers: inout LayerNumbers, _ input: Tensor) {
    guard let means = numbers.runningMean, let variances = numbers.runningVariance else { return }
    let axes = input.shape.indices.filter { $0 != 1 }
    let wide = input.detached().cast(to: .float64)
    let mean = wide.mean(over: axes).array(of: Double.self)
    let variance = wide.variance(over: axes, correction: 0).array(of: Double.self)
    var (r, d) = ([Double](), [Double]())
    for c in mean.indices {
      let spread = (variances[c] + eps).squareRoot()
      let scale = (variance[c] + eps).squareRoot() / spread
      r.append(min(max(scale, 1 / largestScale), largestScale))
      d.append(min(max((mean[c] - means[c]) / spread, -largestShift), largestShift))
    }
    let shape = input.shape.indices.map { $0 == 1 ? features : 1 }
    // After weight and bias: ((x * r + d) * weight + bias) in terms of x * weight + bias.
    let shift = d.indices.map { c in
      let (w, b) = (numbers.weight?[c] ?? 1, numbers.bias?[c] ?? 0)
      return d[c] * w + b - b * r[c]
    }
    let words = "r and d of renormalization"
    numbers.extra = .init(
      scale: Grid(shape: shape, values: r), shift: Grid(shape: shape, values: shift), words: words)
    numbers.notes.append(
      "Renormalization then multiplies by r, \(short(r.min() ?? 1)) to \(short(r.max() ?? 1)), and "
        + "adds d, \(short(d.min() ?? 0)) to \(short(d.max() ?? 0)), before weight and bias.")
  }
}
