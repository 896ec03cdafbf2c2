import NormaKernels
import NormaNN

/// What counts of batches and momentum tell.
extension DefectSearch {
  /// How many batches a layer should have followed: what the user knows, or what most layers did.
  private var expectedBatches: Int? {
    if let batches = facts.batches { return batches }
    let counts = Dictionary(layers.map { ($0.tracked, 1) }, uniquingKeysWith: +)
    let most = counts.max { ($0.value, $0.key) < ($1.value, $1.key) }
    guard let most, most.value * 2 > layers.count else { return nil }
    return most.key
  }

  private var isTold: Bool { facts.batches != nil }

  /// Layers that say themselves that they do not follow batches.
  func findFrozen() {
    let frozen = open.filter { $0.layer.standsStill != nil }
    report(
      .stale, frozen,
      evidence: frozen.map {
        "\($0.name) does not follow batches (\($0.layer.standsStill ?? "")\(followed($0))), and is "
          + "\(short($0.gap.squareRoot())) standard deviations away from this batch"
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
          "\($0.name) followed \(batches($0.tracked)) of \(expected), and is "
            + "\(short($0.gap.squareRoot())) standard deviations away from this batch"
        },
        alternatives: isTold
          ? [.init(.foreign, "the statistics may come from a file of an earlier training")] : [],
        decides: ["Did these layers stay in eval() while the network learned?"])
    }
  }

  /// `; it followed 30 of 250`
  private func followed(_ layer: LayerEvidence) -> String {
    facts.batches.map { "; it followed \(layer.tracked) of \($0)" } ?? ""
  }

  // MARK: More batches than there were

  private func findExtraBatches(_ expected: Int) {
    let often = layers.filter {
      !isExplained($0) && $0.tracked >= expected + 2
        && (isTold || Double($0.tracked) >= 1.5 * Double(expected))
    }
    if often.isEmpty { return }
    let facts = often.map {
      "\($0.name) followed \(batches($0.tracked)), and "
        + (isTold ? "there were \(expected)" : "most layers \(expected)")
    }
    let extra = Double(often.map(\.tracked).max() ?? 0) / Double(expected)
    let isMultiple = extra >= 1.4 && abs(extra - extra.rounded()) < 0.02 * extra
    if often.contains(where: \.isOff), !isMultiple {
      report(
        .overwritten, often, evidence: facts + often.filter(\.isOff).map(distance),
        alternatives: [
          .init(.doubleUpdate, "the additional batches may have come during training"),
          .init(.stale, "the number of batches may be another one than was told"),
        ],
        decides: [
          "What did the network see after its training while it was in training mode?",
          "A capture of data of training (--train) shows whether the statistics fit those.",
        ])
    } else if extra >= 1.4 || often.contains(where: \.isOff) {
      report(
        .doubleUpdate, often, evidence: facts,
        alternatives: [
          .init(.overwritten, "the additional batches may have come after training")
        ],
        decides: ["Where does the network run in training mode beside the step that learns?"],
        severity: often.contains(where: \.isOff) ? .error : .warning)
    }
  }

  // MARK: Momentum

  /// Running statistics that the first values, or batches of long ago, still hold.
  ///
  /// Where one layer shows it, all of such a momentum are named: they have the same cause.
  private func findUnconverged(_ expected: Int?) {
    let slow = layers.filter { !isExplained($0) && isSlow($0, expected) }
    guard slow.contains(where: \.isOff) else { return }
    let holdsFirst = slow.contains { layer in
      (layer.momentum?.rest(after: batchesSeen(layer)) ?? 1) > 0.005
    }
    report(
      .notConverged, slow,
      statement: holdsFirst
        ? nil
        : "The running statistics seem to lag behind the weights: they average over so many batches "
          + "that the weights moved meanwhile.",
      evidence: slow.map(slowness),
      alternatives: holdsFirst
        ? [] : [.init(.stale, "they may have stood still, or be those of another checkpoint")],
      decides: ["How many batches has the network seen in training mode, and with which momentum?"])
  }

  private func slowness(_ layer: LayerEvidence) -> String {
    let seen = batchesSeen(layer)
    let (share, left) = layer.initialShare
    let look =
      left < 0.35 * layer.gap && share > 0.02
      ? "such statistics come of \(short(100 * share)) % of the first values (mean 0, variance 1) "
        + "and \(short(100 - 100 * share)) % of this batch's" : nil
    guard let momentum = layer.momentum, seen > 0 else {
      return "\(layer.name): \(look ?? "the first values are still in the statistics")"
    }
    if momentum == .cumulative {
      return "\(layer.name): the mean of all \(batches(seen)) since the first, in which the "
        + "weights were others, is \(short(layer.gap.squareRoot())) standard deviations away from "
        + "this batch"
    }
    if momentum.rest(after: seen) < 0.005, let share = momentum.share {
      return "\(layer.name): with \(momentum) the statistics reach back about "
        + "\(batches(Int((1 / share).rounded()))) of \(seen), in which the weights moved; they are "
        + "\(short(layer.gap.squareRoot())) standard deviations away from this batch"
    }
    let rest = momentum.rest(after: seen)
    return "\(layer.name): after \(batches(seen)) with \(momentum), \(short(100 * rest)) % of "
      + "the first values (mean 0, variance 1) are left" + (look.map { "; \($0)" } ?? "")
  }

  /// Whether the layers that average all batches are off as those are whose weights moved meanwhile:
  /// most of them, those behind as much as the first, and none unrelated to its batch.
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
    guard seen > 0, let momentum = layer.momentum else { return layer.isOff && fits }
    let isBehind = expected.map { Double(layer.tracked) < 0.8 * Double($0) } ?? false
    // Others of this momentum followed on, and arrived: it is not the momentum.
    let othersArrived = layers.contains {
      $0.momentum == momentum && $0.tracked > 2 * seen && momentum.rest(after: $0.tracked) < 0.02
    }
    // Those that are known to have missed batches stood still, whatever their momentum.
    if isBehind && (othersArrived || isTold) { return false }
    // A window of 1 / momentum batches that reaches back to when the weights were others.
    // A plain mean reaches back to the first batch, unless it was taken anew in the end.
    let isWide =
      momentum.share.map { $0 < 0.05 && $0 * Double(seen) < 10 } ?? (seen > 1 && meansLag)
    return momentum.rest(after: seen) > 0.02 && (!isBehind || fits) || isWide && !isBehind
  }

  /// A momentum of 0.9 or more keeps little but the last batch: it is meant as the share of the old.
  private func findConvention() {
    let forgetful = layers.filter { layer in
      !isExplained(layer) && layer.tracked > 1 && (layer.momentum?.share ?? 0) >= 0.9
        && layer.momentum?.share ?? 1 < 1
    }
    // Very small batches are worse than a large momentum, and statistics that were pooled are neither.
    if let size = facts.batchSize, size <= 8 { return }
    guard forgetful.contains(where: { $0.gap > 0.05 * $0.expectedGap }) else { return }
    report(
      .momentumConvention, forgetful,
      evidence: forgetful.map { layer in
        let share = layer.momentum?.share ?? 0
        return
          "\(layer.name): momentum is \(share), the share of each new batch: all batches but the "
          + "last one together make \(short(100 * (1 - share))) % of the running statistics; they are "
          + "\(short(layer.gap.squareRoot())) standard deviations away from this batch"
      },
      alternatives: [
        .init(.noisy, "such a momentum may be meant; the statistics rest on one batch all the same")
      ],
      decides: [
        "Was the momentum taken from Keras or Flax, where 0.99 is the share of the old value?"
      ],
      severity: forgetful.contains(where: \.isOff) ? .error : .warning)
  }
}
