/// Matched layers that differ by themselves in the same way.
struct PairGroup {
  private(set) var pairs: [CapturedPair]

  /// The groups of a comparison, in the order of the calls. The group of the verdict's layer comes
  /// first if the verdict is about the layer itself.
  static func all(of comparison: CaptureComparison) -> [PairGroup] {
    var groups: [PairGroup] = []
    var places: [String: Int] = [:]
    func add(_ pair: CapturedPair) {
      guard pair.behaviour == .different || !pair.differences.isEmpty else { return }
      if let place = places[pair.likeness] {
        groups[place].pairs.append(pair)
      } else {
        places[pair.likeness] = groups.count
        groups.append(PairGroup(pairs: [pair]))
      }
    }
    let origin = comparison.tellsOfOrigin ? comparison.origin : nil
    if let origin { add(comparison.layers[origin]) }
    for (index, pair) in comparison.layers.enumerated() where index != origin { add(pair) }
    return groups
  }

  /// The names of some of its layers: `bn1, bn2, ...`
  static func names(_ pairs: ArraySlice<CapturedPair>) -> String {
    let shown = pairs.prefix(8).map(\.title).joined(separator: ", ")
    return shown + (pairs.count > 8 ? ", ..." : "")
  }

  /// How they differ, as a clause.
  var manner: String {
    switch pairs.first?.behaviour {
    case .different: "by \(pairs.count > 1 ? "themselves" : "itself"), whatever the inputs"
    case .same: "though the outputs of equal inputs agree"
    default: "and what they compute from equal inputs is unknown"
    }
  }
}

extension CaptureComparison {
  /// Whether the verdict is about the layer itself rather than its inputs.
  var tellsOfOrigin: Bool { verdict == .layer || verdict == .state }
}

extension CapturedPair {
  /// What layers that differ in the same way have in common, without the lines of code.
  fileprivate var likeness: String {
    let reasons = causes.map { "\($0.name) \(percent($0.share)) \($0.first) \($0.second)" }
    return ([behaviour.rawValue] + reasons + differences.map(\.words)).joined(separator: "\n")
  }
}
