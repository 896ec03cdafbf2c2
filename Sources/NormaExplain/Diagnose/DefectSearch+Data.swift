import Foundation

/// What is left when everything else is ruled out.
extension DefectSearch {
  /// Layers that are off although they followed all batches: the data are others where it begins
  /// with the first layer or goes through to the last; a layer alone holds something old.
  func findOtherData() {
    let off = open
    guard let first = off.first else { return findLightShift() }
    let start = layers.firstIndex { $0.id == first.id } ?? 0
    let rest = layers[start...].filter { !isExplained($0) }
    let goesThrough = start > 0 && off.count == rest.count
    // The first layers may show a shift that is small, and beyond chance all the same.
    let beginsAhead = layers[..<start].contains {
      !isExplained($0) && $0.gap > 12 * $0.expectedGap && $0.gap > 0.01
    }
    // What is off behind channels that died after the statistics were taken is off because of them.
    if let firstDead, firstDead < start, !beginsAhead { return }
    guard start == 0 || goesThrough || beginsAhead else {
      report(
        .stale, off,
        evidence: off.map {
          "\($0.name) is \(short($0.gap.squareRoot())) standard deviations away from this batch, "
            + "while the layers before it fit"
        })
      return
    }
    var evidence = off.map {
      "\($0.name): the batch is \(short($0.gap.squareRoot())) standard deviations away from the data "
        + "of training; chance explains \(short($0.expectedGap.squareRoot()))"
    }
    if start == 0 { evidence.append(contentsOf: likeness(first)) }
    report(.domainShift, off, evidence: evidence)
  }

  /// Data that differ a little: the first layer shows it far beyond chance, and those behind it less and
  /// less, where running statistics that lag or are noisy would be off in all layers.
  private func findLightShift() {
    func multiple(_ layer: LayerEvidence) -> Double {
      layer.gap / max(layer.expectedGap, 1e-300)
    }
    guard let first = layers.first, !isExplained(first), first.sight.count > 1,
      first.gap > 0.022, multiple(first) > 10,
      layers.dropFirst().allSatisfy({ 3 * multiple($0) < multiple(first) })
    else { return }
    report(
      .domainShift, [first],
      evidence: [
        "\(first.name): the batch is \(short(first.gap.squareRoot())) standard deviations away from the "
          + "data of training; chance explains \(short(first.expectedGap.squareRoot()))",
        "that is little, and the layers behind it show less of it",
      ] + likeness(first))
  }

  /// What the first layer tells of how the inputs differ.
  private func likeness(_ layer: LayerEvidence) -> [String] {
    let ratios = layer.channels.map { c in
      log(layer.square(c) / (max(layer.runningVariance[c], 0) + layer.eps)) / 2
    }
    guard let middle = median(ratios), middle.magnitude > 0.1,
      ratios.allSatisfy({ abs($0 - middle) < 0.15 })
    else { return [] }
    return [
      "all channels of \(layer.name) spread \(short(exp(middle))) times as wide as in training:"
        + " the inputs may be scaled otherwise"
    ]
  }
}
