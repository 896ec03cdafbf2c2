import NormaKernels

/// Data that differ a little, and what the first layer tells of how they differ.
extension DefectSearch {
  // MARK: Data that differ a little

  /// The first layer shows it far beyond chance, and those behind it less and less, where running
  /// statistics that lag or are noisy would be off in all layers.
  func findLightShift() {
    guard let first = layers.first, !isExplained(first), first.count > 1,
      first.gap > 10 * first.expectedGap,
      layers.dropFirst().allSatisfy({ 1.7 * $0.multiple < first.multiple })
    else { return }
    if lostBias(first) != nil {
      if first.gap > 0.01 { reportOldWeights([first]) }
      return
    }
    guard first.gap > 0.022, moved(first) ?? true else { return }
    if let other = training[first.id], other.gap > 0.5 * first.gap {
      report(
        .unrepresentative, [first],
        evidence: [
          distance(first), "data of training are \(short(other.gap.squareRoot())) away there",
          "the layers behind it show less of it",
        ] + direction(first),
        alternatives: [.init(.overwritten, "other data seen in training mode after training")],
        decides: ["Of which data are the running statistics?"], severity: .warning)
      return
    }
    report(
      .domainShift, [first],
      evidence: [distance(first), "the layers behind it show less of it"] + likeness(first)
        + direction(first),
      alternatives: [
        .init(.unrepresentative, "the running statistics may come from a part of the data")
      ],
      decides: ["Is this batch prepared as in training?"], severity: .warning)
  }

  // MARK: Evidence

  /// What the first layer tells of how the inputs differ.
  func likeness(_ layer: LayerEvidence) -> [String] {
    let (middle, spread) = layer.commonRatio
    guard middle.magnitude > 0.1, spread < 0.1 else { return [] }
    return [
      "all channels of \(layer.name) spread \(short(exponential(-middle))) times as wide in this batch "
        + "as in the running statistics: the inputs may be scaled otherwise"
    ]
  }

  func direction(_ layer: LayerEvidence) -> [String] {
    guard layer.meanMultiple > 3, let (share, directions) = layer.shiftAlongSamples, share > 0.8
    else { return [] }
    let words = directions == 1 ? "the one direction" : "the \(directions) directions"
    return [
      "\(short(100 * share)) % of the shift of \(layer.name)'s means lies along \(words) in which "
        + "samples of this batch differ from each other, as with brighter or darker inputs"
    ]
  }
}
