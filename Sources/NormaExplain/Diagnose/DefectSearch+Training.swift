import NormaNN

/// What batch counts and momentum show.
extension DefectSearch {
  /// The number of batches that a layer should have followed: given by the user, or the most common
  /// one.
  private var expectedBatches: Int? {
    if let batches = facts.batches { return batches }
    let counts = Dictionary(layers.map { ($0.tracked, 1) }, uniquingKeysWith: +)
    let most = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
    guard let most, most.value * 2 > layers.count else { return nil }
    return most.key
  }

  private var isTold: Bool { facts.batches != nil }

  /// Layers that are known not to follow batches.
  func findFrozen() {
    let frozen = open.filter { $0.layer.standsStill != nil }
    report(
      .stale, frozen,
      evidence: frozen.map {
        "\($0.name) does not follow batches (\($0.layer.standsStill ?? "")\(followed($0))); its "
          + "running statistics are \(short($0.gap.squareRoot())) standard deviations away from "
          + "this batch"
      })
  }

  func findCounts() {
    let expected = expectedBatches
    if let expected, expected > 0 { findExtraBatches(expected) }
    findUnconverged(expected)
    findConvention()
    if let expected {
      let behind = layers.filter {
        !isExplained($0) && $0.tracked > 0 && Double($0.tracked) < 0.8 * Double(expected)
      }
      report(
        .stale, behind.contains { $0.isOff || $0.gap > 1.5 * $0.expectedGap } ? behind : [],
        evidence: behind.map {
          "\($0.name) followed \(batches($0.tracked)) of \(expected); its running statistics are "
            + "\(short($0.gap.squareRoot())) standard deviations away from this batch"
        },
        alternatives: isTold
          ? [.init(.foreign, "the statistics may come from a file of an earlier training run")]
          : [],
        decides: ["Were these layers in evaluation mode while the network learned?"])
    }
  }

  /// `; it followed 30 of 250`
  private func followed(_ layer: LayerEvidence) -> String {
    facts.batches.map { "; it followed \(layer.tracked) of \($0)" } ?? ""
  }

  // MARK: More batches than there were

  private func findExtraBatches(_ expected: Int) {
    let often = layers.filter {
      !isExplained($0) && $0.tracked - 2 >= expected
        && (isTold || Double($0.tracked) >= 1.5 * Double(expected))
    }
    if often.isEmpty { return }
    let facts = often.map {
      "\($0.name) followed \(batches($0.tracked)), and "
        + (isTold ? "training had \(expected)" : "most layers followed \(expected)")
    }
    let extra = Double(often.map(\.tracked).max() ?? 0) / Double(expected)
    let isMultiple = extra >= 1.4 && abs(extra - extra.rounded()) < 0.02 * extra
    if often.contains(where: \.isOff), !isMultiple {
      report(
        .overwritten, often, evidence: facts + often.filter(\.isOff).map(distance),
        alternatives: [
          .init(.doubleUpdate, "the additional batches may have come during training"),
          .init(.stale, "the number of batches that you gave may not be right"),
        ],
        decides: [
          "What did the network see in training mode after its training?",
          "A capture of training data (--train) shows whether the statistics fit those.",
        ])
    } else if extra >= 1.4 || often.contains(where: \.isOff) {
      report(
        .doubleUpdate, often, evidence: facts,
        alternatives: [
          .init(.overwritten, "the additional batches may have come after training")
        ],
        decides: ["Where does the network run in training mode, apart from training steps?"],
        severity: often.contains(where: \.isOff) ? .error : .warning)
    }
  }

  // MARK: Momentum

  /// Running statistics that still contain the initial values, or batches from long ago.
  ///
  /// If one layer shows it, all layers with this momentum are named, as they have the same cause.
  private func findUnconverged(_ expected: Int?) {
    let slow = layers.filter { !isExplained($0) && isSlow($0, expected) }
    guard slow.contains(where: \.isOff) || holdsMuch(slow) && isScaleOff(slow),
      slow.contains(where: showsInitialValues)
    else { return }
    let holdsFirst = slow.contains { layer in
      (layer.momentum?.rest(after: batchesSeen(layer)) ?? 1) > 0.005
    }
    report(
      .notConverged, slow,
      statement: holdsFirst
        ? nil
        : "The running statistics seem to lag behind the weights: they average over many batches, "
          + "and the weights changed in the meantime.",
      evidence: slow.map(slowness),
      alternatives: holdsFirst
        ? [] : [.init(.stale, "they may have stood still, or be those of another checkpoint")],
      decides: ["How many batches did the network see in training mode, and with which momentum?"])
  }

  /// Whether a tenth of the initial values remains in one of these layers, judged by momentum and
  /// batch count alone.
  private func holdsMuch(_ slow: [LayerEvidence]) -> Bool {
    slow.contains { ($0.momentum?.rest(after: batchesSeen($0)) ?? 0) > 0.1 }
  }

  /// Whether the statistics look as if they contained the initial values that the momentum leaves.
  /// Recomputed statistics, as after recalibration, contain none of them even after few batches.
  private func showsInitialValues(_ layer: LayerEvidence) -> Bool {
    guard let rest = layer.momentum?.rest(after: batchesSeen(layer)), rest >= 0.1 else {
      return true
    }
    let (share, left) = layer.initialShare
    return (0.6...1.6).contains(share / rest) && left < 0.2 * layer.gap
  }

