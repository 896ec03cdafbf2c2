import NormaKernels

/// What is left when everything else is ruled out: other data, or other weights?
extension DefectSearch {
  /// Layers that are off although they followed all batches.
  func findWhatIsLeft() {
    let off = open
    guard let first = off.first else { return findLightShift() }
    let start = layers.firstIndex { $0.id == first.id } ?? 0
    // What is off behind channels that died after the statistics were taken is off because of them.
    let beginsAhead = layers[..<start].contains {
      !isExplained($0) && $0.gap > 12 * $0.expectedGap && $0.gap > 0.01
    }
    if let firstDead, firstDead < start, !beginsAhead { return }
    let unrelated = off.filter(\.isUnrelated)
    let isForeign = unrelated.count * 5 >= off.count * 3
    let fits = fitsTraining(off)
    if fits == true { return reportDomainShift(off, isCertain: true) }
    if isForeign { return reportForeign(off, unrelated) }
    guard let inputs = layers.first(where: { !isExplained($0) }) else { return }
    if lostBias(inputs) != nil { return reportOldWeights(off) }
    let isAlongSamples = inputs.shiftAlongSamples.map { $0.share > 0.8 }
    switch (moved(inputs), isLargest(inputs, off)) {
    case (true?, true), (nil, true):
      if fits == false { reportOverwritten(off) } else { reportDomainShift(off, isCertain: false) }
    case (true?, false) where isAlongSamples == true && tellsOfData(off): reportOtherKinds(off)
    case (nil, false) where tellsOfData(off): reportOtherKinds(off)
    case (_, false) where variesLess(off): reportOtherKinds(off)
    default: reportOldWeights(off)
    }
  }

  /// A layer with weights, no bias and no normalization behind it, in front of the first norm: what a
  /// fusion leaves that forgets the bias.
  func lostBias(_ first: LayerEvidence) -> CapturedNeighbour? {
    let weighted = first.layer.between.filter { $0.kind.hasPrefix("Conv") || $0.kind == "Linear" }
    return weighted.dropLast().last { $0.hasBias == false }
  }

  /// Whether a second capture, of data of training, is off in these layers as well; nil without one.
  private func fitsTraining(_ off: [LayerEvidence]) -> Bool? {
    let others = off.compactMap { training[$0.id] }
    guard !others.isEmpty else { return nil }
    let here = off.filter { training[$0.id] != nil }.reduce(0) { $0 + $1.gap }
    let there = others.reduce(0) { $0 + $1.gap }
    return !others.contains(where: \.isOff) || there < 0.1 * here
  }

  // MARK: Signs

  /// Whether the first layer's input moved, and not its weights: its means moved along the directions
  /// in which samples differ, or its variances alone did. nil where samples differ in all directions.
  func moved(_ first: LayerEvidence) -> Bool? {
    if first.gap < 4 * first.expectedGap { return false }
    if first.varianceOverMean > 5 { return true }
    return first.shiftAlongSamples.map { $0.share > 0.8 }
  }

  /// Whether the first layer is about as far beyond chance as any other, or farther where that is not
  /// far. What other data bring shows there first, and what is behind it sees results that are
  /// normalized; what other weights bring is in all layers.
  private func isLargest(_ first: LayerEvidence, _ off: [LayerEvidence]) -> Bool {
    let others = off.filter { $0.id != first.id }.map(\.multiple).max() ?? 0
    return first.multiple > (first.multiple > 6 ? 0.8 : 1.5) * others
  }

  /// Weights move means first, and data the variances of the last layers.
  private func tellsOfData(_ off: [LayerEvidence]) -> Bool {
    (off.last?.varianceOverMean ?? 0) > 1
  }

  /// Whether the last layer, which tells classes apart, is by far the farthest off, its running variances
  /// together smaller or larger than the batch's, and its running means among the batch's samples:
  /// statistics, or a batch, of a part of the data. Other weights put means where no sample is.
  private func variesLess(_ off: [LayerEvidence]) -> Bool {
    guard let last = off.last, last.id == layers.last?.id, last.mean.count >= 8 else {
      return false
    }
    let (middle, spread) = last.commonRatio
    let others = layers.dropLast().map(\.multiple).max() ?? 0
    return abs(middle) > max(0.15, 0.8 * spread) && last.multiple > 1.3 * others
      && (last.distanceAmongSamples ?? .infinity) < 0.5
  }

  // MARK: Findings

  private func reportForeign(_ off: [LayerEvidence], _ unrelated: [LayerEvidence]) {
    report(
      .foreign, off,
      evidence: unrelated.map { layer in
        "\(layer.name): over its \(layer.mean.count) channels the running means correlate with the "
          + "batch's by \(short(layer.meanCorrelation)), the variances by "
          + "\(short(layer.varianceCorrelation)); unrelated numbers reach "
          + "±\(short(layer.chanceOfCorrelation))"
      } + off.prefix(1).map(distance)
        + ["with data of another kind, channels usually still go along with each other"],
      alternatives: [
        .init(.stale, "the statistics may be of these weights, a long time ago"),
        .init(.exchanged, "or of the same network with its channels in another order"),
      ],
      decides: [
        "Do weights and running statistics come from one file?"
      ])
  }

