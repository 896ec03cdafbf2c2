extension Explanation {
  /// The gap and the steps that close it, or what can be said if no step is known.
  func ladderText(style: TextStyle) -> String {
    if nonFinite.isEmpty { return gap.map { gapText($0, style) } ?? "" }
    let words = nonFinite.map { style.paragraph($0.description, first: "- ", indent: 2) }
    return style.strong("Some values are NaN or infinite:") + "\n" + words.joined(separator: "\n")
      + (gap.map { "\n\n" + finiteText($0, style) } ?? "")
  }

  /// What can be said about the finite values.
  private func finiteText(_ gap: Explanation.Gap, _ style: TextStyle) -> String {
    if !steps.isEmpty { return stepsText(gap, style) }
    let size = gap.maximum == 0 ? "are equal" : "differ by at most \(number(gap.maximum))"
    let isRounding = unexplainedIsRounding && gap.maximum > 0
    return style.paragraph("All other values \(size)\(isRounding ? ", which is rounding" : "").")
  }

  private func gapText(_ gap: Explanation.Gap, _ style: TextStyle) -> String {
    if gap.maximum == 0 { return style.good("No gap: the results are equal.") }
    if agrees {
      return style.paragraph(
        "The results agree: they differ by at most \(number(gap.maximum)), which is rounding.")
    }
    return steps.isEmpty ? unknownText(gap, style) : stepsText(gap, style)
  }

  private func stepsText(_ gap: Explanation.Gap, _ style: TextStyle) -> String {
    var parts = [rung("Largest difference now", number(gap.maximum), "", style, indent: 0)]
    if style.drawsBars { parts.append(bars(gap, style)) }
    for (index, step) in steps.enumerated() {
      parts.append(text(of: step, number: index + 1, style))
    }
    if !unexplainedIsRounding && unexplained > 5e-5 { parts.append(restText(style)) }
    return parts.joined(separator: "\n")
  }

  /// The steps as bars on a logarithmic scale.
  private func bars(_ gap: Explanation.Gap, _ style: TextStyle) -> String {
    let rungs = steps.enumerated().map { index, step in
      BarChart.Bar("after \(index + 1)", step.gapAfter, words: left(after: index))
    }
    let now = BarChart.Bar("now", gap.maximum, words: number(gap.maximum))
    return style.bars([now] + rungs, isLogarithmic: true)
  }

  /// The gap that remains after a step, as text if it is just rounding.
  func left(after position: Int) -> String {
    position == steps.count - 1 && unexplainedIsRounding
      ? "rounding" : number(steps[position].gapAfter)
  }

  private func unknownText(_ gap: Explanation.Gap, _ style: TextStyle) -> String {
    let size = "at most \(number(gap.maximum)), \(number(gap.rootMeanSquare)) root mean square"
    return style.paragraph("The results differ: \(size).", emphasis: style.strong) + "\n"
      + style.paragraph(
        unexplainedIsRounding
          ? "No single mistake explains that."
          : "Norma knows no formula that gives the expected result for this input.")
  }

  /// What remains after all steps.
  private func restText(_ style: TextStyle) -> String {
    let share = percent(abs(unexplained)).drop { $0 == " " }
    return style.paragraph(
      "The remaining \(share) of the difference is unexplained.")
  }

  /// A step: what to do and what remains, the formulas, the code, and the reason.
  private func text(of step: LadderStep, number position: Int, _ style: TextStyle) -> String {
    let start = "\(position). "
    var lines = [
      rung(
        step.advice, "leaves \(left(after: position - 1))", start, style, indent: start.count,
        emphasis: style.strong)
    ]
    var rows = [("yours", step.yours), ("layer", step.layers)]
    if let code = step.code { rows += [("PyTorch", code.pytorch), ("Norma", code.norma)] }
    for (name, text) in rows { lines.append(row(name, text, style)) }
    lines.append(style.paragraph(step.reason, indent: 2))
    if step.gapAfter > step.gapBefore * 1.001 {
      lines.append(
        style.paragraph(
          "The difference grows for now: this mistake hid a part of the others.", indent: 2))
    }
    if !step.alternatives.isEmpty {
      let others = step.alternatives.map(\.title).joined(separator: "; ")
      lines.append(style.paragraph("These data cannot distinguish it from: \(others).", indent: 2))
    }
    return lines.joined(separator: "\n")
  }

  /// A name and lines of text or code next to it.
  private func row(_ name: String, _ text: String, _ style: TextStyle) -> String {
    let column = 10
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    return lines.enumerated().map { index, line in
      let label = "  " + (index == 0 ? name : "")
      let first = label + String(repeating: " ", count: max(column - label.count, 1))
      let isSwift = name == "Norma"
      let words =
        isSwift || name == "PyTorch"
        ? style.code(String(line), first: first, indent: column + 2, isSwift: isSwift)
        : line.isStatement
          ? style.statements(String(line), first: first, indent: column)
          : style.paragraph(String(line), first: first, indent: column + 2)
      return style.faint(first) + words.dropFirst(first.count)
    }.joined(separator: "\n")
  }

  /// Text on the left, and a number at the right edge of the last line.
  func rung(
    _ words: String, _ figure: String, _ first: String, _ style: TextStyle, indent: Int,
    emphasis: (String) -> String = { $0 }
  ) -> String {
    let plain = style.isColoured ? TextStyle(width: style.width) : style
    var lines = plain.paragraph(words, first: first, indent: indent)
      .split(separator: "\n").map(String.init)
    let last = lines.removeLast()
    // The visible part of a line that may contain escape sequences.
    let seen = last.replacing("\u{1B}[1m", with: "").replacing("\u{1B}[0m", with: "").count
    let space = style.width - seen - figure.count
    let margin = String(repeating: " ", count: max(style.width - figure.count, 0))
    let tail =
      space >= 2
      ? emphasis(last) + String(repeating: " ", count: space) + style.named(figure)
      : emphasis(last) + "\n" + margin + style.named(figure)
    return (lines.map(emphasis) + [tail]).joined(separator: "\n")
  }

  /// The identifiers of the causes, how the gap is divided among them, and how they interact.
  func detailsText(style: TextStyle) -> String {
    guard gap != nil, !agrees, gap?.maximum != 0 else { return "" }
    let parts = causes.map { ShareWords.Part($0.name.rawValue, $0.share, alone: $0.gapAlone) }
    var rows = [["share", "cause", "left without it", "left with it alone"]]
    for cause in causes {
      let names = [cause.name] + cause.alternatives
      rows.append([
        percent(cause.share), names.map(\.rawValue).joined(separator: ", or "),
        number(cause.gapWhenFixed), number(cause.gapAlone),
      ])
    }
    if ShareWords.isMisleading(parts) {
      return style.strong("How the difference is split") + "\n"
        + style.paragraph(ShareWords.hidden(parts, together: gap?.maximum ?? 0), indent: 2) + "\n"
        + style.table(rows.map { Array($0.dropFirst()) })
    }
    rows.append([
      percent(unexplained), unexplainedIsRounding ? "rounding, not explained" : "not explained",
    ])
    return style.strong("How the difference is split (Shapley values; they add up to 100 %)")
      + "\n" + style.table(rows, leading: [1])
  }
}

extension StringProtocol {
  /// Whether the text is code that assigns a value, `var = x.var(0)`, rather than words.
  var isStatement: Bool {
    guard let end = range(of: " = ")?.lowerBound else { return false }
    return self[..<end].allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }
}
