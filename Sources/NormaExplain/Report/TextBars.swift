extension TextStyle {
  /// Bars below each other, as wide as the style allows, in color if it has colors.
  ///
  /// Marked lines have an exclamation mark after their label, so that nothing depends on color.
  ///
  /// - Parameters:
  ///   - bars: The lines.
  ///   - isLogarithmic: Whether equal ratios have equal lengths; bars then start slightly below the
  ///     smallest value.
  ///   - indent: The number of columns before the bars.
  ///   - longest: The largest number of columns for the bars themselves.
  package func bars(
    _ bars: [BarChart.Bar], isLogarithmic: Bool = false, indent: Int = 2, longest: Int = 40
  ) -> String {
    let margin = String(repeating: " ", count: indent)
    let marks = bars.contains(where: \.isMarked)
    let labels = min(bars.map(\.label.count).max() ?? 0, width * 2 / 5)
    let words = bars.map(\.words.count).max() ?? 0
    let columns = min(max(width - indent - labels - (marks ? 2 : 0) - words - 3, 8), longest)
    let shares = Self.shares(bars.map(\.value), isLogarithmic: isLogarithmic)
    let lines = zip(bars, shares).map { bar, share in
      let label = Self.shortened(bar.label, to: labels)
      let fill = String(repeating: " ", count: labels - label.count)
      let mark = marks ? (bar.isMarked ? " !" : "  ") : ""
      let blocks = Self.blocks(share, columns: columns)
      let rest = String(repeating: " ", count: columns - blocks.count)
      return "\(margin)\(label)\(fill)\(mark)  \(painted(blocks, bar.isMarked))\(rest) \(bar.words)"
    }
    return lines.joined(separator: "\n")
  }

  private func painted(_ blocks: String, _ isMarked: Bool) -> String {
    isColoured && !blocks.isEmpty ? "\u{1B}[\(isMarked ? 33 : 34)m\(blocks)\u{1B}[0m" : blocks
  }

  /// Blocks in steps of an eighth of a column; empty for 0, and otherwise at least an eighth.
  static func blocks(_ share: Double, columns: Int) -> String {
    guard share > 0, columns > 0 else { return "" }
    let eighths = max(Int((min(share, 1) * Double(columns * 8)).rounded()), 1)
    let whole = String(repeating: "\u{2588}", count: eighths / 8)
    // U+258F is an eighth, U+2589 seven of them.
    guard eighths % 8 > 0, let part = Unicode.Scalar(0x2590 - UInt32(eighths % 8)) else {
      return whole
    }
    return whole + String(Character(part))
  }

  /// The length of each bar relative to the longest.
  private static func shares(_ values: [Double], isLogarithmic: Bool) -> [Double] {
    let known = values.filter { $0.isFinite && $0 > 0 }
    guard let most = known.max(), let least = known.min() else {
      return values.map { $0.isFinite ? 0 : 1 }
    }
    let axis =
      isLogarithmic
      ? ChartAxis([least, most], isLogarithmic: true, margin: 0.1) : ChartAxis(from: 0, to: most)
    let longest = axis.fraction(most) ?? 1
    return values.map { value in
      if !value.isFinite { return 1 }
      return value > 0 ? (axis.fraction(value) ?? 0) / longest : 0
    }
  }

  /// The text without its middle, as far as needed to fit.
  private static func shortened(_ text: String, to columns: Int) -> String {
    if text.count <= columns { return text }
    let (head, tail) = ((columns - 1) * 2 / 5, columns - 1 - (columns - 1) * 2 / 5)
    return "\(text.prefix(head))\u{2026}\(text.suffix(tail))"
  }
}
