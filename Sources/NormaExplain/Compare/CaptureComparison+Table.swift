extension CaptureComparison {
  /// The largest number of layers with a bar, and of layers without a difference in the table.
  private static let shownLayers = 24

  /// A bar for each layer's outputs; nil if all agree, or there are too many for a screen.
  func bars(_ style: TextStyle) -> String? {
    let known = layers.compactMap { pair in pair.output.map { (pair, $0) } }
    guard (1...Self.shownLayers).contains(known.count), known.contains(where: { !$1.agrees }) else {
      return nil
    }
    let bars = known.map { pair, output in
      BarChart.Bar(
        pair.title, output.relative, words: output.mark, isMarked: pair.behaviour == .different)
    }
    return style.strong("  distance of outputs, in standard deviations") + "\n" + style.bars(bars)
  }

  /// A row for each layer.
  ///
  /// - Parameter showsAll: whether to list all layers without a difference.
  func table(_ style: TextStyle, _ showsAll: Bool) -> String {
    var rows = [["layer", "inputs", "outputs", "by itself", "differs"]]
    let isLong = layers.count > Self.shownLayers && !showsAll
    for (index, pair) in layers.enumerated() {
      let isQuiet = pair.behaviour != .different && pair.differences.isEmpty && index != origin
      if isLong && isQuiet { continue }
      rows.append([
        pair.title, pair.input?.mark ?? "?", pair.output?.mark ?? "?", pair.behaviour.rawValue,
        pair.differing,
      ])
    }
    let legend =
      "inputs, outputs: root mean square distance in standard deviations, !: more than rounding; "
      + "by itself: what it computes from equal inputs"
      + (isLong ? "; layers without a difference are left out." : ".")
    let lines = style.table(rows).split(separator: "\n").map { line in
      String(line.reversed().drop { $0 == " " }.reversed())
    }
    let note = style.faint(style.paragraph(legend, first: "  ", indent: 2))
    return lines.joined(separator: "\n") + "\n" + note
  }
}

extension CapturedPair {
  /// The names of the differences, short enough for a table.
  var differing: String {
    var names: [String] = []
    for difference in differences {
      let name = difference.name.hasPrefix("running_") ? "running" : difference.name
      if names.last != name { names.append(name) }
    }
    return names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", ..." : "")
  }
}
