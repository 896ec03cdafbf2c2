import Foundation

/// Statistics that belong to another layer or channel.
extension DefectSearch {
  /// The part of the statistics that was exchanged.
  private enum Part: String {
    case both = "statistics"
    case means
    case variances
  }

  func findExchanges() {
    var exchanged: [LayerEvidence] = []
    var evidence: [String] = []
    for (a, b, fact) in swaps() {
      exchanged += [a, b]
      evidence.append(fact)
    }
    for layer in open
    where !exchanged.contains(where: { $0.id == layer.id }) && !isMostlyInitial(layer) {
      if let fact = otherLayer(layer) ?? otherChannels(layer) {
        exchanged.append(layer)
        evidence.append(fact)
      }
    }
    report(
      .exchanged, exchanged, evidence: evidence,
      decides: ["Under which names were the running statistics saved and loaded?"])
  }

  /// Whether the statistics consist mostly of the initial values, so that all layers look alike.
  private func isMostlyInitial(_ layer: LayerEvidence) -> Bool {
    layer.tracked > 0 && (layer.momentum?.rest(after: layer.tracked) ?? 0) > 0.3
  }

  // MARK: Each other's

  /// Pairs of layers with each other's statistics, means or variances: both fit far better when
  /// exchanged. This detects exchanges even if the distances are hardly more than chance.
  private func swaps() -> [(LayerEvidence, LayerEvidence, String)] {
    let free = layers.filter {
      !isExplained($0) && $0.count > 1 && $0.mean.count >= 6 && !isMostlyInitial($0)
    }
    var found: [(a: LayerEvidence, b: LayerEvidence, part: Part, ratio: Double)] = []
    for (index, a) in free.enumerated() {
      for b in free[(index + 1)...] where a.mean.count == b.mean.count {
        let parts = [Part.means, .variances].map { ($0, swapRatio(a, b, $0)) }
        let both = swapRatio(a, b, .both)
        if parts.allSatisfy({ $0.1 < Self.swapBound }), both < Self.swapBound {
          found.append((a, b, .both, both))
        } else if a.mean.count >= 8, let best = parts.min(by: { $0.1 < $1.1 }),
          best.1 < Self.swapBound
        {
          found.append((a, b, best.0, best.1))
        }
      }
    }
    var taken: Set<String> = []
    return found.sorted { $0.ratio < $1.ratio }.compactMap { a, b, part, _ in
      guard !taken.contains(a.id), !taken.contains(b.id) else { return nil }
      taken.formUnion([a.id, b.id])
      return (a, b, swapFact(a, b, part))
    }
  }

  /// No pair of layers with their own statistics comes close to this.
  private static let swapBound = 0.2

  /// The fraction of the distances that remains when a part of the statistics is exchanged.
  private func swapRatio(_ a: LayerEvidence, _ b: LayerEvidence, _ part: Part) -> Double {
    let (own, other) = (distance(a, of: a, part), distance(b, of: b, part))
    guard min(own, other) > 0.005 else { return .infinity }
    return max(distance(a, of: b, part) / own, distance(b, of: a, part) / other)
  }

  /// The distance of a part of `other`'s statistics from the layer's batch.
  private func distance(_ layer: LayerEvidence, of other: LayerEvidence, _ part: Part) -> Double {
    switch part {
    case .both: layer.distance(mean: other.runningMean, variance: other.runningVariance)
    case .means: layer.meanDistance(other.runningMean)
    case .variances: layer.varianceDistance(other.runningVariance)
    }
  }

  private func swapFact(_ a: LayerEvidence, _ b: LayerEvidence, _ part: Part) -> String {
    func words(_ layer: LayerEvidence, _ other: LayerEvidence) -> String {
      "\(short(distance(layer, of: layer, part).squareRoot())) standard deviations away from "
        + "\(layer.name)'s batch as they are, and "
        + "\(short(distance(layer, of: other, part).squareRoot())) with those of \(other.name)"
    }
    let rest =
      switch part {
      case .both: ""
      case .means: "; the variances are their own"
      case .variances: "; the means are their own"
      }
    return "\(a.name) and \(b.name) hold each other's \(part.rawValue): \(words(a, b)); "
      + words(b, a) + rest
  }

  // MARK: Another layer

  /// Evidence that the layer's statistics, or a part of them, belong to another layer; or nil.
  private func otherLayer(_ layer: LayerEvidence) -> String? {
    let others = layers.filter { $0.id != layer.id && $0.mean.count == layer.mean.count }
    let candidates = [Part.both, .means, .variances].flatMap { part in
      others.compactMap { other in fit(layer, other, part).map { (other, part, $0) } }
    }
    guard let (other, part, distance) = candidates.min(by: { $0.2 < $1.2 }) else { return nil }
    let own =
      switch part {
      case .both: layer.gap
      case .means: layer.meanGap
      case .variances: layer.varianceGap
      }
    let rest: String? =
      switch part {
      case .both: nil
      case .means: "its variances are its own"
      case .variances: "its means are its own"
      }
    return "\(layer.name) holds \(part.rawValue) that fit \(other.name): "
      + "\(short(distance.squareRoot())) standard deviations away from its batch, and "
      + "\(short(own.squareRoot())) from \(layer.name)'s own" + (rest.map { "; \($0)" } ?? "")
  }

