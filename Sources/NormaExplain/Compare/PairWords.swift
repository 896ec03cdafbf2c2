/// Causes of a difference between two captured layers, as text and code.
struct PairWords {
  let first: CapturedLayer
  let second: CapturedLayer
  let differences: [StateDifference]

  /// The names of an option in the capture.
  private static let names: [NormOption: [String]] = [
    .eps: ["eps"], .weight: ["weight"], .bias: ["bias"],
    .runningStatistics: ["running_mean", "running_var"],
    .axes: ["kind", "normalized_shape", "num_groups"],
  ]

  /// Whether a parameter or a buffer differs by more than the rounding of its type; always true for
  /// other options.
  func isBeyondRounding(_ option: NormOption) -> Bool {
    switch option {
    case .weight, .bias, .runningStatistics:
      differences.contains { Self.names[option]?.contains($0.name) ?? false }
    default: true
    }
  }

  func cause(_ difference: OptionDifference, _ share: QuantityComparison.Share) -> PairCause {
    let option = difference.option
    let states = differences.filter { Self.names[option]?.contains($0.name) ?? false }
    var (mine, theirs) = (difference.first, difference.second)
    if option == .runningStatistics, !states.isEmpty {
      mine = states.map { "\($0.name) \($0.first)" }.joined(separator: ", ")
      theirs = states.map { "\($0.name) \($0.second)" }.joined(separator: ", ")
    }
    let reason = states.filter { !$0.relation.isEmpty }
      .map { "The second's \($0.name) is \($0.relation)." }.joined(separator: " ")
    return PairCause(
      name: option.rawValue, share: share.share, differenceAlone: share.differenceAlone,
      first: mine, second: theirs, reason: reason,
      pytorch: code(option, states.map(\.name)))
  }

  func cause(_ cause: Explanation.Cause, isFirstOff: Bool) -> PairCause {
    PairCause(
      name: cause.name.rawValue, share: cause.share, differenceAlone: cause.gapAlone,
      first: isFirstOff ? cause.yours : cause.layers,
      second: isFirstOff ? cause.layers : cause.yours, reason: "", pytorch: [])
  }

  private func code(_ option: NormOption, _ names: [String]) -> [String] {
    switch option {
    case .eps:
      let module = second.name.isEmpty ? "model" : "model.get_submodule(\"\(second.name)\")"
      return first.epsilon.map { ["\(module).eps = \($0)"] } ?? []
    case .weight, .bias, .runningStatistics:
      return names.map { name in
        let keys = [second, first].map { $0.name.isEmpty ? name : "\($0.name).\(name)" }
        return "second[\"\(keys[0])\"] = first[\"\(keys[1])\"]"
      }
    default: return []
    }
  }
}
