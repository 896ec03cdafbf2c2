import NormaNN
import NormaTensor

/// A live network and one batch: captures the inputs of its batch norms, under settings that the
/// prober chooses.
final class NetworkProbe: CaptureProber {
  private let model: Module
  private let forward: () -> Tensor
  /// All layers with running statistics by name, each once.
  private let layers: [(name: String, layer: BatchNorm)]

  init(_ model: Module, _ forward: @escaping () -> Tensor) {
    self.model = model
    self.forward = forward
    var seen: Set<ObjectIdentifier> = []
    layers = model.namedModules.compactMap { name, module in
      guard let layer = module as? BatchNorm, layer.runningMean != nil,
        seen.insert(ObjectIdentifier(layer)).inserted
      else { return nil }
      return (name, layer)
    }
  }

  /// The state and inputs of the layers, in the order of their first calls, when all normalize with
  /// the batch, and the network's results.
  func capture(samples: Int, facts: CaptureFacts) -> NetworkCapture {
    var capture = NetworkCapture(
      framework: "norma", model: "\(type(of: model))", samples: samples,
      isTraining: model.isTraining, facts: facts)
    if layers.isEmpty { return capture }
    let (sights, batchResult) = observe([:])
    let calls = calls()
    capture.layers = sights.compactMap { sight in
      layers.first { ObjectIdentifier($0.layer) == sight.id }.map { name, layer in
        var captured = CapturedLayer(name, layer)
        captured.batch = sight.moments
        captured.shape = sight.shape
        let place = calls.firstIndex { $0.id == sight.id }
        if let place {
          captured.before = place > 0 ? calls[place - 1].neighbour : nil
          captured.after = place + 1 < calls.count ? calls[place + 1].neighbour : nil
          captured.between = calls[..<place].reversed().prefix { !$0.isNorm }.reversed()
            .map(\.neighbour)
        }
        return captured
      }
    }
    capture.batchResult = batchResult
    capture.result = result(batchLayers: [])
    return capture
  }

  func moments(epsilon: Double, layers names: [String]) -> [String: SampleMoments]? {
    let names = Set(names)
    let chosen = layers.filter { names.contains($0.name) }.map { ObjectIdentifier($0.layer) }
    let epsilons = Dictionary(chosen.map { ($0, epsilon) }) { first, _ in first }
    let byID = Dictionary(layers.map { (ObjectIdentifier($0.layer), $0.name) }) { first, _ in first
    }
    var found: [String: SampleMoments] = [:]
    for sight in observe(epsilons).sights {
      if let name = byID[sight.id] { found[name] = sight.moments }
    }
    return found
  }

  func result(alone layer: String) -> [Double]? {
    layers.first { $0.name == layer }.map { result(batchLayers: [ObjectIdentifier($0.layer)]) }
  }

  // MARK: Calls of the network

  private func observe(
    _ epsilons: [ObjectIdentifier: Double]
  ) -> (sights: [LayerSight], result: [Double]) {
    var sights: [ObjectIdentifier: LayerSight] = [:]
    var order: [ObjectIdentifier] = []
    let all = Set(layers.map { ObjectIdentifier($0.layer) })
    let result = run(batchLayers: all, epsilons) { id, x, y, mask in
      if sights[id] == nil { order.append(id) }
      sights[id, default: LayerSight(id: id, shape: x.shape)].add(x, y, mask: mask)
    }
    return (order.compactMap { sights[$0] }, Self.values(result))
  }

  private func result(batchLayers: Set<ObjectIdentifier>) -> [Double] {
    Self.values(run(batchLayers: batchLayers, [:]) { _, _, _, _ in })
  }

  /// The largest number of values of a result that are kept.
  private static let valueLimit = 65_536

  /// Evenly strided values.
  private static func values(_ tensor: Tensor) -> [Double] {
    let all = tensor.array(of: Double.self)
    let stride = max((all.count + valueLimit - 1) / valueLimit, 1)
    return stride == 1 ? all : Swift.stride(from: 0, to: all.count, by: stride).map { all[$0] }
  }

