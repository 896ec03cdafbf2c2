/// What remains when everything else is ruled out: other data, or other weights?
extension DefectSearch {
  /// Layers that are off although they followed all batches.
  func findWhatIsLeft() {
    let off = open
    guard let first = off.first else { return findLightShift() }
    let start = layers.firstIndex { $0.id == first.id } ?? 0
    // Layers that are off after channels that died later are off because of them.
    let beginsAhead = layers[..<start].contains {
      !isExplained($0) && $0.gap > 12 * $0.expectedGap && $0.gap > 0.01
    }
    if let firstDead, firstDead < start, !beginsAhead { return }
    let unrelated = off.filter(\.isUnrelated)
    let isForeign = unrelated.count * 5 >= off.count * 3
    let fits = fitsTraining(off)
    if fits == true { return reportDomainShift(off, isCertain: true) }
    // Inputs of another scale that are shifted, too, move the means without regard to the old ones.
    let isScaled = layers.first.map { !isExplained($0) && $0.uniformScale != nil } ?? false
    if isForeign && !isScaled { return reportForeign(off, unrelated) }
    if let multiplied { return reportMultiplied(multiplied.layer, by: multiplied.factor) }
    guard let inputs = layers.first(where: { !isExplained($0) }) else { return }
    if lostBias(inputs) != nil || haveWeightsShrunk { return reportOldWeights(off) }
    if inputs.id == layers[0].id, inputs.uniformScale != nil || inputs.isNegated {
      let all = off[0].id == inputs.id ? off : [inputs] + off
      return fits == false ? reportOverwritten(all) : reportDomainShift(all, isCertain: false)
    }
    let isAlongSamples = inputs.shiftAlongSamples.map { $0.share > 0.8 }
    switch (moved(inputs), isLargest(inputs, off)) {
    case (true?, true), (nil, true):
      if fits == false { reportOverwritten(off) } else { reportDomainShift(off, isCertain: false) }
    case (true?, false) where isAlongSamples == true && tellsOfData(off): reportOtherKinds(off)
    case (nil, false) where tellsOfData(off): reportOtherKinds(off)
    case (_, false) where liesAmongSamples(off): reportOtherKinds(off)
    default: reportOldWeights(off)
    }
  }

  /// A layer with weights but no bias before the first norm, and no normalization after it: the
  /// result of a fusion that forgot the bias.
  func lostBias(_ first: LayerEvidence) -> CapturedNeighbour? {
    let weighted = first.layer.between.filter { $0.kind.hasPrefix("Conv") || $0.kind == "Linear" }
    return weighted.dropLast().last { $0.hasBias == false }
  }

  /// Whether the running statistics fit a second capture, of training data, in these layers; nil
  /// without one, or if it is undecided.
  private func fitsTraining(_ off: [LayerEvidence]) -> Bool? {
    let others = off.compactMap { training[$0.id] }
    guard !others.isEmpty else { return nil }
    let here = off.filter { training[$0.id] != nil }.reduce(0) { $0 + $1.gap }
    let there = others.reduce(0) { $0 + $1.gap }
    if there < 0.1 * here { return true }
    if others.contains(where: \.isOff) { return false }
    return there < 0.25 * here ? true : nil
  }

  // MARK: Signs

  /// Whether the first layer's input changed rather than its weights: its means moved along the
  /// directions in which samples differ, or only its variances changed. nil if samples differ in
  /// all directions.
  func moved(_ first: LayerEvidence) -> Bool? {
    if first.gap < 4 * first.expectedGap { return false }
    if first.varianceOverMean > 5 { return true }
    return first.shiftAlongSamples.map { $0.share > 0.8 }
  }

  /// Whether the first layer is about as far beyond chance as any other, or farther if that is not
  /// far. A change of the data shows there first, as later layers see normalized results; a change
  /// of the weights shows in all layers.
  private func isLargest(_ first: LayerEvidence, _ off: [LayerEvidence]) -> Bool {
    let others = off.filter { $0.id != first.id }.map(\.multiple).max() ?? 0
    return first.multiple > (first.multiple > 6 ? 0.8 : 1.5) * others
  }

  /// Changed weights move means first, to where no sample is; changed data affect the variances of
  /// the last layers.
  private func tellsOfData(_ off: [LayerEvidence]) -> Bool {
    guard let last = off.last else { return false }
    return last.varianceOverMean > 1 && (last.distanceAmongSamples ?? 0) < Self.amongSamples
  }

