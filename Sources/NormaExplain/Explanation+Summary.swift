extension Explanation {
  /// A few lines on an attempt: the gap, and each cause in a sentence.
  package func summary(of attempt: Attempt, number position: Int, style: TextStyle) -> String {
    let size = number(gap?.maximum ?? 0)
    var lines = [
      style.paragraph(attempt.name, first: "\(position)  ", indent: 3, emphasis: style.strong),
      style.paragraph(attempt.code, first: "   ", indent: 5, emphasis: style.faint),
      "   gap \(style.strong(size))",
    ]
    let width = (causes.map(\.name.rawValue.count) + [0]).max() ?? 0
    for cause in causes {
      let name = cause.name.rawValue
      let fill = String(repeating: " ", count: width - name.count)
      let first = "   \(percent(cause.share))  \(name)\(fill)  "
      let words = "you: \(cause.yours); layer: \(cause.layers). \(cause.reason)"
      // Wrapped by what is seen, then coloured.
      let text = style.paragraph(words, first: first, indent: first.count)
      let start = "   \(percent(cause.share))  \(style.named(name))\(fill)  "
      lines.append(start + text.dropFirst(first.count))
    }
    let rest = unexplainedIsRounding ? "unexplained (rounding)" : "unexplained"
    lines.append("   \(percent(unexplained))  \(rest)")
    for note in notes { lines.append(style.paragraph(note, first: "   Note: ", indent: 9)) }
    return lines.joined(separator: "\n")
  }
}
