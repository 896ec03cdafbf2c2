/// Running variances that are too large, or too small, in all channels of a layer together.
extension DefectSearch {
  /// Five standard errors; none of over a hundred healthy networks reaches four.
  private static let certain = 5.0

  /// Whether these layers' scales are certainly off, in one direction.
  func isScaleOff(_ some: [LayerEvidence]) -> Bool { abs(scale(of: some) ?? 0) > Self.certain }

  /// The common scale error of these layers, as a multiple of chance for all of them together.
  private func scale(of some: some Collection<LayerEvidence>) -> Double? {
    let multiples = some.map { $0.commonScale?.multiple }
    guard !multiples.isEmpty, !multiples.contains(nil) else { return nil }
    return multiples.compactMap { $0 }.reduce(0, +) / Double(multiples.count).squareRoot()
  }

  /// Whether the running variances are larger than the batch's in the first layer and after it: the
  /// weights became smaller after the statistics were taken, as averages of weights are smaller
  /// than the weights.
  ///
  /// A change of the data shows in the first layer, and later layers see normalized results. The
  /// noise of training shows most in later layers, with means among those of the samples; means
  /// where no sample is belong to other weights.
  var haveWeightsShrunk: Bool { haveWeightsShrunk(layers) }

  private func haveWeightsShrunk(_ layers: [LayerEvidence]) -> Bool {
    guard layers.count > 1, let first = layers[0].commonScale, let all = scale(of: layers),
      let behind = scale(of: layers.dropFirst())
    else { return false }
    let middle = median(layers.compactMap { $0.commonScale?.logarithm }) ?? 0
    guard behind > 2.5, all > Self.certain, middle > 0.04, layers[0].multiple < 6 else {
      return false
    }
    let farthest = layers.compactMap(\.distanceAmongSamples).max()
    return farthest.map { $0 > 0.5 && first.multiple > 1 } ?? (first.multiple > 2.5)
  }

  /// Whether the running variances are larger than the batch's after the first layer, with running
  /// means among the batch's samples everywhere: noise in training, such as that of normalization
  /// with small batches.
  func isNoiseOfTraining(_ layers: [LayerEvidence]) -> Bool {
    guard layers.count > 1, let first = layers[0].commonScale,
      let behind = scale(of: layers.dropFirst())
    else { return false }
    return first.multiple < behind && behind > Self.certain
      && layers.allSatisfy { ($0.distanceAmongSamples ?? .infinity) < 0.3 }
  }

  /// No single layer is off, but all of them together are.
  func findShrunkWeights() {
    guard haveWeightsShrunk, !layers.contains(where: isExplained) else { return }
    let others = layers.compactMap { training[$0.id] }
    let isSeenInTraining = others.count == layers.count ? haveWeightsShrunk(others) : nil
    var evidence = scaleEvidence(layers)
    if isSeenInTraining == true {
      evidence.append("training data, the second capture, show it as well")
    } else if let found = isSeenInTraining, !found, (scale(of: others) ?? .infinity) < 2.5 {
      report(
        .domainShift, layers,
        statement:
          "This batch varies less than the training data, which fit the running statistics.",
        evidence: evidence + ["the running statistics fit the data of the second capture"],
        decides: ["How are these inputs prepared differently than in training?"],
        severity: .warning)
      return
    }
    report(
      .stale, layers,
      statement: "Taken together, the running variances are larger than this batch's from the "
        + "first layer on: the weights seem to be smaller than those that the statistics were "
        + "taken with, as averaged weights are.",
      evidence: evidence + ["no single layer is far off"],
      alternatives: (isSeenInTraining == true
        ? []
        : [.init(.domainShift, "training data that vary more than this batch, as if augmented")])
        + [.init(.noisy, "statistics of few or small batches")],
      decides: [
        "Were weights averaged (SWA, EMA) or otherwise changed after training?",
        "A capture of training data shows whether the data or the weights changed (--train).",
      ].dropLast(isSeenInTraining == true ? 1 : 0),
      severity: .warning)
  }

  /// The layers' running deviations relative to the batch's.
  func scaleEvidence(_ layers: [LayerEvidence]) -> [String] {
    let ratios = layers.compactMap { layer in
      layer.commonScale.map { "\(layer.name) \(short(exponential($0.logarithm)))" }
    }
    guard let all = scale(of: layers) else { return [] }
    return [
      "running standard deviations as multiples of the batch's, averaged over the channels: "
        + ratios.joined(separator: ", ")
        + "; \(layers.count == 1 ? "that is" : "all layers together are") \(short(all)) times what "
        + "chance explains"
    ]
  }

  /// Whether the first layer's channels all vary more, or all vary less, than its running
  /// statistics, and those of later layers do not.
  var isFirstScaleAlone: Bool {
    guard let first = layers.first?.commonScale, layers.count > 1,
      let behind = scale(of: layers.dropFirst())
    else { return false }
    let inSameDirection = first.multiple > 0 ? behind : -behind
    return abs(first.multiple) > Self.certain && abs(first.logarithm) > 0.1
      && inSameDirection < 2.5 && layers.dropFirst().allSatisfy { $0.multiple < 2 }
  }

  /// The one later layer whose running variances are a multiple of the batch's, with the same
  /// factor in every channel, while its means and all other layers fit. Neither other data nor
  /// other weights do that.
  var multiplied: (layer: LayerEvidence, factor: Double)? {
    let off = layers.filter(\.isOff)
    guard off.count == 1, let layer = off.first, layer.id != layers[0].id, !isExplained(layer),
      layer.meanMultiple < 2.5, let scale = layer.uniformScale(within: 0.12),
      layers.allSatisfy({ $0.id == layer.id || $0.multiple < 2.5 })
    else { return nil }
    return (layer, 1 / (scale * scale))
  }

  func reportMultiplied(_ layer: LayerEvidence, by factor: Double) {
    report(
      .overwritten, [layer],
      statement:
        "The running variances of one layer are about \(short(factor)) times the batch's in every "
        + "channel, and its means fit: they seem to have been multiplied by a number.",
      evidence: [distance(layer), "the other layers fit this batch"],
      alternatives: [
        .init(.unrepresentative, "statistics of data that vary differently in this layer only")
      ],
      decides: ["Does the file that the statistics come from hold the same numbers?"])
  }
}
