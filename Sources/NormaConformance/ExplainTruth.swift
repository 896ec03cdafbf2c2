import NormaFiles

/// The known causes of a gap, and the criteria for finding them.
///
/// The first cause found must be the first known one, every known cause with more than a tenth of
/// the gap must be found, and no other cause with more than a tenth. If all causes are found by
/// name, each must have its share of the gap. For a control, no cause may be found.
struct ExplainTruth {
  /// The causes, most important first; none for a control.
  let causes: [String]
  /// For a cause, or `none`, equally good names.
  let accepted: [String: [String]]
  /// Suggestive causes that have no effect.
  let decoys: Set<String>
  /// Whether the first two causes differ clearly in size.
  let isOrderStrict: Bool
  /// The causes whose fair share is more than a tenth of the gap.
  let important: [String]
  /// The fair share of each cause, if the case has it.
  let shares: [String: Double]

  /// A found cause with at most this share is not a wrong answer.
  static let smallShare = 0.1
  /// The same for a decoy.
  static let smallDecoyShare = 0.01
  /// The tolerance for shares of the explained gap, including rounding.
  static let shareTolerance = 0.15

  init(_ json: JSON) {
    func strings(_ value: JSON?) -> [String] {
      (value?.arrayValue ?? []).compactMap(\.stringValue)
    }
    let causes = strings(json["causes"])
    self.causes = causes
    var accepted: [String: [String]] = [:]
    for (cause, names) in json["accept"]?.objectValue ?? [] { accepted[cause] = strings(names) }
    self.accepted = accepted
    decoys = Set(strings(json["decoys"]))
    isOrderStrict = json["order_strict"]?.boolValue ?? true
    if let gap = json["gap"]?.doubleValue, let shares = json["shapley"] {
      important = causes.filter { abs(shares[$0]?.doubleValue ?? gap) > 0.1 * gap }
      self.shares = (shares.objectValue ?? []).reduce(into: [:]) {
        $0[$1.key] = $1.value.doubleValue.map { $0 / gap }
      }
    } else {
      important = causes
      shares = [:]
    }
  }

  /// The accepted names of a cause, or of `none`.
  private func names(of cause: String) -> Set<String> {
    Set([cause] + accepted[cause, default: []])
  }

  /// What is wrong with the causes that were found, or nil.
  ///
  /// - Parameters:
  ///   - found: Names and shares, most important first.
  ///   - leavesRounding: Whether the remainder of the gap is rounding.
  func complaint(about found: [(name: String, share: Double)], leavesRounding: Bool) -> String? {
    guard let wrong = mistake(in: found, leavesRounding: leavesRounding) else { return nil }
    var shares = found.map { "\($0.name) \(($0.share * 1e4).rounded() / 1e4)" }
    if !leavesRounding { shares.append("unexplained") }
    return "\(wrong): found \(shares), known are \(causes)"
  }

  private func mistake(in found: [(name: String, share: Double)], leavesRounding: Bool) -> String? {
    if causes.isEmpty {
      guard leavesRounding else { return "no rounding" }
      return found.allSatisfy { names(of: "none").contains($0.name) } ? nil : "false blame"
    }
    // If there is no known formula, saying so is right.
    let unknown = causes == ["other"] ? "other" : "unknown"
    let labels = found.isEmpty ? [leavesRounding ? "none" : unknown] : found.map(\.name)
    let mayComeFirst = causes.prefix(isOrderStrict ? 1 : 2).reduce(into: Set<String>()) {
      $0.formUnion(names(of: $1))
    }
    guard let first = labels.first, mayComeFirst.contains(first) else { return "wrong first cause" }
    if let missing = important.first(where: { names(of: $0).isDisjoint(with: labels) }) {
      return "\(missing) is missing"
    }
    let right = causes.reduce(into: Set<String>()) { $0.formUnion(names(of: $1)) }
    let wrong = found.first { cause in
      let most = decoys.contains(cause.name) ? Self.smallDecoyShare : Self.smallShare
      return !right.contains(cause.name) && !(abs(cause.share) <= most)
    }
    if let wrong { return "\(wrong.name) is no cause" }
    guard found.count > 1, Set(found.map(\.name)) == Set(shares.keys) else { return nil }
    // Without the share of rounding.
    let whole = found.reduce(0) { $0 + $1.share }
    let off = found.first {
      !(abs($0.share / whole - shares[$0.name, default: 0]) <= Self.shareTolerance)
    }
    return off.map { "\($0.name) carries \(((shares[$0.name] ?? 0) * 1e4).rounded() / 1e4)" }
  }
}
