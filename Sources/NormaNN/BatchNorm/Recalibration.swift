import NormaTensor

/// The passes over the data that give batch norm layers new running statistics.
final class Recalibration {
  private let model: Module
  private let rule: RecalibrationRule
  private let order: RecalibrationOrder
  /// Merges what other processes have seen of a layer into this process's batches and moments.
  private let pool: ((Int, Moments) throws -> (batches: Int, moments: Moments))?
  private let layers: [(name: String, layer: BatchNorm)]
  private var accounts: [ObjectIdentifier: StatisticsAccount] = [:]
  /// The layers in the order of their first calls.
  private var called: [BatchNorm] = []
  private var done: Set<ObjectIdentifier> = []

  init(
    _ model: Module, rule: RecalibrationRule, order: RecalibrationOrder,
    pool: ((Int, Moments) throws -> (batches: Int, moments: Moments))? = nil
  ) {
    self.model = model
    self.pool = pool
    self.rule = rule
    self.order = order
    var seen: Set<ObjectIdentifier> = []
    layers = model.namedModules.compactMap { name, module in
      guard let layer = module as? BatchNorm, layer.runningMean != nil, !layer.isFrozen,
        seen.insert(ObjectIdentifier(layer)).inserted
      else { return nil }
      return (name, layer)
    }
  }

  /// Runs passes until every layer that is called has new statistics. `pass` calls its argument
  /// with each batch's step.
  func run(
    _ progress: ((RecalibrationProgress) throws -> Void)?,
    _ pass: ((() throws -> Void) throws -> Void) throws -> Void
  ) throws -> [RecalibratedLayer] {
    let before = layers.map { ($0.layer, RunningState($0.layer)) }
    do {
      try withOwnModes {
        var number = 0
        repeat {
          number += 1
          var batches = 0
          try pass { step in
            try Task.checkCancellation()
            try withoutGradients { try step() }
            batches += 1
            let passes = order == .together ? 1 : max(called.count, number)
            try progress?(RecalibrationProgress(pass: number, passes: passes, batches: batches))
          }
          try finish()
        } while called.contains { !done.contains(ObjectIdentifier($0)) }
      }
    } catch {
      for (layer, state) in before { state.restore(layer) }
      throw error
    }
    let old = Dictionary(before.map { (ObjectIdentifier($0), $1) }) { first, _ in first }
    let names = Dictionary(layers.map { (ObjectIdentifier($1), $0) }) { first, _ in first }
    return called.compactMap { layer in
      let id = ObjectIdentifier(layer)
      return old[id]?.move(
        to: layer, name: names[id] ?? "?", count: accounts[id]?.smallestCount ?? 0)
    }
  }

  /// Runs `body` in evaluation mode with the layers under observation.
  private func withOwnModes(_ body: () throws -> Void) rethrows {
    let sources = layers.map { ($0.layer, $0.layer.statistics) }
    for (_, layer) in layers {
      layer.statistics = .batch
      layer.intercept = { [unowned self, unowned layer] (x, mask) throws(TensorError) in
        try self.call(of: layer, x, mask)
      }
    }
    defer {
      for (layer, source) in sources {
        layer.intercept = nil
        layer.statistics = source
      }
    }
    try model.withEvaluation(body)
  }

  /// One call of a layer; its batch is counted if it is the layer's turn.
  private func call(
    of layer: BatchNorm, _ x: Tensor, _ mask: Tensor?
  ) throws(TensorError) -> Tensor {
    let id = ObjectIdentifier(layer)
    if !called.contains(where: { $0 === layer }) { called.append(layer) }
    let isNext = called.first { !done.contains(ObjectIdentifier($0)) } === layer
    if order == .together || isNext {
      let axes = x.shape.indices.filter { $0 != 1 }
      accounts[id, default: StatisticsAccount(layer, rule: rule)]
        .add(x.detached().moments(over: axes, mask: mask))
    }
    return try layer.normalized(x, mask: mask).output
  }

  /// Gives the layers of this pass their new statistics.
  private func finish() throws {
    let open = called.filter { !done.contains(ObjectIdentifier($0)) }
    for layer in order == .together ? open : Array(open.prefix(1)) {
      done.insert(ObjectIdentifier(layer))
      if let pool { try accounts[ObjectIdentifier(layer)]?.pool(pool) }
      accounts[ObjectIdentifier(layer)]?.write(to: layer)
      // Later layers now see what they will see in evaluation.
      layer.statistics = .running
    }
  }
}

