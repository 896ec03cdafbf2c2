/// What finite running statistics show about their origin.
extension CheckpointSearch {
  mutating func findFirstValues() {
    let fresh = normalized.filter { $0.isInitial && !explained.contains($0.name) }
    let isWrong = fresh.contains { $0.isTrained != false || ($0.tracked ?? 1) == 0 }
    if fresh.isEmpty || !isWrong { return }
    explained.formUnion(fresh.map(\.name))
    let isNew =
      fresh.count == normalized.count
      && fresh.allSatisfy { $0.isTrained == false && ($0.tracked ?? 0) == 0 }
    var alternatives = [
      "the buffers were not in the file that was loaded, and load_state_dict(strict=False) ignored "
        + "it",
      "the layers were in evaluation mode, or frozen, throughout training",
    ]
    if fresh.contains(where: { $0.isTrained == true }) {
      alternatives.append(
        "a conversion folded the statistics into weight and bias; then nothing is wrong")
    }
    if isNew { alternatives = ["this is a checkpoint from before the first training step"] }
    findings.append(
      CheckpointFinding(
        severity: .error, name: Defect.neverTrained.rawValue, layers: fresh.map(\.name),
        statement: isNew
          ? "All layers have their initial values: they show no training."
          : "The running statistics still have their initial values, 0 and 1, so evaluation does "
            + "not normalize at all.",
        evidence: fresh.map { layer in
          let count = layer.tracked.map { "\($0) batches tracked" } ?? "batches not counted"
          let trained =
            switch layer.isTrained {
            case true?: "weight or bias is trained"
            case false?: "weight and bias are still 1 and 0"
            case nil: "there is no weight"
            }
          return "\(layer.title): all \(layer.channels) means are 0 and variances 1; \(count); "
            + trained
        },
        alternatives: alternatives, repair: Defect.neverTrained.now))
  }

  /// Layers whose statistics are equal to another layer's, bit for bit.
  mutating func findCopies() {
    var first: [[Double]: StoredLayer] = [:]
    var copies: [(StoredLayer, StoredLayer)] = []
    for layer in normalized where layer.channels > 1 && !explained.contains(layer.name) {
      guard let mean = layer.mean, let variance = layer.variance, !layer.isInitial else { continue }
      let key = mean + variance
      if let other = first[key] {
        // A shared layer is stored twice with all its tensors.
        if other.weight != layer.weight || other.bias != layer.bias {
          copies.append((other, layer))
        }
      } else {
        first[key] = layer
      }
    }
    if copies.isEmpty { return }
    findings.append(
      CheckpointFinding(
        severity: .error, name: "copied-statistics", layers: copies.flatMap { [$0.name, $1.name] },
        statement:
          "Two layers with different weights hold the same running statistics, bit for bit: one "
          + "has those of the other.",
        evidence: copies.map {
          "\($0.title) and \($1.title): all \($0.channels) channels are equal"
        },
        repair: Defect.exchanged.now))
  }

  /// PyTorch's default momentum.
  private static let momentum = 0.1

  mutating func findFewBatches() {
    let few = normalized.filter { layer in
      guard let tracked = layer.tracked, tracked > 0, tracked < 44, !explained.contains(layer.name)
      else { return false }
      // At least what remains of the initial variance, 1; a smaller value indicates another
      // momentum.
      return (layer.variance ?? []).allSatisfy { $0 >= 0.999 * Self.left(tracked) }
    }
    if few.isEmpty { return }
    explained.formUnion(few.map(\.name))
    findings.append(
      CheckpointFinding(
        severity: .warning, name: Defect.notConverged.rawValue, layers: few.map(\.name),
        statement:
          "The running statistics followed only a few batches. With PyTorch's momentum of 0.1 "
          + "the initial values are still in them.",
        evidence: few.map { layer in
          let tracked = layer.tracked ?? 0
          return "\(layer.title): \(tracked) \(tracked == 1 ? "batch" : "batches"), which leave "
            + "\(short(100 * Self.left(tracked))) % of the initial values; the smallest variance "
            + "is \(short(layer.variance?.min() ?? 0))"
        },
        alternatives: [
          "the layers have momentum=None, the plain mean over all batches, which leaves nothing of "
            + "them"
        ],
        repair: Defect.notConverged.now))
  }

  /// The share of the initial value after this many batches.
  private static func left(_ batches: Int) -> Double {
    (0..<batches).reduce(1.0) { share, _ in share * (1 - momentum) }
  }

  /// Layers that followed fewer batches than later ones.
  mutating func findUnevenCounts() {
    let counted = normalized.filter { $0.tracked != nil }
    guard let most = counted.compactMap(\.tracked).max(), most > 0 else { return }
    let behind = counted.filter { layer in
      let count = layer.tracked ?? 0
      return count > 0 && Double(count) < 0.95 * Double(most) && !explained.contains(layer.name)
    }
    if behind.isEmpty { return }
    // A new head on a trained network has counted fewer batches; a layer with later siblings that
    // counted all is not a head. The order in a file means nothing, as safetensors sorts names.
    let full = counted.filter { $0.tracked == most }.map { NumberedName($0.name) }
    let isInside = behind.contains { layer in
      let name = NumberedName(layer.name)
      return full.contains { $0.words == name.words && name.isBefore($0) }
    }
    findings.append(
      CheckpointFinding(
        severity: isInside ? .warning : .note, name: Defect.stale.rawValue,
        layers: behind.map(\.name),
        statement: "Some layers followed fewer batches than others of the same network.",
        evidence: behind.map {
          "\($0.title): \($0.tracked ?? 0) of \(most) batches"
        },
        alternatives: [
          "they were frozen for some time, so their statistics are those of older weights",
          "they are newer than the rest, such as a new head; then nothing is wrong",
          "the others are called several times per step, as shared layers are; then nothing is "
            + "wrong",
        ],
        repair: Defect.stale.now))
  }
}
