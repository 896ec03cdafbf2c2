import Foundation

/// What the statistics after a layer show about its epsilon.
extension DefectSearch {
  /// Defaults of the frameworks, and other powers of ten.
  private static let candidates = [1e-5, 1e-3, 1e-6, 1e-8, 1e-12, 1e-4, 1e-2, 1e-1]

  /// A hypothesis: these layers were trained with another epsilon.
  private struct Assumption {
    let layers: [LayerEvidence]
    let epsilon: Double
    /// The gap that remains beyond chance.
    let gap: Double
    /// The largest distance in later layers, as a multiple of chance.
    let worst: Double
  }

  func findEpsilon() {
    // A wrong epsilon changes what later layers see, but not what the layer itself sees.
    let first = layers.firstIndex { !isExplained($0) } ?? layers.count
    let behind = layers.dropFirst(first + 1).filter { !isExplained($0) }
    let base = excess(behind, layers)
    var best: Assumption?
    if base > 0.5, let front = layers.dropFirst(first).first, !front.isOff {
      for group in groups() {
        for epsilon in Self.candidates where matters(epsilon, group) {
          guard let sights = prober.moments(epsilon: epsilon, layers: group.map(\.id)) else {
            continue
          }
          let others = layers.compactMap { LayerEvidence($0.layer, sights[$0.id]) }
          let gap = excess(behind, others)
          if gap < (best?.gap ?? base) * 0.85 {
            best = Assumption(
              layers: group, epsilon: epsilon, gap: gap, worst: worst(behind, others))
          }
        }
      }
    }
    if let best, best.gap < 0.3 * base {
      let eps = Set(best.layers.map(\.eps)).sorted().map { short($0) }.joined(separator: ", ")
      report(
        .epsilon, best.layers,
        evidence: [
          "with eps \(short(best.epsilon)) instead of \(eps), the running statistics after "
            + "\(best.layers[0].name) would fit the batch: they are up to "
            + "\(short(worst(behind, layers))) times as far away from it as chance explains, and "
            + "would be \(short(best.worst)) times as far"
        ], now: .epsilon(best.epsilon))
      // Later layers that are off are off because of it.
      explain(behind)
      return
    }
    findOddEpsilon()
    findDominatingEpsilon()
  }

  /// An epsilon that dominates the divisor, so that the layer hardly normalizes.
  private func findDominatingEpsilon() {
    let dominated = layers.filter { layer in
      let shares = layer.channels.map { layer.eps / layer.square($0) }
      // Channels without any variance are a separate matter.
      return !isExplained(layer) && !layer.isOff && layer.count > 1
        && layer.variance.contains { $0 > 0 } && (median(shares) ?? 0) > 0.8
    }
    report(
      .epsilon, dominated,
      evidence: dominated.map { layer in
        "\(layer.name): eps is \(short(layer.eps)), and half of the variances are below "
          + "\(short(median(layer.variance) ?? 0)), so the layer hardly normalizes"
      })
  }

  /// The last layer has no later layers to compare, but an epsilon unlike all others is suspicious.
  private func findOddEpsilon() {
    let counts = Dictionary(layers.map { ($0.eps, 1) }, uniquingKeysWith: +)
    guard let most = counts.max(by: { $0.value < $1.value }), most.value * 2 > layers.count else {
      return
    }
    let odd = layers.filter { layer in
      let ratio = layer.eps / most.key
      return !isExplained(layer) && (ratio >= 10 || ratio <= 0.1) && matters(most.key, [layer])
    }
    report(
      .epsilon, odd,
      evidence: odd.map { layer in
        let shares = layer.channels.map { layer.eps / layer.square($0) }
        return "\(layer.name) has eps \(short(layer.eps)), the other layers have "
          + "\(short(most.key)); eps is up to \(short(100 * (shares.max() ?? 0))) % of variance + "
          + "eps"
      }, now: .epsilon(most.key))
  }

  /// All layers with the same epsilon together, and each alone.
  private func groups() -> [[LayerEvidence]] {
    let open = layers.filter { !isExplained($0) }
    let all = Dictionary(grouping: open, by: \.eps).values.filter { $0.count > 1 }
    let suspects = open.dropLast().filter { !$0.isOff }.prefix(12)
    return all.sorted { $0.count > $1.count } + suspects.map { [$0] }
  }

  /// Whether another epsilon would change the scale of the results by more than 2 %.
  private func matters(_ epsilon: Double, _ group: [LayerEvidence]) -> Bool {
    group.contains { layer in
      if epsilon == layer.eps { return false }
      let changes = layer.channels.map { c in
        log((layer.variance[c] + epsilon) / (layer.variance[c] + layer.eps)) / 2
      }
      let square = changes.reduce(0) { $0 + $1 * $1 } / Double(max(changes.count, 1))
      return square > 4e-4
    }
  }

  /// The gaps of these layers beyond what is usual, as multiples of chance, according to other
  /// sights. All of them come from the same batch, so that chance hardly differs between them.
  private func excess(_ some: [LayerEvidence], _ sights: [LayerEvidence]) -> Double {
    multiples(some, sights).reduce(0) { $0 + max($1 - 0.6, 0) }
  }

  private func worst(_ some: [LayerEvidence], _ sights: [LayerEvidence]) -> Double {
    (multiples(some, sights).max() ?? 0).squareRoot()
  }

  private func multiples(_ some: [LayerEvidence], _ sights: [LayerEvidence]) -> [Double] {
    let wanted = Set(some.map(\.id))
    return sights.filter { wanted.contains($0.id) }.map { $0.gap / max($0.expectedGap, 1e-300) }
  }
}