/// The running statistics of a layer at one moment.
private struct RunningState {
  let mean: Tensor?, variance: Tensor?, batches: Tensor?

  init(_ layer: BatchNorm) {
    mean = layer.runningMean?.value
    variance = layer.runningVar?.value
    batches = layer.numBatchesTracked?.value
  }

  func restore(_ layer: BatchNorm) {
    if let mean { layer.runningMean?.value = mean }
    if let variance { layer.runningVar?.value = variance }
    if let batches { layer.numBatchesTracked?.value = batches }
  }

  /// The change from this state to the layer's current one.
  func move(to layer: BatchNorm, name: String, count: Double) -> RecalibratedLayer {
    func values(_ tensor: Tensor?) -> [Double] { tensor?.array() ?? [] }
    let new = (mean: values(layer.runningMean?.value), variance: values(layer.runningVar?.value))
    let (oldMean, oldVariance) = (values(mean), values(variance))
    var (shift, smallest, largest) = (0.0, Double.infinity, -Double.infinity)
    for k in new.mean.indices {
      let distance = abs(oldMean[k] - new.mean[k]) / new.variance[k].squareRoot()
      if oldMean[k] != new.mean[k] { shift = max(shift, distance.isNaN ? .infinity : distance) }
      let ratio = oldVariance[k] == new.variance[k] ? 1 : oldVariance[k] / new.variance[k]
      smallest = ratio.isNaN ? smallest : min(smallest, ratio)
      largest = ratio.isNaN ? .infinity : max(largest, ratio)
    }
    return RecalibratedLayer(
      name: name, count: count, largestShift: shift, smallestVarianceRatio: smallest,
      largestVarianceRatio: largest)
  }
}

/// The statistics of the batches that one layer has seen.
private struct StatisticsAccount {
  private let rule: RecalibrationRule
  private let correction: Double
  private var batches = 0
  private var total: Moments?
  private var mean: [Double] = []
  private var variance: [Double] = []
  private let tracked: Int

  init(_ layer: BatchNorm, rule: RecalibrationRule) {
    self.rule = rule
    correction = layer.runningVarianceCorrection
    // Well below the largest integer, which a file may hold.
    tracked = min(layer.numBatchesTracked?.value.item() ?? 0, Int.max / 2)
    mean = layer.runningMean?.value.array() ?? []
    variance = layer.runningVar?.value.array() ?? []
  }

  var smallestCount: Double { total?.count.min() ?? 0 }

  mutating func add(_ moments: Moments) {
    batches += 1
    total = total?.merged(with: moments) ?? moments
    let share: Double
    switch rule {
    case .population: return
    case .cumulative: share = Momentum.cumulative.share(ofBatch: batches)
    case .exponential(let own):
      share = own.share(ofBatch: tracked + batches)
    }
    for (k, batchVariance) in moments.variance(correction: correction).enumerated() {
      if moments.count[k] > 0 { mean[k] += share * (moments.mean[k] - mean[k]) }
      if moments.count[k] > correction { variance[k] += share * (batchVariance - variance[k]) }
    }
  }

  /// Adds what others have seen.
  mutating func pool(_ pool: (Int, Moments) throws -> (batches: Int, moments: Moments)) rethrows {
    guard let total else { return }
    let all = try pool(batches, total)
    (batches, self.total) = (all.batches, all.moments)
  }

  /// Writes mean, variance and batch count; channels without values do not change.
  func write(to layer: BatchNorm) {
    guard let total, let runningMean = layer.runningMean, let runningVar = layer.runningVar else {
      return
    }
    var (mean, variance) = (mean, variance)
    if rule == .population {
      for (k, pooled) in total.variance(correction: correction).enumerated() {
        if total.count[k] > 0 { mean[k] = total.mean[k] }
        if total.count[k] > correction { variance[k] = pooled }
      }
    }
    runningMean.value = Tensor(mean).cast(to: runningMean.value.dtype)
    runningVar.value = Tensor(variance).cast(to: runningVar.value.dtype)
    let isMore = if case .exponential = rule { true } else { false }
    layer.numBatchesTracked?.value = Tensor(Int64(batches + (isMore ? tracked : 0)))
  }
}
