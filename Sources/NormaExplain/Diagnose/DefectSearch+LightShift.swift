/// Data that differ slightly, and what the first layer shows about the difference.
extension DefectSearch {
  // MARK: Data that differ a little

  /// The first layer is far beyond chance, and later layers less and less, whereas running
  /// statistics that lag or are noisy would be off in all layers.
  func findLightShift() {
    guard let first = layers.first, !isExplained(first), first.count > 1 else { return }
    let isFar =
      first.gap > 10 * first.expectedGap
      && layers.dropFirst().allSatisfy { 1.7 * $0.multiple < first.multiple }
    let isScaled = isFirstScaleAlone
    guard isFar || isScaled else { return findShrunkWeights() }
    if lostBias(first) != nil {
      if isFar && first.gap > 0.01 { reportOldWeights([first]) }
      return
    }
    guard isScaled || first.gap > 0.022 && (moved(first) ?? true) else { return }
    if let other = training[first.id], other.gap > 0.5 * first.gap {
      report(
        .unrepresentative, [first],
        evidence: [
          distance(first),
          "training data, the second capture, are \(short(other.gap.squareRoot())) away there",
          "later layers show less of it",
        ] + direction(first),
        alternatives: [.init(.overwritten, "other data seen in training mode after training")],
        decides: ["Which data do the running statistics come from?"], severity: .warning)
      return
    }
    report(
      .domainShift, [first],
      evidence: [distance(first), "later layers show less of it"]
        + (isFar ? [] : scaleEvidence([first])) + likeness(first) + direction(first),
      alternatives: [
        .init(.unrepresentative, "the running statistics may come from only a part of the data")
      ],
      decides: ["Is this batch prepared as in training?"], severity: .warning)
  }

  // MARK: Evidence

  /// What the first layer shows about how the inputs differ.
  func likeness(_ layer: LayerEvidence) -> [String] {
    var signs: [String] = []
    let (middle, spread) = layer.commonRatio
    let factor = middle.magnitude > 0.1 && spread < 0.1 ? exponential(-middle) : layer.uniformScale
    if let factor {
      signs.append(
        "in all channels of \(layer.name), this batch spreads about \(short(factor)) times as wide "
          + "as the running statistics say: the inputs may be scaled differently")
    }
    if layer.isNegated {
      signs.append(
        "the running means of \(layer.name) are those of this batch with the opposite sign: the "
          + "inputs may be negated, as when black and white are exchanged")
    }
    return signs
  }

  func direction(_ layer: LayerEvidence) -> [String] {
    guard layer.meanMultiple > 3, let (share, directions) = layer.shiftAlongSamples, share > 0.8
    else { return [] }
    let words = directions == 1 ? "the one direction" : "the \(directions) directions"
    return [
      "\(short(100 * share)) % of the shift of \(layer.name)'s means is along \(words) in which "
        + "the samples of this batch differ from each other, as when inputs are brighter or darker"
    ]
  }
}
