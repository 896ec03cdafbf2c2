import NormaNN

/// Running statistics that are based on few values.
extension DefectSearch {
  /// The fraction of the samples' spread that remains in running statistics: 1 / n for batches of n
  /// samples and the momentum's window.
  private func noiseShare(_ layer: LayerEvidence, batchSize: Double) -> Double {
    windowShare(layer) / max(batchSize, 1)
  }

  /// The fraction of one batch's noise that the momentum leaves.
  private func windowShare(_ layer: LayerEvidence) -> Double {
    guard let share = layer.momentum?.share(ofBatch: layer.tracked) else { return 1 }
    return share / max(2 - share, 1e-9)
  }

  func findTooFewValues() {
    let candidates = layers.filter { !isExplained($0) && $0.tracked > 0 && $0.momentum != nil }
    guard !candidates.isEmpty else { return }
    if let size = facts.batchSize {
      _ = reportNoise(candidates, batchSize: Double(size), isTold: true)
      return
    }
    // A momentum that keeps little more than the last batch is noisy with any usual batch.
    let isForgetful = candidates.allSatisfy { ($0.momentum?.share ?? 0) >= 0.5 }
    let guesses = [observedBatchSize(candidates)] + (isForgetful ? [32, 8, 2] : [])
    for size in guesses.compactMap({ $0 })
    where reportNoise(candidates, batchSize: size, isTold: false) { return }
  }

  /// Whether such small batches account for the gaps, which are then reported.
  private func reportNoise(
    _ candidates: [LayerEvidence], batchSize: Double, isTold: Bool
  ) -> Bool {
    let noisy = candidates.filter { noiseShare($0, batchSize: batchSize) > 0.012 }
    guard let worst = noisy.max(by: { $0.gap < $1.gap }) else { return false }
    // The gaps must be those of chance: not larger, and not zero, as after a recalibration.
    let fitting = noisy.filter { layer in
      let chance = layer.chance(
        noiseShare(layer, batchSize: batchSize) + 1 / Double(max(layer.sampleCount, 1)))
      return layer.gap < 8 * chance && layer.gap > 0.03 * chance
    }
    guard fitting.count * 3 >= noisy.count * 2 else { return false }
    let share = noiseShare(worst, batchSize: batchSize)
    let samples = short((1 / share).rounded())
    let weight = worst.momentum?.share.map { ", each with a share of \(short($0))" } ?? ""
    var evidence = [
      isTold
        ? "with batches of \(short(batchSize)) samples\(weight), the running statistics rest on "
          + "about \(samples) samples"
        : "statistics of about \(samples) samples would be as far away from this batch as these "
          + "are; this is an estimate, as you did not give the batch size of training",
      "\(worst.name): chance alone moves such statistics by about "
        + "\(short(worst.chance(share).squareRoot())) standard deviations; these are "
        + "\(short(worst.gap.squareRoot())) away from this batch",
    ]
    let isOff = noisy.contains(where: \.isOff)
    if !isOff {
      evidence.append("that is not much: new statistics will hardly change a result")
    }
    report(
      .noisy, noisy,
      statement: isTold
        ? nil
        : "The running statistics seem to rest on few values, so that chance moves them.",
      evidence: evidence,
      alternatives: isTold
        ? []
        : [
          .init(.stale, "weights that changed a little after the statistics were taken"),
          .init(.unrepresentative, "statistics, or a batch here, of a part of the data"),
        ],
      decides: isTold ? [] : ["How large were the training batches?"],
      severity: isOff ? .warning : .note)
    return true
  }

  /// The batch size that explains the gaps, if it is the same small number in all layers, for means
  /// and for variances.
  private func observedBatchSize(_ candidates: [LayerEvidence]) -> Double? {
    guard candidates.contains(where: \.isOff), candidates.count > 1, let last = candidates.last,
      !candidates.contains(where: \.isUnrelated), !haveWeightsShrunk
    else { return nil }
    if isNoiseOfTraining(candidates) { return commonBatchSize(candidates, ratios: 0.3...20) }
    // Chance moves channels in different directions; other weights and another mixture of data move
    // them together.
    let together = candidates.filter { layer in
      let (middle, spread) = layer.commonRatio
      return abs(middle) > max(0.05, 0.8 * spread)
    }
    if together.count * 4 >= candidates.count * 3 { return nil }
    let (middle, spread) = last.commonRatio
    if abs(middle) > max(0.1, 0.8 * spread) || last.meanMultiple > 1.5 { return nil }
    return commonBatchSize(candidates, ratios: 0.8...10)
  }

  /// The batch size that explains the gaps of all layers.
  ///
  /// - Parameter ratios: the accepted ratios of the variances' distance to the means'.
  private func commonBatchSize(
    _ candidates: [LayerEvidence], ratios: ClosedRange<Double>
  ) -> Double? {
    var sizes: [Double] = []
    for layer in candidates {
      let batch = 1 / Double(max(layer.sampleCount, 1))
      let excess = layer.gap - layer.chance(batch)
      let unit = layer.chance(1)
      // Few values affect variances as much as means; other data and other weights do not.
      guard ratios.contains(layer.varianceOverMean), unit > 0,
        excess > 0.25 * layer.chance(batch)
      else {
        return nil
      }
      sizes.append(windowShare(layer) / (excess / unit))
    }
    guard let low = sizes.min(), let high = sizes.max(), high < 12 * low, high < 32,
      let middle = median(sizes)
    else { return nil }
    return max(middle, 1)
  }
}
