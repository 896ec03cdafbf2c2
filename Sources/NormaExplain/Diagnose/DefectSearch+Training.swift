import NormaNN

/// What counts of batches, momentum and the size of batches tell.
extension DefectSearch {
  /// How many batches a layer should have followed: what the user knows, or what most layers did.
  private var expectedBatches: Int? {
    if let batches = facts.batches { return batches }
    let counts = Dictionary(layers.map { ($0.tracked, 1) }, uniquingKeysWith: +)
    let most = counts.max { $0.value < $1.value }
    guard let most, most.value * 2 > layers.count else { return nil }
    return most.key
  }

  func findCounts() {
    let frozen = open.filter { $0.standsStill != nil }
    report(
      .stale, frozen,
      evidence: frozen.map {
        "\($0.name) does not follow batches (\($0.standsStill ?? "")\(followed($0))), and is "
          + "\(short($0.gap.squareRoot())) standard deviations away from this batch"
      })
    let expected = expectedBatches
    if let expected, expected > 0 {
      let often = layers.filter {
        !isExplained($0) && Double($0.tracked) >= 1.5 * Double(expected)
      }
      report(
        .doubleUpdate, often,
        evidence: often.map {
          "\($0.name) followed \(batches($0.tracked)), and there were \(expected)"
        })
    }
    findUnconverged(expected)
    if let expected {
      let behind = layers.filter {
        !isExplained($0) && $0.tracked > 0 && Double($0.tracked) < 0.8 * Double(expected)
      }
      report(
        .stale, behind.contains { $0.isOff || $0.gap > 1.5 * $0.expectedGap } ? behind : [],
        evidence: behind.map {
          "\($0.name) followed \(batches($0.tracked)) of \(expected), and is "
            + "\(short($0.gap.squareRoot())) standard deviations away from this batch"
        })
    }
  }

  /// `; it followed 30 of 250`
  private func followed(_ layer: LayerEvidence) -> String {
    facts.batches.map { "; it followed \(layer.tracked) of \($0)" } ?? ""
  }

  /// Running statistics that the first values, or batches of long ago, still hold.
  ///
  /// Where one layer shows it, all of such a momentum are named: they have the same cause.
  private func findUnconverged(_ expected: Int?) {
    let slow = layers.filter { !isExplained($0) && isSlow($0, expected) }
    guard slow.contains(where: \.isOff) else { return }
    report(
      .notConverged, slow,
      evidence: slow.map { layer in
        let seen = batchesSeen(layer)
        let rest = layer.momentum.rest(after: seen)
        let fact =
          "\(layer.name): after \(batches(seen)) with \(layer.momentum), \(short(100 * rest)) % of "
          + "the first values (mean 0, variance 1) are left"
        let (share, left) = layer.initialShare
        guard left < 0.35 * layer.gap, share > 0.02 else { return fact }
        return fact + "; the numbers themselves look like \(short(100 * share)) %"
      })
  }

  private func batchesSeen(_ layer: LayerEvidence) -> Int {
    layer.tracked > 0 ? layer.tracked : facts.batches ?? 0
  }

  private func isSlow(_ layer: LayerEvidence, _ expected: Int?) -> Bool {
    let seen = batchesSeen(layer)
    let (share, left) = layer.initialShare
    let fits = share > 0.05 && left < 0.35 * layer.gap
    if seen == 0 { return layer.isOff && fits }
    let isBehind = expected.map { Double(layer.tracked) < 0.8 * Double($0) } ?? false
    // Others of this momentum followed on, and arrived: it is not the momentum.
    let othersArrived = layers.contains {
      $0.momentum == layer.momentum && $0.tracked > 2 * seen
        && $0.momentum.rest(after: $0.tracked) < 0.02
    }
    if isBehind && othersArrived { return false }
    // A window of 1 / momentum batches that reaches back to when the weights were others.
    let isWide = layer.momentum.share.map { $0 < 0.05 && $0 * Double(seen) < 10 } ?? (seen > 1)
    return layer.momentum.rest(after: seen) > 0.02 && (!isBehind || fits) || isWide && !isBehind
  }

  // MARK: Too few values

  /// How much of the spread of samples is left in running statistics: 1 / n for batches of n samples
  /// and the momentum's window.
  private func noiseShare(_ layer: LayerEvidence, batchSize: Double) -> Double {
    let share = layer.momentum.share(ofBatch: layer.tracked)
    return share / max(2 - share, 1e-9) / max(batchSize, 1)
  }

  func findTooFewValues() {
    let candidates = layers.filter { !isExplained($0) && $0.tracked > 0 }
    guard !candidates.isEmpty else { return }
    // A momentum that keeps little more than the last batch is noisy with any usual batch.
    let isForgetful = candidates.allSatisfy { ($0.momentum.share ?? 0) >= 0.5 }
    let guesses = [observedBatchSize(candidates)] + (isForgetful ? [32, 8, 2] : [])
    let sizes = facts.batchSize.map { [Double($0)] } ?? guesses.compactMap { $0 }
    for size in sizes where reportNoise(candidates, batchSize: size) { return }
  }

  /// Whether so small batches account for the gaps, which then are reported.
  private func reportNoise(_ candidates: [LayerEvidence], batchSize: Double) -> Bool {
    let noisy = candidates.filter { noiseShare($0, batchSize: batchSize) > 0.012 }
    guard let worst = noisy.max(by: { $0.gap < $1.gap }) else { return false }
    // The gaps must be those of chance: not more, and not nothing, as after a recalibration.
    let fitting = noisy.filter { layer in
      let chance = layer.chance(
        noiseShare(layer, batchSize: batchSize) + 1 / Double(max(layer.sight.sampleCount, 1)))
      return layer.gap < 8 * chance && layer.gap > 0.03 * chance
    }
    guard fitting.count * 3 >= noisy.count * 2 else { return false }
    let share = noiseShare(worst, batchSize: batchSize)
    var evidence = [
      "batches of \(facts.batchSize == nil ? "about " : "")\(short(batchSize)) samples with "
        + "\(worst.momentum): running statistics rest on about \(short(1 / share)) samples",
      "\(worst.name): chance alone moves its statistics by \(short(worst.chance(share).squareRoot())) "
        + "standard deviations; they are \(short(worst.gap.squareRoot())) away from this batch",
    ]
    if !noisy.contains(where: \.isOff) {
      evidence.append("so far that is little: new statistics will hardly change a result")
    }
    report(.noisy, noisy, evidence: evidence)
    return true
  }

  /// The size of batches that makes the gaps what they are, if it is the same small number in all
  /// layers, for means as for variances.
  private func observedBatchSize(_ candidates: [LayerEvidence]) -> Double? {
    guard candidates.contains(where: \.isOff), candidates.count > 1 else { return nil }
    var sizes: [Double] = []
    for layer in candidates {
      let batch = 1 / Double(max(layer.sight.sampleCount, 1))
      let excess = layer.gap - layer.chance(batch)
      let unit = layer.chance(1)
      guard unit > 0, excess > 0.25 * layer.chance(batch) else { return nil }
      let share = layer.momentum.share(ofBatch: layer.tracked)
      sizes.append(share / (2 - share) / (excess / unit))
    }
    guard let low = sizes.min(), let high = sizes.max(), high < 12 * low, high < 32,
      let middle = median(sizes)
    else { return nil }
    return max(middle, 1)
  }
}
