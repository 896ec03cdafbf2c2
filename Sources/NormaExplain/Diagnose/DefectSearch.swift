import NormaKernels
import NormaNN
import NormaTensor

/// The search for what is wrong, from what is certain to what is left.
///
/// A layer that one finding explains is not blamed by a later one. The order: numbers that are none;
/// first values; statistics of another layer; counts of batches; too few values; another epsilon
/// before the layer; another kind of data; and what is left stood still while the network moved.
final class DefectSearch {
  let probe: NetworkProbe
  let facts: TrainingFacts
  let layers: [LayerEvidence]
  /// Of each layer what is called next.
  let followers: [ObjectIdentifier: Module]
  private var explained: Set<ObjectIdentifier> = []
  private var found: [DefectFinding] = []
  /// The place of the first layer with channels that give the same number whatever comes in.
  private(set) var firstDead: Int?

  init(probe: NetworkProbe, facts: TrainingFacts) {
    self.probe = probe
    self.facts = facts
    let byID = Dictionary(
      probe.layers.map { (ObjectIdentifier($0.layer), $0) }
    ) { first, _ in first }
    layers = probe.observe().compactMap { sight in
      byID[sight.id].map { LayerEvidence($0.name, $0.layer, sight) }
    }
    followers = layers.isEmpty ? [:] : probe.followers()
  }

  /// Layers that are off and that no finding explains yet.
  var open: [LayerEvidence] { layers.filter { $0.isOff && !explained.contains($0.id) } }

  func isExplained(_ layer: LayerEvidence) -> Bool { explained.contains(layer.id) }

  /// Lets no later finding blame these layers.
  func explain(_ layers: [LayerEvidence]) { explained.formUnion(layers.map(\.id)) }

  /// Adds a finding about layers, which explains them.
  func report(
    _ defect: Defect, _ layers: [LayerEvidence], channels: [String: [Int]] = [:],
    evidence: [String]
  ) {
    if layers.isEmpty { return }
    explained.formUnion(layers.map(\.id))
    found.append(
      DefectFinding(
        severity: defect.severity, defect: defect, layers: layers.map(\.name), channels: channels,
        statement: defect.statement, evidence: evidence, alternatives: [], decides: [],
        effect: nil, now: defect.now, next: defect.next))
  }

  func findings() -> [DefectFinding] {
    findBrokenNumbers()
    findFirstValues()
    findExchanges()
    findCounts()
    findTooFewValues()
    let dead = deadChannels()
    findEpsilon()
    findOtherData()
    report(
      .deadChannels, dead.map(\.0), channels: named(dead), evidence: dead.map(deadEvidence))
    return found
  }

  /// The layers with the effect of those that are off.
  func diagnoses() -> [LayerDiagnosis] {
    guard layers.contains(where: \.isOff) else { return layers.map { $0.diagnosis(effect: nil) } }
    let plain = probe.result(batchLayers: [])
    let center = plain.cast(to: .float64)
    let spread = plain.count > 1 ? center.std(correction: 0).item() : 0
    return layers.map { layer in
      if !layer.isOff { return layer.diagnosis(effect: nil) }
      let repaired = probe.result(batchLayers: [layer.id]).cast(to: .float64)
      let change = (repaired - center).squared().mean().item().squareRoot()
      return layer.diagnosis(effect: spread > 0 ? change / spread : change)
    }
  }

  // MARK: What is certain

  private func findBrokenNumbers() {
    func channels(_ isBroken: (Double, Double) -> Bool) -> [(LayerEvidence, [Int])] {
      layers.compactMap { layer in
        let broken = layer.runningMean.indices.filter {
          isBroken(layer.runningMean[$0], layer.runningVariance[$0])
        }
        return broken.isEmpty ? nil : (layer, broken)
      }
    }
    let nonFinite = channels { !$0.isFinite || !$1.isFinite }
    report(
      .nonFinite, nonFinite.map(\.0), channels: named(nonFinite),
      evidence: nonFinite.map { layer, broken in
        "\(layer.name): mean \(short(layer.runningMean[broken[0]])), variance "
          + "\(short(layer.runningVariance[broken[0]])) in channel \(broken[0])"
      })
    let negative = channels { $1 < 0 && $0.isFinite && $1.isFinite }
    report(
      .negativeVariance, negative.map(\.0), channels: named(negative),
      evidence: negative.map { layer, broken in
        "\(layer.name): variance \(short(layer.runningVariance[broken[0]])) in channel \(broken[0]), "
          + "\(short(layer.variance[broken[0]])) in the batch"
      })
  }