  /// Whether the last layer, which separates classes, is by far the farthest off, with its running
  /// means among the batch's samples: the statistics, or the batch, come from a part of the data.
  /// Other weights put means where no sample is.
  private func liesAmongSamples(_ off: [LayerEvidence]) -> Bool {
    guard let last = off.last, last.id == layers.last?.id, last.mean.count >= 8 else {
      return false
    }
    let others = layers.dropLast().map(\.multiple).max() ?? 0
    return last.multiple > 1.3 * others
      && (last.distanceAmongSamples ?? .infinity) < Self.amongSamples
  }

  /// Over many networks, means of a part of the data are below 1, and those of other weights above
  /// 1.8.
  private static let amongSamples = 1.3

  // MARK: Findings

  private func reportForeign(_ off: [LayerEvidence], _ unrelated: [LayerEvidence]) {
    report(
      .foreign, off,
      evidence: unrelated.map { layer in
        "\(layer.name): over its \(layer.mean.count) channels the running means correlate with the "
          + "batch's by \(short(layer.meanCorrelation)), the variances by "
          + "\(short(layer.varianceCorrelation)); unrelated numbers give about "
          + "±\(short(layer.chanceOfCorrelation))"
      } + off.prefix(1).map(distance)
        + ["with different data and the same weights, they usually still correlate"],
      alternatives: [
        .init(.stale, "the statistics may be those of these weights a long time ago"),
        .init(.exchanged, "the statistics may have their channels in another order"),
      ],
      decides: [
        "Do the weights and the running statistics come from the same file?"
      ])
  }

  private func reportDomainShift(_ off: [LayerEvidence], isCertain: Bool) {
    guard let first = off.first else { return }
    if facts.data == .training && !isCertain { return reportOverwritten(off) }
    var evidence = off.map(distance) + likeness(first) + direction(first)
    if isCertain { evidence.append("the running statistics fit the data of the second capture") }
    let countsAgree = facts.batches.map { told in off.allSatisfy { $0.tracked == told } } ?? false
    if countsAgree {
      evidence.append(
        "the layers followed as many batches as training had, so none seem to have come afterwards")
    }
    var alternatives: [DefectFinding.Alternative] = []
    if !isCertain {
      if !countsAgree {
        alternatives.append(
          .init(
            .overwritten,
            "the running statistics may be those of other data, which the network saw in training "
              + "mode after its training"))
      }
      alternatives.append(
        .init(
          .unrepresentative, "the running statistics may come from a part of the training data"))
    }
    report(
      .domainShift, off,
      statement: isCertain
        ? "This batch is not like the training data: the running statistics fit those, but not "
          + "this batch." : nil,
      evidence: evidence, alternatives: alternatives,
      decides: isCertain
        ? ["How are these inputs prepared differently than in training?"]
        : [
          "Is this batch training data, prepared as in training? Then the statistics are wrong.",
          "A capture of training data decides it (--train).",
        ])
  }

  /// The first layer's input changed, and training data are off as well.
  private func reportOverwritten(_ off: [LayerEvidence]) {
    guard let first = off.first else { return }
    report(
      .overwritten, off,
      evidence: off.map(distance)
        + [
          facts.data == .training
            ? "this batch is training data, as you said"
            : "training data, the second capture, are off in these layers as well"
        ] + likeness(first) + direction(first),
      alternatives: [
        .init(.unrepresentative, "statistics of only a part of the training data"),
        .init(.stale, "weights that changed after the statistics were taken"),
        .init(
          .domainShift, "the data given as training data may be prepared differently after all"),
      ],
      decides: ["What did the network see in training mode after its training?"])
  }