  private func reportDomainShift(_ off: [LayerEvidence], isCertain: Bool) {
    guard let first = off.first else { return }
    if facts.data == .training && !isCertain { return reportOverwritten(off) }
    var evidence = off.map(distance) + likeness(first) + direction(first)
    if isCertain { evidence.append("the running statistics fit the data of the second capture") }
    let countsAgree = facts.batches.map { told in off.allSatisfy { $0.tracked == told } } ?? false
    if countsAgree {
      evidence.append("the layers followed as many batches as there were, so none came afterwards")
    }
    var alternatives: [DefectFinding.Alternative] = []
    if !isCertain {
      if !countsAgree {
        alternatives.append(
          .init(
            .overwritten,
            "the running statistics may be those of other data, which the network saw "
              + "in training mode after its training"))
      }
      alternatives.append(
        .init(
          .unrepresentative, "the running statistics may come from a part of the data of training"))
    }
    report(
      .domainShift, off,
      statement: isCertain
        ? "The batch is not like the data of training: the running statistics fit those, and not "
          + "these." : nil,
      evidence: evidence, alternatives: alternatives,
      decides: isCertain
        ? ["What is done to the inputs here and was not done in training?"]
        : [
          "Is this batch data of training, prepared as in training? Then it is the statistics.",
          "A capture of data of training decides it (--train).",
        ])
  }

  /// The first layer's input moved, and data of training are off as well.
  private func reportOverwritten(_ off: [LayerEvidence]) {
    guard let first = off.first else { return }
    report(
      .overwritten, off,
      evidence: off.map(distance)
        + [
          facts.data == .training
            ? "this batch is data of training, as was told"
            : "the second capture, of data of training, is off in these layers as well"
        ] + likeness(first) + direction(first),
      alternatives: [
        .init(.unrepresentative, "statistics of a part of the data of training"),
        .init(.stale, "weights that moved on after the statistics were taken"),
        .init(
          .domainShift, "what was told to be data of training may be prepared otherwise after all"),
      ],
      decides: ["What did the network see after its training while it was in training mode?"])
  }

  /// The mixture of the data is another one: statistics of some classes, or a batch of one.
  private func reportOtherKinds(_ off: [LayerEvidence]) {
    guard let last = off.last else { return }
    let (middle, spread) = last.commonRatio
    let evidence =
      off.map(distance) + [
        "\(last.name): the running standard deviations are \(short(exponential(middle))) times the "
          + "batch's in the middle of the channels"
      ]
    if middle > 0.3 && middle > 1.2 * spread && facts.isShuffled != true {
      report(
        .unrepresentative, off,
        statement: "This batch seems to be a part of the data only, such as one class: its samples "
          + "differ less in the last layers than those behind the running statistics. That is no "
          + "fault of the network.",
        evidence: evidence,
        alternatives: [
          .init(.domainShift, "data of another kind, which differ less from each other"),
          .init(.overwritten, "statistics of data that vary more than those of training"),
        ],
        decides: ["Is this batch shuffled, and of all classes? Capture one that is."],
        severity: .note,
        now: .init(
          "Capture a batch that is shuffled and has all classes.",
          pytorch: ["x = next(iter(DataLoader(data, batch_size=256, shuffle=True)))[0]"],
          norma: ["for batch in DataLoader(data, batchSize: 256, shuffle: true) { ... }"]))
      return
    }
    report(
      .unrepresentative, off, evidence: evidence + direction(layers[0]),
      alternatives: [
        .init(
          .domainShift, "this batch may be of other classes or of another mixture than training"),
        .init(.overwritten, "other data may have been seen in training mode after training"),
        .init(.stale, "weights that moved on after the statistics were taken"),
      ],
      decides: [
        "Is this batch shuffled, and of all classes?",
        "Were the statistics taken by one process of several, or from data in the order of classes?",
      ])
  }

  /// The weights are others than those that the statistics were taken with.
  func reportOldWeights(_ off: [LayerEvidence]) {
    var evidence = off.map(distance)
    let related = off.filter { !$0.isUnrelated && $0.mean.count >= 6 }
    if let middle = median(related.map(\.meanCorrelation)), middle > 0.5 {
      evidence.append(
        "running and batch means go along over the channels (correlation \(short(middle)) in the "
          + "middle of these layers), as with statistics of weights that are akin to these")
    }
    if let first = layers.first(where: { !isExplained($0) }), first.id != off[0].id {
      evidence.append(
        "the first layer fits (\(short(first.gap.squareRoot()))), so the inputs seem to")
    }
    if let first = layers.first, let changed = lostBias(first) {
      evidence.append(
        "\(changed.name) (\(changed.kind)) has no bias and no normalization right behind it, as after "
          + "a fusion with a batch norm whose shift was forgotten")
    }
    let changed = layers.first.flatMap(lostBias)
    report(
      .stale, off,
      statement: changed.map {
        "The running statistics are not those of these weights. A fusion in front of them, whose "
          + "shift \($0.name) lacks, would explain it."
      },
      evidence: evidence,
      alternatives: (changed == nil
        ? [] : [.init(.stale, "weights that moved on while the statistics stood still")])
        + [
          .init(.foreign, "statistics of another checkpoint of the same training"),
          .init(.unrepresentative, "statistics of a part of the data"),
          .init(.domainShift, "data that differ in what they show and not in how they are scaled"),
        ],
      decides: [
        changed == nil
          ? "Were weights averaged (SWA, EMA), or fine-tuned while these layers were in eval()? Was "
            + "a layer in front of these changed: a bias lost, two layers fused?"
          : "Was a batch norm folded into \(changed?.name ?? "a layer") without its bias?",
        "A capture of data of training tells data from weights (--train).",
      ],
      now: changed.map { changed in
        .init(
          "Give \(changed.name) the bias of the fusion; where it cannot be had any more, take the "
            + "running statistics behind it anew from data of training.",
          pytorch: [
            "torch.nn.utils.fuse_conv_bn_eval(conv, bn)  # on the network before the fusion",
            "torch.optim.swa_utils.update_bn(train_loader, model)  # else",
          ],
          norma: ["try recalibrate(network, over: trainingBatches)"])
      },
      next: changed.map { _ in
        .init("Fold a batch norm with a tool that makes a bias where there is none.")
      })
  }
}
