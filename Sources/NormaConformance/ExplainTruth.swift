import NormaFiles

/// The known causes of a gap, and what counts as finding them.
///
/// The first cause that is found must be the first one known, every known cause with more than a tenth
/// of the gap must be among them, and none with more than a tenth may be found beside the known ones.
/// Where all causes are found by their names, each must carry its part of the gap. A control must come
/// back without a cause.
struct ExplainTruth {
  /// The causes, the most important first. None for a control.
  let causes: [String]
  /// For a cause, or `none`, the names that are as good.
  let accepted: [String: [String]]
  /// Causes that suggest themselves and have no influence.
  let decoys: Set<String>
  /// Whether the first two causes differ clearly in size.
  let isOrderStrict: Bool
  /// The causes that carry more than a tenth of the gap, fairly split.
  let important: [String]
  /// The part of the gap that each cause carries, fairly split, where the case tells.
  let shares: [String: Double]

  /// A found cause with no more than this share is no wrong answer.
  static let smallShare = 0.1
  /// The same for one that the case is there to warn of.
  static let smallDecoyShare = 0.01
  /// How far a share of what is explained may be from the known one, measured with rounding.
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

  /// The names by which a cause, or `none`, may be called.
  private func names(of cause: String) -> Set<String> {
    Set([cause] + accepted[cause, default: []])
  }

  /// What is wrong with the causes that were found, or nil.
  ///
  /// - Parameters:
  ///   - found: Names and shares, the most important first.
  ///   - leavesRounding: Whether what they leave of the gap is rounding.
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
    // To say that no known formula fits is right where there is none.
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
    // Without what rounding makes of the gap.
    let whole = found.reduce(0) { $0 + $1.share }
    let off = found.first {
      !(abs($0.share / whole - shares[$0.name, default: 0]) <= Self.shareTolerance)
    }
    return off.map { "\($0.name) carries \(((shares[$0.name] ?? 0) * 1e4).rounded() / 1e4)" }
  }
}
