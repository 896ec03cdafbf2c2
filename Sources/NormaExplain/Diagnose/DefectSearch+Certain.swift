/// Defects that the values alone show.
extension DefectSearch {
  func findBrokenNumbers() {
    func channels(_ isBroken: (Double, Double) -> Bool) -> [(LayerEvidence, [Int])] {
      layers.compactMap { layer in
        let broken = layer.runningMean.indices.filter {
          isBroken(layer.runningMean[$0], layer.runningVariance[$0])
        }
        return broken.isEmpty ? nil : (layer, broken)
      }
    }
    let nonFinite = channels { !$0.isFinite || !$1.isFinite }
    report(
      .nonFinite, nonFinite.map(\.0), channels: named(nonFinite),
      evidence: nonFinite.flatMap { brokenEvidence($0.0, $0.1) },
      alternatives: nonFinite.contains { overflowed($0.0, $0.1) }
        ? []
        : [
          .init(nil, "a training batch with NaN or infinity in it"),
          .init(nil, "a value that overflowed while the buffers were float16"),
        ])
    let negative = channels { $1 < 0 && $0.isFinite && $1.isFinite }
    report(
      .negativeVariance, negative.map(\.0), channels: named(negative),
      evidence: negative.map { layer, broken in
        "\(layer.name): the running variance of channel \(broken[0]) is "
          + "\(short(layer.runningVariance[broken[0]])); in the batch it is "
          + "\(short(layer.variance[broken[0]]))"
      })
  }

  /// The largest finite float16.
  private static let largestHalf = 65_504.0

  /// Whether the batch's own variance is too large for float16 where the running one is infinite.
  private func overflowed(_ layer: LayerEvidence, _ channels: [Int]) -> Bool {
    channels.contains {
      layer.runningVariance[$0] == .infinity && layer.variance[$0] > 0.9 * Self.largestHalf
    }
  }

  private func brokenEvidence(_ layer: LayerEvidence, _ channels: [Int]) -> [String] {
    let c = channels[0]
    let (mean, variance) = (layer.runningMean[c], layer.runningVariance[c])
    var facts = [
      "\(layer.name): channel \(c) has the running mean \(word(mean)) and the running variance "
        + word(variance)
        + (channels.count > 1 ? ", and \(channels.count - 1) more channels are like it" : "")
    ]
    if variance == .infinity && mean.isFinite {
      facts.append(
        "divided by an infinite standard deviation, channel \(c) of \(layer.name) gives its bias, "
          + "\(short(layer.bias[c])), for any input; the other channels are not affected")
    } else {
      let isInfinite = mean.isInfinite && variance.isFinite && variance >= 0
      facts.append(
        "channel \(c) of \(layer.name) gives \(isInfinite ? "infinity" : "NaN") in evaluation")
    }
    if overflowed(layer, channels) {
      let large = channels.map { layer.variance[$0] }.max() ?? 0
      facts.append(
        "the batch has a variance of \(short(large)) there, and float16 ends at 65504, so a buffer "
          + "in float16 overflows")
    }
    return facts
  }

  private func word(_ value: Double) -> String {
    value.isNaN ? "NaN" : value.isInfinite ? (value > 0 ? "infinity" : "-infinity") : short(value)
  }

  func findFirstValues() {
    // If one layer shows it, all layers that still have their initial values are named.
    let fresh = layers.filter { $0.isInitial && !isExplained($0) }
    if !fresh.contains(where: \.isOff) { return }
    let never = fresh.allSatisfy { $0.tracked == 0 }
    report(
      .neverTrained, fresh,
      evidence: fresh.map { layer in
        "\(layer.name): all means are 0 and all variances 1 after \(batches(layer.tracked)); in "
          + "this batch means go up to \(short(layer.mean.map(abs).max() ?? 0)) in magnitude, and "
          + "variances from \(short(layer.variance.min() ?? 0)) to "
          + "\(short(layer.variance.max() ?? 0))"
          + (layer.layer.standsStill.map { "; it does not follow batches (\($0))" } ?? "")
      },
      decides: [
        never
          ? lostOnLoading
          : "The layers counted batches, but their statistics show none of them. What reset them?"
      ])
  }

  /// How buffers can be missing from a loaded state.
  private var lostOnLoading: String {
    switch capture.language {
    case .pytorch:
      "Were the buffers in the file that was loaded? Loading with strict=False silently leaves "
        + "them out."
    case .keras:
      "Were the moving statistics in the file that was loaded? Loading with skip_mismatch=True "
        + "silently leaves them out."
    case .flax: "Was the BatchStat state saved and loaded along with the Param state?"
    case .norma:
      "Were the buffers in the file that was loaded? Loading with strict: false leaves them out."
    }
  }

  // MARK: Constant channels

  /// The layers with channels that give the same value for every input, and these channels.
  ///
  /// Later layers that are off may have lost these channels after their statistics were taken, and
  /// are not blamed for anything else.
  func deadChannels() -> [(LayerEvidence, [Int])] {
    var dead: [(LayerEvidence, [Int])] = []
    for (place, layer) in layers.enumerated() where layer.count > 1 {
      let spreads = spreads(layer)
      let typical = median(spreads) ?? 0
      let largest = isRectified(layer) ? layer.moments.largest : nil
      let channels = layer.channels.filter { c in
        spreads[c] < max(1e-3 * typical, 1e-6) || (largest.map { $0[c] <= 0 } ?? false)
      }
      if channels.isEmpty { continue }
      dead.append((layer, channels))
      firstDead = firstDead ?? place
      if layers.indices.contains(place + 1), !layer.isOff { explain([layers[place + 1]]) }
    }
    return dead
  }

  /// The spread of each channel's results.
  private func spreads(_ layer: LayerEvidence) -> [Double] {
    let biased = layer.biasedVariance
    return layer.channels.map { c in
      abs(layer.weight[c]) * (biased[c] / (biased[c] + layer.eps)).squareRoot()
    }
  }

  /// Whether a ReLU follows the layer directly.
  private func isRectified(_ layer: LayerEvidence) -> Bool {
    layer.layer.after.map { $0.kind == "ReLU" || $0.kind == "ReLU6" } ?? false
  }

  func reportDead(_ dead: [(LayerEvidence, [Int])]) {
    // A weight of zero is dead for all data; a ReLU that is never active in this batch may be for
    // others.
    let isForGood = dead.contains { layer, channels in
      let typical = median(layer.weight.map(abs)) ?? 0
      return channels.contains { abs(layer.weight[$0]) < max(1e-3 * typical, 1e-6) }
    }
    report(
      .deadChannels, dead.map(\.0), channels: named(dead), evidence: dead.map(deadEvidence),
      alternatives: isForGood
        ? []
        : [.init(.domainShift, "other data may activate these channels; this batch does not")],
      severity: isForGood ? .warning : .note)
  }

  private func deadEvidence(_ layer: LayerEvidence, _ channels: [Int]) -> String {
    let c = channels[0]
    let start =
      "\(layer.name): channel \(c) has weight \(short(layer.weight[c])) and bias "
      + "\(short(layer.bias[c]))"
    guard let largest = layer.moments.largest else { return start }
    return start + ", and gives at most \(short(largest[c]))"
      + (isRectified(layer) ? ", before a ReLU" : "")
  }
}