  /// The mixture of the data differs: statistics of some classes, or a batch of one.
  private func reportOtherKinds(_ off: [LayerEvidence]) {
    guard let last = off.last else { return }
    let (middle, spread) = last.commonRatio
    var evidence =
      off.map(distance) + [
        "\(last.name): the running standard deviations are \(short(exponential(middle))) times the "
          + "batch's, in the median over the channels"
      ]
    if let distance = last.distanceAmongSamples, distance < Self.amongSamples {
      evidence.append(
        "\(last.name): the running means are among the means of this batch's samples, "
          + "\(short(distance.squareRoot())) of their standard deviations from the center; other "
          + "weights would put them elsewhere")
    }
    if middle > 0.3 && middle > 1.2 * spread && facts.isShuffled != true {
      report(
        .unrepresentative, off,
        statement: "This batch seems to be only a part of the data, such as one class: in the last "
          + "layers its samples differ less than those in the running statistics. That is not "
          + "a fault of the network.",
        evidence: evidence,
        alternatives: [
          .init(.domainShift, "data of another kind, which differ less from each other"),
          .init(.overwritten, "statistics of data that vary more than the training data"),
        ],
        decides: ["Is this batch shuffled, with all classes in it? Capture one that is."],
        severity: .note,
        now: .init(
          "Capture a batch that is shuffled and has all classes.",
          pytorch: ["x = next(iter(DataLoader(data, batch_size=256, shuffle=True)))[0]"],
          keras: ["x, _ = next(iter(data.shuffle(10_000).batch(256)))"],
          norma: ["for batch in DataLoader(data, batchSize: 256, shuffle: true) { ... }"]))
      return
    }
    report(
      .unrepresentative, off, evidence: evidence + direction(layers[0]),
      alternatives: [
        .init(
          .domainShift, "this batch may have other classes, or a different mixture of them"),
        .init(.overwritten, "the network may have seen other data in training mode after training"),
        .init(.stale, "weights that changed after the statistics were taken"),
      ],
      decides: [
        "Is this batch shuffled, with all classes in it?",
        "Did one process of several take the statistics, or did the data come sorted by class?",
      ])
  }

  /// Whether the layers are off as in networks that train with a constant rate until the end: not
  /// far, and with variances that are right on average over the channels. That is not yet a defect.
  private func isLag(_ off: [LayerEvidence]) -> Bool {
    off.allSatisfy {
      $0.gap - $0.expectedGap < 0.1 && abs($0.commonScale?.multiple ?? .infinity) < 2.5
    }
  }

  /// The weights are not those that the statistics were taken with.
  func reportOldWeights(_ off: [LayerEvidence]) {
    var evidence = off.map(distance) + (haveWeightsShrunk ? scaleEvidence(layers) : [])
    let related = off.filter { !$0.isUnrelated && $0.mean.count >= 6 }
    if let middle = median(related.map(\.meanCorrelation)), middle > 0.5 {
      evidence.append(
        "running and batch means correlate over the channels (by \(short(middle)), the median of "
          + "these layers), so the statistics come from similar weights")
    }
    if let first = layers.first(where: { !isExplained($0) }), first.id != off[0].id {
      evidence.append(
        "the first layer fits (\(short(first.gap.squareRoot())) standard deviations), so the "
          + "inputs seem to be as in training")
    }
    if let first = layers.first, let changed = lostBias(first) {
      evidence.append(
        "\(changed.name) (\(changed.kind)) has no bias, and no normalization directly after it, as "
          + "when a batch norm was folded into it and its shift was forgotten")
    }
    let changed = layers.first.flatMap(lostBias)
    let isLittle = changed == nil && isLag(off)
    report(
      .stale, off,
      statement: isLittle
        ? "The running statistics lag a little behind the weights, as they do while a network is "
          + "still learning fast."
        : changed.map {
          "The running statistics do not fit these weights. A batch norm that was folded into "
            + "\($0.name) without its shift would explain it."
        },
      evidence: evidence,
      alternatives: (changed == nil
        ? [] : [.init(.stale, "weights that changed while the statistics stood still")])
        + [
          .init(.foreign, "statistics of another checkpoint of the same training run"),
          .init(.unrepresentative, "statistics of only a part of the data"),
          .init(.domainShift, "data that differ in content, and not in how they are scaled"),
        ],
      decides: [
        changed == nil
          ? "Were weights averaged (SWA, EMA), or fine-tuned while these layers were in evaluation "
            + "mode? Was a layer before these changed: a bias lost, two layers fused?"
          : "Was a batch norm folded into \(changed?.name ?? "a layer") without its shift?",
        "A capture of training data shows whether the data or the weights changed (--train).",
      ],
      severity: isLittle ? .note : nil,
      now: changed.map { changed in
        .init(
          "Give \(changed.name) the bias that the folding should have left. If it is lost, compute "
            + "the running statistics after it again from training data.",
          pytorch: [
            "torch.nn.utils.fuse_conv_bn_eval(conv, bn)  # on the network before the folding",
            "torch.optim.swa_utils.update_bn(train_loader, model)  # if that is lost",
          ],
          keras: Defect.stale.now.keras, flax: Defect.stale.now.flax,
          norma: ["try recalibrate(network, over: trainingBatches)"])
      },
      next: isLittle
        ? .init(
          "Lower the learning rate towards the end of training, or compute the statistics again "
            + "after it.")
        : changed.map { _ in
          .init("Fold batch norms with a tool that adds a bias if there is none.")
        })
  }
}