  func named(_ channels: [(LayerEvidence, [Int])]) -> [String: [Int]] {
    Dictionary(channels.map { ($0.0.name, $0.1) }) { first, _ in first }
  }

  private func findFirstValues() {
    // Where one layer shows it, all that are as they were at first are named.
    let fresh = layers.filter { $0.isInitial && !isExplained($0) }
    if !fresh.contains(where: \.isOff) { return }
    report(
      .neverTrained, fresh,
      evidence: fresh.map { layer in
        "\(layer.name): all means are 0 and all variances 1 after \(batches(layer.tracked)); in the "
          + "batch the means reach \(short(layer.mean.map(abs).max() ?? 0)) and the variances "
          + "\(short(layer.variance.min() ?? 0)) to \(short(layer.variance.max() ?? 0))"
          + (layer.standsStill.map { "; it does not follow batches (\($0))" } ?? "")
      })
  }

  func batches(_ count: Int) -> String { count == 1 ? "1 batch" : "\(count) batches" }

  // MARK: Other layers' statistics

  private func findExchanges() {
    var exchanged: [LayerEvidence] = []
    var evidence: [String] = []
    for layer in open {
      let own = layer.gap
      let others = layers.filter { $0.id != layer.id && $0.mean.count == layer.mean.count }
      let distances = others.map {
        ($0, $0.distance(mean: layer.runningMean, variance: layer.runningVariance))
      }
      guard let (other, distance) = distances.min(by: { $0.1 < $1.1 }) else { continue }
      if distance < 0.1 * own && distance < max(4 * other.expectedGap, 0.1) {
        exchanged.append(layer)
        evidence.append(
          "\(layer.name) holds statistics that fit \(other.name): \(short(distance.squareRoot())) "
            + "standard deviations away from its batch, and \(short(own.squareRoot())) from "
            + "\(layer.name)'s own")
      }
    }
    report(.exchanged, exchanged, evidence: evidence)
  }

  // MARK: Constant channels

  /// The layers with channels that give the same number whatever comes in, and which.
  ///
  /// What is off right behind such a layer may have lost them after its statistics were taken, and
  /// is not blamed for anything else.
  private func deadChannels() -> [(LayerEvidence, [Int])] {
    var dead: [(LayerEvidence, [Int])] = []
    for (place, layer) in layers.enumerated() where layer.sight.count > 1 {
      let spreads = layer.channels.map { c in
        let biased = layer.sight.biasedVariance[c]
        return abs(layer.weight[c]) * (biased / (biased + layer.eps)).squareRoot()
      }
      let typical = median(spreads) ?? 0
      let channels = layer.channels.filter { c in
        let isConstant = spreads[c] < max(1e-3 * typical, 1e-6)
        return isConstant || isRectified(layer) && layer.sight.largest[c] <= 0
      }
      if channels.isEmpty { continue }
      dead.append((layer, channels))
      firstDead = firstDead ?? place
      if layers.indices.contains(place + 1), !layer.isOff { explain([layers[place + 1]]) }
    }
    return dead
  }

  /// Whether a ReLU comes right behind the layer.
  private func isRectified(_ layer: LayerEvidence) -> Bool {
    followers[layer.id].map { $0 is ReLU || $0 is ReLU6 } ?? false
  }

  private func deadEvidence(_ layer: LayerEvidence, _ channels: [Int]) -> String {
    let c = channels[0]
    return "\(layer.name): channel \(c) has weight \(short(layer.weight[c])) and bias "
      + "\(short(layer.bias[c])), and gives at most \(short(layer.sight.largest[c]))"
      + (isRectified(layer) ? ", before a ReLU" : "")
  }
}