  /// The distance of a part of the layer's statistics from another layer's batch, if it fits that
  /// one but not its own, and the other part fits its own.
  private func fit(_ layer: LayerEvidence, _ other: LayerEvidence, _ part: Part) -> Double? {
    let (mean, variance) = (layer.runningMean, layer.runningVariance)
    let (own, rest, distance): (Double, Double, Double) =
      switch part {
      case .both: (layer.gap, 0, other.distance(mean: mean, variance: variance))
      case .means: (layer.meanGap, layer.varianceGap, other.meanDistance(mean))
      case .variances: (layer.varianceGap, layer.meanGap, other.varianceDistance(variance))
      }
    let fitting = 0.25 * own
    // By the chance of very few samples anything fits, hence the upper limit.
    guard own > 0.04, distance < 0.1 * own,
      distance < min(max(4 * other.expectedGap, 0.1), 0.25), rest < fitting
    else { return nil }
    // A part with few channels can fit by chance, and so can any part if all layers look alike; so
    // it must correlate over the channels.
    if part != .both && layer.mean.count < 8 { return nil }
    switch part {
    case .both: return distance
    case .means:
      return LayerEvidence.correlation(mean, other.mean) > max(0.8, layer.meanCorrelation + 0.1)
        ? distance : nil
    case .variances:
      let along = LayerEvidence.correlation(
        logarithms(variance, other.eps), logarithms(other.variance, other.eps))
      return along > max(0.8, layer.varianceCorrelation + 0.1) ? distance : nil
    }
  }

  private func logarithms(_ variances: [Double], _ eps: Double) -> [Double] {
    variances.map { log(max($0, 0) + eps) }
  }

  // MARK: Other channels

  /// Evidence that channels of the layer have each other's statistics; or nil.
  private func otherChannels(_ layer: LayerEvidence) -> String? {
    guard (6...Self.mostChannels).contains(layer.mean.count) else { return nil }
    let all = Array(layer.channels)
    let order = ChannelOrder(layer, all, keepsPlaces: true)
    let chance = all.reduce(0) { $0 + layer.chance(of: $1) }
    // Statistics of other weights also find channels that they fit, but less well: over many
    // networks, 7 % of the distance or more remains, and at least 4 times chance if it is less than
    // 9 %. After a mere permutation 3 % or less remains, or what chance explains.
    if order.moved.count >= 2,
      order.after < 0.04 * order.before && order.after < 5 * chance
        || order.after < 0.08 * order.before && order.after < chance && isAloneUnrelated(layer)
    {
      return fact(layer, order)
    }
    // Only a few channels.
    let off = all.filter { c in
      let change = layer.change(c, layer.runningMean[c], layer.runningVariance[c])
      return change > max(9 * layer.chance(of: c), 0.01)
    }
    guard off.count >= 2 else { return nil }
    let few = ChannelOrder(layer, off, keepsPlaces: false)
    let chanceOfFew = off.reduce(0) { $0 + layer.chance(of: $1) }
    // What a channel reaches by chance: the distance to the channel most like it.
    let nearest = few.moved.reduce(0) { sum, pair in
      sum
        + (off.filter { $0 != pair.to }.map {
          layer.change($0, layer.mean[pair.to], layer.variance[pair.to])
        }.min() ?? 0)
    }
    guard few.left * 10 <= off.count, few.after < 0.05 * few.before,
      few.after < 0.3 * nearest + 9 * chanceOfFew,
      few.after < max(9 * chanceOfFew, 0.01 * Double(off.count)),
      off.count > 2 || nearest > 20 * chanceOfFew
    else { return nil }
    return fact(layer, few)
  }

  /// Whether no other layer is unrelated to its batch: if several are, all have the statistics of
  /// another run.
  private func isAloneUnrelated(_ layer: LayerEvidence) -> Bool {
    !layers.contains { $0.id != layer.id && $0.isOff && $0.isUnrelated }
  }

  /// With more channels the pairs take too much time.
  private static let mostChannels = 1024

  private func fact(_ layer: LayerEvidence, _ order: ChannelOrder) -> String {
    let shown = order.moved.sorted { $0.from < $1.from }.prefix(3)
      .map { "channel \($0.from) holds those of channel \($0.to)" }.joined(separator: ", ")
    let count = Double(max(order.matched, 1))
    return "\(layer.name) holds the statistics of its channels in another order: \(shown)"
      + (order.moved.count > 3 ? ", and so on for \(order.moved.count) channels" : "")
      + "; in that order they are \(short((order.after / count).squareRoot())) standard "
      + "deviations away from the batch, and \(short((order.before / count).squareRoot())) "
      + "as they are"
  }
}

/// The channel order in which a layer's running statistics fit its batch best: each takes the free
/// channel that it fits best, the most certain first.
private struct ChannelOrder {
  private(set) var moved: [(from: Int, to: Int)] = []
  /// The distances of the matched channels, in the original order and in the new one.
  private(set) var before = 0.0
  private(set) var after = 0.0
  private(set) var matched = 0
  private(set) var left: Int

  /// - Parameter keepsPlaces: whether a channel may stay where it is.
  init(_ layer: LayerEvidence, _ channels: [Int], keepsPlaces: Bool) {
    var pairs: [(from: Int, to: Int, distance: Double)] = []
    for from in channels {
      for to in channels where keepsPlaces || to != from {
        let distance = layer.change(to, layer.runningMean[from], layer.runningVariance[from])
        pairs.append((from, to, distance))
      }
    }
    pairs.sort { $0.distance < $1.distance }
    var (waiting, free) = (Set(channels), Set(channels))
    for pair in pairs where waiting.contains(pair.from) && free.contains(pair.to) {
      waiting.remove(pair.from)
      free.remove(pair.to)
      if pair.from != pair.to { moved.append((pair.from, pair.to)) }
      matched += 1
      after += pair.distance
      before += layer.change(
        pair.from, layer.runningMean[pair.from], layer.runningVariance[pair.from])
    }
    left = waiting.count
  }
}
