/// Values that cannot come from training.
extension CheckpointSearch {
  /// The largest finite float16.
  static let largestHalf = 65_504.0

  mutating func findMismatches() {
    let wrong = layers.filter { Set($0.numbers.values.map(\.values.count)).count > 1 }
    if wrong.isEmpty { return }
    findings.append(
      CheckpointFinding(
        severity: .error, name: "mismatched-shapes", layers: wrong.map(\.name),
        statement: "The tensors of a layer have different lengths, so no layer can hold them.",
        evidence: wrong.map { layer in
          let lengths = StoredLayer.Role.allCases.compactMap { role in
            layer.numbers[role].map { "\(Self.word(role)) \($0.values.count)" }
          }
          return "\(layer.title): " + lengths.joined(separator: ", ")
        }))
  }

  private static func word(_ role: StoredLayer.Role) -> String {
    switch role {
    case .mean: "running_mean"
    case .variance: "running_var"
    case .weight: "weight"
    case .bias: "bias"
    }
  }

  mutating func findNonFinite() {
    for role in StoredLayer.Role.allCases {
      let found = channels(of: layers, role) { !$0.isFinite }
      if found.isEmpty { continue }
      let isStatistic = role == .mean || role == .variance
      let overflowed = found.filter { hasOverflowed($0.layer, role) }
      var finding = CheckpointFinding(
        severity: .error, name: isStatistic ? Defect.nonFinite.rawValue : "non-finite-parameters",
        layers: found.map(\.layer.name), channels: named(found),
        statement: "\(Self.word(role)) holds NaN or infinity.",
        evidence: found.map { layer, channels in
          let values = layer.numbers[role]?.values ?? []
          let value = values[channels[0]].isNaN ? "NaN" : "\(values[channels[0]])"
          return "\(layer.title): \(value) in \(listed(channels)) of \(values.count)"
        })
      if role == .variance,
        found.contains(where: { $0.layer.variance?.contains(.infinity) ?? false })
      {
        finding.evidence.append(
          "divided by an infinite standard deviation, a channel gives its bias for any input")
      }
      for (layer, _) in overflowed {
        let type = layer.numbers[role]?.dtype == .float16
        finding.evidence.append(
          type
            ? "\(layer.title) is stored in float16, which ends at 65504"
            : "all finite numbers of \(layer.title).\(Self.word(role)) are exact in float16, which "
              + "ends at 65504, as if they had been float16 once")
      }
      finding.alternatives =
        overflowed.count == found.count
        ? []
        : [
          "a value that overflowed while the tensors were float16",
          "a training step or batch with NaN or infinity in it",
        ]
      finding.repair =
        isStatistic
        ? Defect.nonFinite.now
        : .init("Use an older checkpoint: these numbers are lost.")
      findings.append(finding)
      if isStatistic { explained.formUnion(finding.layers) }
    }
  }

  /// Whether an infinite value may be a large one that overflowed in float16.
  private func hasOverflowed(_ layer: StoredLayer, _ role: StoredLayer.Role) -> Bool {
    guard let numbers = layer.numbers[role] else { return false }
    return numbers.values.contains { $0.isInfinite }
      && !numbers.values.contains { $0.isNaN }
      && (numbers.dtype == .float16 || numbers.areOfHalf)
  }

  mutating func findNegative() {
    let found = channels(of: layers, .variance) { $0 < 0 && $0.isFinite }
    if found.isEmpty { return }
    findings.append(
      CheckpointFinding(
        severity: .error, name: Defect.negativeVariance.rawValue, layers: found.map(\.layer.name),
        channels: named(found), statement: Defect.negativeVariance.statement,
        evidence: found.map { layer, channels in
          let smallest = (layer.variance ?? []).min() ?? 0
          return "\(layer.title): variance down to \(short(smallest)), in \(listed(channels)) "
            + "of \(layer.channels)"
        },
        alternatives: [
          "averaged, extrapolated or subtracted checkpoints",
          "mean and variance exchanged in a conversion",
        ], repair: Defect.negativeVariance.now))
    explained.formUnion(found.map(\.layer.name))
  }

  /// Statistics in float16 that are close to its limit.
  mutating func findHalfRange() {
    for role in [StoredLayer.Role.mean, .variance] {
      let stored = layers.filter { $0.numbers[role]?.dtype == .float16 }
      let found = channels(of: stored, role) { $0.isFinite && abs($0) > Self.largestHalf / 2 }
      if found.isEmpty { continue }
      findings.append(
        CheckpointFinding(
          severity: .warning, name: "half-precision-range", layers: found.map(\.layer.name),
          channels: named(found),
          statement:
            "\(Self.word(role)) is stored in float16 and is close to its limit: twice as much "
            + "is infinite.",
          evidence: found.map { layer, channels in
            let largest = channels.compactMap { layer.numbers[role]?.values[$0] }.map(abs).max()
            return "\(layer.title): up to \(short(largest ?? 0)) in \(listed(channels)); float16 "
              + "ends at 65504"
          },
          repair: Defect.nonFinite.next))
    }
  }

  /// Channels that give the same value for every input.
  mutating func findDead() {
    var found: [(layer: StoredLayer, channels: [Int])] = []
    for layer in layers {
      let dead = layer.deadChannels
      if !dead.isEmpty { found.append((layer, dead)) }
    }
    if found.isEmpty { return }
    findings.append(
      CheckpointFinding(
        severity: .warning, name: Defect.deadChannels.rawValue, layers: found.map(\.layer.name),
        channels: named(found),
        statement:
          "Some channels give nearly the same value for any input: their weight is about 0, "
          + "or their input hardly varied in training.",
        evidence: found.map(deadEvidence), alternatives: [], repair: Defect.deadChannels.now))
  }

  private func deadEvidence(_ layer: StoredLayer, _ dead: [Int]) -> String {
    let channel = dead[0]
    var facts: [String] = []
    if let weight = layer.weight { facts.append("weight \(short(weight[channel]))") }
    if let variance = layer.variance { facts.append("variance \(short(variance[channel]))") }
    let rest = dead.count > 1 ? "; \(listed(dead)) of \(layer.channels)" : ""
    return "\(layer.title): \(facts.joined(separator: " and ")) in channel \(channel)\(rest)"
  }
}