  private struct Call {
    let id: ObjectIdentifier
    let neighbour: CapturedNeighbour
    let isNorm: Bool
  }

  /// The modules that the network calls, in order.
  private func calls() -> [Call] {
    var calls: [Module] = []
    model.withEvaluation {
      withoutGradients { calls = model.calls { forward().evaluated() } }
    }
    let names = Dictionary(
      model.namedModules.map { (ObjectIdentifier($0.module), $0.name) }
    ) { first, _ in first }
    return calls.map { module in
      let id = ObjectIdentifier(module)
      return Call(
        id: id,
        neighbour: CapturedNeighbour(
          kind: "\(type(of: module))", name: names[id] ?? "", dropout: (module as? DropoutLayer)?.p,
          hasBias: Self.hasBias(module)),
        isNorm: module is BatchNorm)
    }
  }

  private static func hasBias(_ module: Module) -> Bool? {
    guard module is Linear || "\(type(of: module))".hasPrefix("Conv") else { return nil }
    return module.namedParameters.contains { $0.name == "bias" }
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

extension CapturedLayer {
  /// The kind and state of a live layer.
  init(_ name: String, _ layer: BatchNorm) {
    self.init(
      name: name, kind: "\(type(of: layer))",
      options: CapturedOptions(
        features: layer.features, epsilon: layer.eps, momentum: layer.momentum,
        isAffine: layer.weight != nil, tracksRunningStatistics: layer.runningMean != nil))
    isTraining = layer.isTraining
    weight = layer.weight?.value
    bias = layer.bias?.value
    runningMean = layer.runningMean?.value
    runningVariance = layer.runningVar?.value
    batchesTracked = layer.knownBatches
    if layer.isFrozen {
      standsStill = "frozen"
    } else if !layer.updatesRunningStatistics {
      standsStill = "updates are off"
    }
  }
}

extension BatchNorm {
  /// The number of batches in the running statistics; nil for statistics that count none and yet
  /// differ from the initial ones, such as those of a format that has no count.
  fileprivate var knownBatches: Int? {
    guard let count = numBatchesTracked.map({ Int($0.value.item()) }) else { return nil }
    if count > 0 { return count }
    let isInitial = runningMean?.value.array(of: Double.self).allSatisfy { $0 == 0 } ?? true
    return isInitial ? 0 : nil
  }

  /// The result with batch statistics; the bias if there is one value per channel.
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

/// What one layer sees of a batch, in one or several calls: the moments of each sample and channel.
private struct LayerSight {
  let id: ObjectIdentifier
  /// The shape of the first input.
  let shape: [Int]
  private var channels = 0
  private var count: [Double] = []
  private var mean: [Double] = []
  private var m2: [Double] = []
  private var top: [Double] = []

  init(id: ObjectIdentifier, shape: [Int]) {
    self.id = id
    self.shape = shape
  }

  mutating func add(_ x: Tensor, _ y: Tensor, mask: Tensor?) {
    let shape = x.shape
    guard shape.count >= 2, x.count > 0 else { return }
    channels = shape[1]
    let flat = [shape[0], channels, x.count / (shape[0] * channels)]
    let mask = mask.map { $0.broadcast(to: shape).reshaped(flat) }
    let samples = x.detached().reshaped(flat).moments(over: 2, mask: mask)
    let tops = y.detached().reshaped(flat).max(over: 0, 2).array(of: Double.self)
    top = top.isEmpty ? tops : zip(top, tops).map { max($0, $1) }
    for n in 0..<shape[0] {
      let range = (n * channels)..<((n + 1) * channels)
      // A sample that is entirely padding has no information.
      if samples.count[range].contains(0) { continue }
      count.append(samples.count[range.lowerBound])
      mean += samples.mean[range]
      m2 += samples.m2[range]
    }
  }

  var moments: SampleMoments? {
    SampleMoments(
      samples: count.count, channels: channels, count: count, mean: mean, m2: m2, largest: top)
  }
}