  private func slowness(_ layer: LayerEvidence) -> String {
    let seen = batchesSeen(layer)
    let (share, left) = layer.initialShare
    let look =
      left < 0.35 * layer.gap && share > 0.02
      ? "the running statistics look like \(short(100 * share)) % initial values and "
        + "\(short(100 - 100 * share)) % statistics of this batch" : nil
    guard let momentum = layer.momentum, seen > 0 else {
      return "\(layer.name): the initial values (mean 0, variance 1) are still in the statistics"
        + (look.map { "; \($0)" } ?? "")
    }
    if momentum == .cumulative {
      return "\(layer.name): the mean of all \(batches(seen)), at the first of which the weights "
        + "were different, is \(short(layer.gap.squareRoot())) standard deviations away from this "
        + "batch"
    }
    if momentum.rest(after: seen) < 0.005, let share = momentum.share {
      return
        "\(layer.name): with batches that have a share of \(short(share)) each, the statistics "
        + "reach back over about \(batches(Int((1 / share).rounded()))) of \(seen), during which "
        + "the weights changed; they are \(short(layer.gap.squareRoot())) standard deviations away "
        + "from this batch"
    }
    return
      "\(layer.name): after \(batches(seen)), each with a share of \(short(momentum.share ?? 0)), "
      + "\(short(100 * momentum.rest(after: seen))) % is left of the initial values (mean 0, "
      + "variance 1)" + (look.map { "; \($0)" } ?? "")
  }

  /// Whether the layers that average all batches are off in the way that changing weights cause:
  /// most of them, later ones as much as the first, and none unrelated to its batch.
  private var meansLag: Bool {
    let plain = layers.filter { $0.momentum == .cumulative && !isExplained($0) }
    let off = plain.filter { $0.isOff || $0.multiple > 2 }
    guard let first = layers.first, plain.contains(where: \.isOff), off.count * 3 >= plain.count * 2
    else { return false }
    let others = plain.filter { $0.id != first.id }.map(\.multiple).max() ?? first.multiple
    return !plain.contains(where: \.isUnrelated) && first.multiple < 2 * others
  }

  private func batchesSeen(_ layer: LayerEvidence) -> Int {
    layer.tracked > 0 ? layer.tracked : facts.batches ?? 0
  }

  private func isSlow(_ layer: LayerEvidence, _ expected: Int?) -> Bool {
    let seen = batchesSeen(layer)
    let (share, left) = layer.initialShare
    let fits = share > 0.05 && left < 0.35 * layer.gap
    guard seen > 0, let momentum = layer.momentum else {
      // Next to a batch of another scale, any statistics look like initial values.
      let chance = (1 - share) * layer.expectedGap
      return layer.isOff && fits && left < max(0.1, 4 * chance)
    }
    let isBehind = expected.map { Double(layer.tracked) < 0.8 * Double($0) } ?? false
    // Others with this momentum continued and converged, so it is not the momentum.
    let othersArrived = layers.contains {
      $0.momentum == momentum && $0.tracked > 2 * seen && momentum.rest(after: $0.tracked) < 0.02
    }
    // Layers that are known to have missed batches stood still, whatever their momentum.
    if isBehind && (othersArrived || isTold) { return false }
    // A window of 1 / momentum batches that reaches back to when the weights were different. A
    // plain mean reaches back to the first batch, unless it was recomputed at the end.
    let isWide =
      momentum.share.map { $0 < 0.05 && $0 * Double(seen) < 10 } ?? (seen > 1 && meansLag)
    return momentum.rest(after: seen) > 0.02 && (!isBehind || fits) || isWide && !isBehind
  }

  /// A momentum of 0.9 or more keeps little but the last batch: it is meant as the share of the old
  /// value.
  private func findConvention() {
    let forgetful = layers.filter { layer in
      !isExplained(layer) && layer.tracked > 1 && (layer.momentum?.share ?? 0) >= 0.9
        && layer.momentum?.share ?? 1 < 1
    }
    // Very small batches are worse than a large momentum, and pooled statistics have neither
    // problem.
    if let size = facts.batchSize, size <= 8 { return }
    guard forgetful.contains(where: { $0.gap > 0.05 * $0.expectedGap }) else { return }
    let isOfOldValue = capture.language.momentumIsOfOldValue
    report(
      .momentumConvention, forgetful,
      statement: isOfOldValue
        ? "The momentum is so small that the layer forgets all but the last batch. It looks like "
          + "the share of the new batch, which PyTorch calls momentum; here it is the share of the "
          + "old value."
        : nil,
      evidence: forgetful.map { layer in
        let share = layer.momentum?.share ?? 0
        let momentum =
          isOfOldValue
          ? "\(short(1 - share)), the share of the old value"
          : "\(share), the share of the new batch"
        return
          "\(layer.name): momentum is \(momentum), so all batches but the last one together make "
          + "up \(short(100 * (1 - share))) % of the running statistics; they are "
          + "\(short(layer.gap.squareRoot())) standard deviations away from this batch"
      },
      alternatives: [
        .init(
          .noisy,
          "it may be intended; even so the statistics rest on little more than one batch")
      ],
      decides: [
        isOfOldValue
          ? "Was the momentum taken from PyTorch, where 0.1 is the share of the new batch?"
          : "Was the momentum taken from Keras or Flax, where 0.99 is the share of the old value?"
      ],
      severity: forgetful.contains(where: \.isOff) ? .error : .warning)
  }
}
