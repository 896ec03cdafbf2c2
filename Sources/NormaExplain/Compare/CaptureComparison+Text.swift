extension CaptureComparison: CustomStringConvertible {
  /// The comparison as text, for 80 columns and without colors.
  public var description: String { text(style: TextStyle()) }

  /// The comparison as text: where the captures diverge, why, and a table of the layers.
  ///
  /// - Parameter showsAll: whether to list all layers without a difference in the table.
  package func text(style: TextStyle, showsAll: Bool = false) -> String {
    var parts = [style.strong(style.paragraph(heading))]
    let verdict = style.paragraph(verdictText)
    parts.append(isSame ? style.good(verdict) : style.strong(verdict))
    if let originLayer { parts.append(contentsOf: account(of: originLayer, style)) }
    parts += others(style)
    for note in notes { parts.append(style.paragraph(note, first: "Note: ", indent: 6)) }
    if let bars = bars(style) { parts.append(bars) }
    if !layers.isEmpty { parts.append(table(style, showsAll)) }
    return parts.joined(separator: "\n\n")
  }

  /// What was compared, and how layers were matched.
  var heading: String {
    let count = layers.count == 1 ? "1 layer" : "\(layers.count) layers"
    return "\(first) and \(second): \(count) matched \(matching.words)"
  }

  /// The verdict, in a sentence or two.
  var verdictText: String {
    let name = originLayer?.title ?? ""
    switch verdict {
    case .same: return "They do the same, up to rounding."
    case .layer:
      let grown = "its inputs differ by accumulated rounding, its outputs by more."
      return originLayer?.input?.agrees == false
        ? "They diverge in \(name): \(grown)"
        : "They diverge in \(name): its inputs agree, its outputs do not."
    case .between:
      guard let origin, origin > 0 else { return "They diverge before \(name)." }
      let before = layers[origin - 1]
      if before.output?.agrees != true {
        return "They diverge between \(before.title) and \(name): the inputs of \(name) do not "
          + "agree; the captures do not show whether the outputs of \(before.title) do."
      }
      return "They diverge before \(name): the outputs of \(before.title) agree, the inputs of "
        + "\(name) do not. Something between them differs: a convolution, a product, an "
        + "activation, or their weights."
    case .inputs:
      let which = onlyFirst.isEmpty && onlySecond.isEmpty ? "the first layer" : "the first in both"
      return "The inputs of \(name), \(which), differ already. Not the same batch? Or "
        + "something before the first normalization differs: the preparation of the data, a "
        + "convolution, or its weights."
    case .result:
      return "The normalization layers do the same, and the networks' results differ: something "
        + "after the last of them differs."
    case .state:
      return originLayer?.behaviour == .unknown
        ? "Options, parameters or buffers differ, first in \(name); the captures do not show "
          + "whether the outputs do."
        : "The outputs agree; options, parameters or buffers differ, first in \(name)."
    case .layers: return "One has layers that the other does not; the others do the same."
    case .undecided: return "The captures do not hold what would decide."
    }
  }

  private func account(of pair: CapturedPair, _ style: TextStyle) -> [String] {
    var lines: [String] = []
    if let input = pair.input, verdict == .inputs || verdict == .between {
      lines.append(style.paragraph("inputs: \(input.words)", first: "  ", indent: 4))
    }
    if verdict == .layer, let output = pair.output {
      lines.append(style.paragraph("outputs: \(output.words)", first: "  ", indent: 4))
    }
    if tellsOfOrigin { lines += causes(of: pair, style) }
    if isReordered {
      let order = "The second calls the layers in another order than the first."
      lines.append(style.paragraph(order, first: "  ", indent: 2))
    }
    return lines.isEmpty ? [] : [lines.joined(separator: "\n")]
  }

  private func causes(of pair: CapturedPair, _ style: TextStyle) -> [String] {
    var lines: [String] = []
    let isHidden = ShareWords.isMisleading(pair.parts)
    if isHidden {
      let words = ShareWords.hidden(pair.parts, together: pair.ownGap?.maximum ?? 0)
      lines.append(style.paragraph(words, first: "  ", indent: 2))
    }
    for cause in pair.causes {
      let start = isHidden ? "  \(cause.name): " : "  \(percent(cause.share)) \(cause.name): "
      let words = "\(cause.first) in the first, \(cause.second) in the second. \(cause.reason)"
      lines.append(style.paragraph(words, first: start, indent: 11))
      lines += cause.pytorch.map { "           " + style.strong($0) }
    }
    if pair.behaviour == .different, pair.causes.isEmpty || !pair.unexplainedIsRounding {
      lines.append("  \(percent(pair.unexplained)) unexplained")
    }
    for difference in pair.differences where !pair.names(difference.name) {
      lines.append(style.paragraph(difference.words, first: "  differs: ", indent: 4))
    }
    return lines
  }

  /// Other layers that differ by themselves, besides the one in the verdict, and layers that only
  /// one capture has.
  private func others(_ style: TextStyle) -> [String] {
    var parts: [String] = []
    let groups = PairGroup.all(of: self)
    for (index, group) in groups.prefix(6).enumerated() {
      if index == 0 && tellsOfOrigin {
        let rest = group.pairs.dropFirst()
        if rest.isEmpty { continue }
        parts.append(
          style.paragraph("\(rest.count) more differ in the same way: \(PairGroup.names(rest))"))
        continue
      }
      let verb = group.pairs.count > 1 ? "differ" : "differs"
      let start = "\(PairGroup.names(group.pairs[...])) \(verb) \(group.manner):"
      let body = group.pairs.first.map { causes(of: $0, style) } ?? []
      parts.append(([style.paragraph(start)] + body).joined(separator: "\n"))
    }
    if groups.count > 6 { parts.append("More layers differ; the table has them.") }
    for (names, file) in [(onlyFirst, first), (onlySecond, second)] where !names.isEmpty {
      let shown = names.prefix(8).joined(separator: ", ") + (names.count > 8 ? ", ..." : "")
      parts.append(style.paragraph("Only \(file) has: \(shown)"))
    }
    if let codeLegend { parts.append(style.faint(style.paragraph(codeLegend))) }
    return parts
  }

  /// The meaning of the names in lines of code; nil if there is no code.
  var codeLegend: String? {
    let code = layers.flatMap(\.causes).flatMap(\.pytorch)
    if code.isEmpty { return nil }
    let states =
      code.contains { $0.hasPrefix("second[") }
      ? ", first and second are state dictionaries: then model.load_state_dict(second)" : ""
    return "In the code, model is the second network\(states)."
  }
}

