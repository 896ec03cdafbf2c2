import NormaKernels
import NormaNN
import NormaTensor

/// A network and one batch: what its batch norm layers see, under settings of the prober's choice.
final class NetworkProbe {
  private let model: Module
  private let forward: () -> Tensor
  /// All layers with running statistics by name, each once.
  let layers: [(name: String, layer: BatchNorm)]

  init(_ model: Module, _ forward: @escaping () -> Tensor) {
    self.model = model
    self.forward = forward
    var seen: Set<ObjectIdentifier> = []
    layers = model.namedModules.compactMap { name, module in
      guard let layer = module as? BatchNorm, layer.runningMean != nil,
        seen.insert(ObjectIdentifier(layer)).inserted
      else { return nil }
      return (name.isEmpty ? "the layer" : name, layer)
    }
  }

  /// What the layers see, in the order of their first calls, when all normalize with the batch;
  /// `epsilons` stands in for those of some layers.
  func observe(epsilons: [ObjectIdentifier: Double] = [:]) -> [LayerSight] {
    var sights: [ObjectIdentifier: LayerSight] = [:]
    var order: [ObjectIdentifier] = []
    let all = Set(layers.map { ObjectIdentifier($0.layer) })
    _ = run(batchLayers: all, epsilons) { id, x, y, mask in
      if sights[id] == nil { order.append(id) }
      sights[id, default: LayerSight(id)].add(x, y, mask: mask)
    }
    return order.compactMap { sights[$0] }
  }

  /// The network's result when these layers normalize with the batch and all others with their
  /// running statistics.
  func result(batchLayers: Set<ObjectIdentifier>) -> Tensor {
    run(batchLayers: batchLayers, [:]) { _, _, _, _ in }
  }

  /// Of each layer the module that was called next.
  func followers() -> [ObjectIdentifier: Module] {
    var calls: [Module] = []
    model.withEvaluation {
      withoutGradients { calls = model.calls { forward().evaluated() } }
    }
    var next: [ObjectIdentifier: Module] = [:]
    for (call, follower) in zip(calls, calls.dropFirst()) {
      next[ObjectIdentifier(call)] = follower
    }
    return next
  }

  private func run(
    batchLayers: Set<ObjectIdentifier>, _ epsilons: [ObjectIdentifier: Double],
    _ look: @escaping (ObjectIdentifier, Tensor, Tensor, Tensor?) -> Void
  ) -> Tensor {
    for (_, layer) in layers where batchLayers.contains(ObjectIdentifier(layer)) {
      let id = ObjectIdentifier(layer)
      let eps = epsilons[id] ?? layer.eps
      layer.intercept = { [unowned layer] (x, mask) throws(TensorError) in
        let y = try layer.normalizedByBatch(x, mask: mask, eps: eps)
        look(id, x, y, mask)
        return y
      }
    }
    defer { for (_, layer) in layers { layer.intercept = nil } }
    return model.withEvaluation { withoutGradients { forward().evaluated() } }
  }
}

extension BatchNorm {
  /// The result with the statistics of the batch; the bias where there is one value per channel.
  fileprivate func normalizedByBatch(
    _ x: Tensor, mask: Tensor?, eps: Double
  ) throws(TensorError) -> Tensor {
    let (weight, bias) = (weight?.value, bias?.value)
    guard let mask else {
      return try batchNorm(
        x, runningMean: nil, runningVar: nil, weight: weight, bias: bias, training: true, eps: eps,
        allowsSingleValues: true, call: "diagnose(_:_:)"
      ).output
    }
    var shape = [Int](repeating: 1, count: x.rank)
    shape[1] = features
    return try x.normalized(
      over: x.shape.indices.filter { $0 != 1 }, mask: mask, eps: eps,
      weight: weight?.reshaped(shape), bias: bias?.reshaped(shape), call: "diagnose(_:_:)"
    ).output
  }
}

/// What one layer sees of a batch: sums over its samples, channel by channel.
struct LayerSight {
  let id: ObjectIdentifier
  /// The values of one channel in one sample, their mean and squared distances; samples first.
  private var parts: [(count: Double, mean: [Double], m2: [Double])] = []
  /// The largest result of each channel.
  private(set) var largest: [Double] = []
  private var total: Moments?

  init(_ id: ObjectIdentifier) { self.id = id }

  mutating func add(_ x: Tensor, _ y: Tensor, mask: Tensor?) {
    let shape = x.shape
    guard shape.count >= 2, x.count > 0 else { return }
    let channels = shape[1]
    let flat = [shape[0], channels, x.count / (shape[0] * channels)]
    let rows = x.detached().reshaped(flat)
    let mask = mask.map { $0.broadcast(to: shape).reshaped(flat) }
    let samples = rows.moments(over: 2, mask: mask)
    for n in 0..<shape[0] {
      let range = (n * channels)..<((n + 1) * channels)
      // A sample that is padding all through says nothing.
      if samples.count[range].contains(0) { continue }
      parts.append(
        (samples.count[range.lowerBound], Array(samples.mean[range]), Array(samples.m2[range])))
    }
    let all = rows.moments(over: 0, 2, mask: mask)
    total = total?.merged(with: all) ?? all
    let tops = y.detached().max(over: shape.indices.filter { $0 != 1 }).array(of: Double.self)
    largest = largest.isEmpty ? tops : zip(largest, tops).map { max($0, $1) }
  }

  var sampleCount: Int { parts.count }
  var count: Double { total?.count.first ?? 0 }
  var mean: [Double] { total?.mean ?? [] }
  /// Divided by n.
  var biasedVariance: [Double] { total?.variance(correction: 0) ?? [] }
  /// Divided by n - 1.
  var variance: [Double] {
    count > 1 ? total?.variance(correction: 1) ?? [] : biasedVariance
  }

  /// How much samples differ in their mean of a channel, and in their mean squared distance from
  /// the channel's mean: variances, from which standard errors follow. Values inside of a sample are
  /// not independent, samples are.
  func spread() -> (mean: [Double], square: [Double]) {
    let mean = mean
    // One sample does not show how much samples differ; it may be anything within its own spread.
    if parts.count < 2 { return (biasedVariance, biasedVariance.map { 2 * $0 * $0 }) }
    var spreads = (mean: [Double](), square: [Double]())
    for c in mean.indices {
      let means = parts.map { $0.mean[c] }
      let squares = parts.map { part in
        let distance = part.mean[c] - mean[c]
        return part.m2[c] / max(part.count, 1) + distance * distance
      }
      spreads.mean.append(variance(means))
      spreads.square.append(variance(squares))
    }
    return spreads
  }

  private func variance(_ values: [Double]) -> Double {
    guard values.count > 1 else { return 0 }
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return squares / Double(values.count - 1)
  }
}
