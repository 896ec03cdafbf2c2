extension Explanation {
  /// An attempt in two lines: its gap, and what remains of it after each repair.
  ///
  /// - Parameter details: Whether to add the attempt's code and the shares of the causes.
  package func summary(
    of attempt: Attempt, number position: Int, style: TextStyle, details: Bool = false
  ) -> String {
    let gap = number(gap?.maximum ?? 0)
    var lines = [
      rung(attempt.name, gap, "\(position) ", style, indent: 2, emphasis: style.strong)
    ]
    if details { lines.append(style.code(attempt.code, first: "  ", indent: 4)) }
    let repairs = steps.enumerated().map { index, step in
      "\(step.cause.repair): \(left(after: index))"
    }
    lines.append(style.paragraph(repairs.joined(separator: ", "), first: "    ", indent: 6))
    if details {
      let rows = causes.map { [percent($0.share), $0.name.rawValue] }
      let rest = [percent(unexplained), unexplainedIsRounding ? "rounding" : "not explained"]
      lines.append(style.table(rows + [rest], leading: [1]))
      lines += notes.map { style.paragraph($0, first: "    ", indent: 4) }
    }
    return lines.joined(separator: "\n")
  }
}

extension CauseName {
  /// How to fix the mistake, in two or three words for a list.
  fileprivate var repair: String {
    switch self {
    case .correction: "divide by n"
    case .epsilonValue: "epsilon once"
    case .perAxisComposition: "one variance"
    default: "repair \(title)"
    }
  }
}