extension CapturedPair {
  /// The causes with their shares of the difference.
  var parts: [ShareWords.Part] {
    causes.map { .init($0.name, $0.share, alone: $0.differenceAlone) }
  }

  /// Whether a cause already covers a difference of state.
  func names(_ difference: String) -> Bool {
    let covered = causes.map(\.name)
    switch difference {
    case "running_mean", "running_var": return covered.contains("running-statistics")
    default: return covered.contains(difference)
    }
  }
}

extension StateDifference {
  /// `running_var: 0.5 ... 2 in the first, 1 in the second`
  var words: String {
    "\(name): \(first) in the first, \(second) in the second"
      + (relation.isEmpty ? "" : ", which is \(relation)")
  }
}

extension SampleGap {
  /// `0.03 !`
  var mark: String {
    if incomparable > 0 { return "not finite !" }
    return relative == 0 ? "equal" : short(relative) + (agrees ? "" : " !")
  }

  /// The distance as text.
  var words: String {
    if maximum == 0 && incomparable == 0 { return "equal" }
    var text =
      "at most \(short(maximum)) apart, root mean square \(short(rootMeanSquare)), of a standard "
      + "deviation of \(short(spread))"
    if incomparable > 0 { text += "; \(grouped(incomparable)) are not finite in one of them" }
    if let relation { text += "; those of the second are \(relation)" }
    return text
  }
}

extension CaptureComparison.Matching {
  var words: String {
    switch self {
    case .names: "by name"
    case .prefix: "by name, without a prefix"
    case .order: "by the order of their calls, kind and size, as the names differ"
    case .mixed: "by name, and where names differ by the order of their calls, kind and size"
    }
  }
}
