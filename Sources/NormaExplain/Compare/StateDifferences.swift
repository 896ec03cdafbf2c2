import NormaTensor

/// The options, parameters and buffers that differ between two captured layers.
struct StateDifferences {
  let first: CapturedLayer
  let second: CapturedLayer
  /// All layers of the first capture, as a buffer may be another layer's.
  let others: [CapturedLayer]

  /// A parameter or a buffer: its name, and its value if none was given.
  typealias Role = (
    name: String, path: @Sendable (CapturedLayer) -> Tensor?, neutral: Double?
  )

  static let tensors: [Role] = [
    ("weight", { $0.weight }, 1), ("bias", { $0.bias }, 0),
    ("running_mean", { $0.runningMean }, nil), ("running_var", { $0.runningVariance }, nil),
  ]

  /// Options that do not affect results in evaluation, by kind.
  private static let quiet: Set<String> = [
    "momentum", "track_running_stats", "affine", "elementwise_affine", "num_batches_tracked",
    "bias", "device", "dtype",
  ]

  func all() -> [StateDifference] {
    var found: [StateDifference] = []
    if first.family != second.family {
      let names = [first, second].map { $0.kind == "custom" ? $0.className : $0.kind }
      found.append(difference("kind", names[0], names[1], moves: true))
    }
    found += options()
    for (name, path, neutral) in Self.tensors {
      if let next = tensor(name, path, neutral) { found.append(next) }
    }
    return found
  }

  private func difference(
    _ name: String, _ a: String, _ b: String, _ relation: String = "", moves: Bool
  ) -> StateDifference {
    StateDifference(name: name, first: a, second: b, relation: relation, movesResults: moves)
  }

  // MARK: Options

  private func options() -> [StateDifference] {
    var found: [StateDifference] = []
    if let a = first.epsilon, let b = second.epsilon, abs(a - b) > 1e-6 * max(a, b) {
      found.append(difference("eps", "\(a)", "\(b)", moves: true))
    }
    if let a = first.options.momentum, let b = second.options.momentum, a != b {
      let relation = a.share.flatMap { own in
        b.share.map { abs(own + $0 - 1) < 1e-9 ? "1 minus the first" : "" }
      }
      let text = [a, b].map { $0.share.map { "\($0)" } ?? "none: the mean of all batches" }
      found.append(difference("momentum", text[0], text[1], relation ?? "", moves: false))
    }
    if let a = first.options.groups, let b = second.options.groups, a != b {
      found.append(difference("num_groups", "\(a)", "\(b)", moves: true))
    }
    if let a = first.options.normalizedShape, let b = second.options.normalizedShape, a != b {
      found.append(difference("normalized_shape", "\(a)", "\(b)", moves: true))
    }
    let typed: Set<String> = [
      "eps", "momentum", "num_groups", "normalized_shape", "num_features", "num_channels",
    ]
    let (mine, theirs) = (first.options.texts, second.options.texts)
    for (key, a) in mine.sorted(by: { $0.key < $1.key }) where !typed.contains(key) {
      guard let b = theirs[key], a != b else { continue }
      if let x = Double(a), let y = Double(b), abs(x - y) <= 1e-6 * max(abs(x), abs(y)) { continue }
      found.append(difference(key, a, b, moves: !Self.quiet.contains(key)))
    }
    return found
  }

  // MARK: Parameters and buffers

  private func tensor(
    _ name: String, _ path: (CapturedLayer) -> Tensor?, _ neutral: Double?
  ) -> StateDifference? {
    let (a, b) = (path(first), path(second))
    guard let a, let b else {
      guard let only = a ?? b else { return nil }
      let values = only.array(of: Double.self)
      if let neutral, values.allSatisfy({ $0 == neutral }) { return nil }
      let words = Self.words(values)
      return difference(
        name, a == nil ? "none" : words, b == nil ? "none" : words, moves: true)
    }
    let (mine, theirs) = (a.array(of: Double.self), b.array(of: Double.self))
    let unit = max(unitRoundoff(a.dtype), unitRoundoff(b.dtype))
    if TensorRelation.agree(mine, theirs, unit: unit) { return nil }
    if mine.count != theirs.count {
      return difference(name, "shape \(a.shape)", "shape \(b.shape)", moves: true)
    }
    return difference(
      name, Self.words(mine), Self.words(theirs),
      relation(name, path, mine, theirs, a.shape, unit), moves: true)
  }

  private func relation(
    _ name: String, _ path: (CapturedLayer) -> Tensor?, _ mine: [Double], _ theirs: [Double],
    _ shape: [Int], _ unit: Double
  ) -> String {
    let isConstant = !theirs.contains { $0 != theirs.first }
    if !isConstant {
      for other in others where other.name != first.name {
        guard let values = path(other), values.count == theirs.count else { continue }
        if TensorRelation.agree(values.array(of: Double.self), theirs, unit: unit) {
          return "that of \(other.title) in the first"
        }
      }
      for (role, path, _) in Self.tensors where role != name {
        guard let values = path(first), values.count == theirs.count else { continue }
        if TensorRelation.agree(values.array(of: Double.self), theirs, unit: unit) {
          return "the first's \(role)"
        }
      }
    }
    let known = TensorRelation(
      mine, theirs, shape: shape, unit: unit, eps: first.epsilon ?? 1e-5
    ).words
    if !known.isEmpty { return known }
    let off = mine.indices.filter { i in
      !TensorRelation.agree([mine[i]], [theirs[i]], unit: unit)
    }
    if off.count == mine.count { return "" }
    let shown = off.prefix(8).map(String.init).joined(separator: ", ")
    return "\(off.count) of \(mine.count) differ: \(shown)\(off.count > 8 ? ", ..." : "")"
  }

  /// The range of values: `0.5 ... 2`.
  static func words(_ values: [Double]) -> String {
    if let strange = values.first(where: { !$0.isFinite }) {
      return "\(values.filter { !$0.isFinite }.count) of \(values.count) not finite (\(strange))"
    }
    guard let low = values.min(), let high = values.max() else { return "empty" }
    return low == high ? short(low) : "\(short(low)) ... \(short(high))"
  }
}

extension CapturedLayer {
  /// Epsilon, also under the names in custom classes.
  var epsilon: Double? {
    if let known = options.epsilon { return known }
    for key in ["variance_epsilon", "epsilon", "layer_norm_eps", "rms_norm_eps"] {
      if let value = options.texts[key].flatMap(Double.init) { return value }
    }
    return nil
  }
}
