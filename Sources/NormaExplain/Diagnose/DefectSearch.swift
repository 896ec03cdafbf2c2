import NormaNN
import NormaTensor

/// The search for defects, from what is certain to what remains.
///
/// A layer that one finding explains is not blamed by a later one. The order: formulas; non-finite
/// numbers; initial values; statistics of another layer; batch counts; momentum; a dropout before
/// the layer; too few values; another epsilon. For what remains, its signs tell whether the data or
/// the weights changed.
final class DefectSearch {
  let capture: NetworkCapture
  let prober: any CaptureProber
  let facts: CaptureFacts
  /// The same network's layers on training data, if there is a second capture.
  let training: [String: LayerEvidence]
  let layers: [LayerEvidence]
  private var explained: Set<String> = []
  private var found: [DefectFinding] = []
  private var effects: [String: Double] = [:]
  /// The index of the first layer with channels that give the same value for every input.
  var firstDead: Int?

  init(_ capture: NetworkCapture, prober: any CaptureProber, training: NetworkCapture? = nil) {
    self.capture = capture
    self.prober = prober
    facts = capture.facts
    layers = capture.layers.compactMap { LayerEvidence($0) }
    let others = training?.layers.compactMap { LayerEvidence($0) } ?? []
    self.training = Dictionary(others.map { ($0.id, $0) }) { first, _ in first }
    findEffects()
  }

  /// Layers that are off and not yet explained by a finding.
  var open: [LayerEvidence] { layers.filter { $0.isOff && !explained.contains($0.id) } }

  func isExplained(_ layer: LayerEvidence) -> Bool { explained.contains(layer.id) }

  /// Prevents later findings from blaming these layers.
  func explain(_ layers: [LayerEvidence]) { explained.formUnion(layers.map(\.id)) }

  /// Adds a finding about layers, which explains them; nil arguments take the defect's defaults.
  func report(
    _ defect: Defect, _ layers: [LayerEvidence], channels: [String: [Int]] = [:],
    statement: String? = nil, evidence: [String],
    alternatives: [DefectFinding.Alternative] = [], decides: [String] = [],
    severity: DefectFinding.Severity? = nil, now: DefectFinding.Repair? = nil,
    next: DefectFinding.Repair? = nil
  ) {
    if layers.isEmpty { return }
    explain(layers)
    let effect = layers.compactMap { effects[$0.id] }.max()
    found.append(
      DefectFinding(
        severity: severity ?? defect.severity, defect: defect, layers: layers.map(\.name),
        channels: channels, statement: statement ?? defect.statement, evidence: evidence,
        alternatives: alternatives, decides: decides, effect: effect, now: now ?? defect.now,
        next: next ?? defect.next))
  }

  /// All findings, errors first.
  func findings() -> [DefectFinding] {
    findBrokenNumbers()
    findFirstValues()
    findFrozen()
    findExchanges()
    findCounts()
    findDropouts()
    findTooFewValues()
    let dead = deadChannels()
    findEpsilon()
    findWhatIsLeft()
    reportDead(dead)
    found += formulaFindings()
    return DefectFinding.Severity.allCases.reversed().flatMap { severity in
      found.filter { $0.severity == severity }
    }
  }

  /// Combines layers of the same class with the same main change of their formula into one finding:
  /// a small additional change does not show in every layer.
  private func formulaFindings() -> [DefectFinding] {
    var groups: [(key: String, findings: [DefectFinding])] = []
    for layer in capture.layers {
      guard let check = FormulaCheck(layer), let finding = check.finding else { continue }
      let key = layer.className + (check.causes.first ?? "")
      if let place = groups.firstIndex(where: { $0.key == key }) {
        groups[place].findings.append(finding)
      } else {
        groups.append((key, [finding]))
      }
    }
    return groups.compactMap { group in
      // All evidence of the layer that has most.
      guard var found = group.findings.max(by: { $0.evidence.count < $1.evidence.count }) else {
        return nil
      }
      let others = group.findings.filter { $0.layers != found.layers }
      found.evidence += others.flatMap { $0.evidence.prefix(1) }
      found.layers = group.findings.flatMap(\.layers)
      return found
    }
  }

  // MARK: Effects on the result

  /// How much the result changes when a layer that is off normalizes with the batch.
  private func findEffects() {
    guard let result = capture.result, layers.contains(where: \.isOff) else { return }
    for layer in layers where layer.isOff {
      if let alone = prober.result(alone: layer.id) {
        effects[layer.id] = Self.change(result, alone)
      }
    }
  }

  /// The root mean square of the change, relative to the result's own spread.
  private static func change(_ result: [Double], _ other: [Double]) -> Double? {
    guard result.count == other.count, !result.isEmpty else { return nil }
    let count = Double(result.count)
    let mean = result.reduce(0, +) / count
    let spread = (result.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / count).squareRoot()
    let change = zip(result, other).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) } / count
    let effect = spread > 0 ? change.squareRoot() / spread : change.squareRoot()
    // A result with NaN or infinity has no spread.
    return effect.isFinite ? effect : nil
  }

  /// The layers, with the effect of those that are off.
  func diagnoses() -> [LayerDiagnosis] { layers.map { $0.diagnosis(effect: effects[$0.id]) } }

  /// How much the result changes when all batch norms normalize with the batch.
  var wholeEffect: Double? {
    guard let result = capture.result, let other = capture.batchResult else { return nil }
    return Self.change(result, other)
  }

  // MARK: Words

  func named(_ channels: [(LayerEvidence, [Int])]) -> [String: [Int]] {
    Dictionary(channels.map { ($0.0.name, $0.1) }) { first, _ in first }
  }

  func batches(_ count: Int) -> String { count == 1 ? "1 batch" : "\(count) batches" }

  /// `bn2: 0.61 standard deviations away from this batch, 22.4 times what chance explains`
  func distance(_ layer: LayerEvidence) -> String {
    "\(layer.name): the running statistics are \(short(layer.gap.squareRoot())) standard "
      + "deviations away from this batch, \(short(layer.multiple)) times what chance explains"
  }
}
