/// How an explanation is printed: width and emphasis.
package struct TextStyle: Sendable {
  /// The maximum number of columns in a line.
  package var width: Int
  /// Whether names and numbers are emphasized with terminal colors.
  package var isColoured: Bool

  /// Whether the steps that close a gap are also drawn as bars.
  package var drawsBars: Bool

  package init(width: Int = 80, isColoured: Bool = false, drawsBars: Bool = false) {
    self.drawsBars = drawsBars
    self.width = max(width, 40)
    self.isColoured = isColoured
  }

  /// Emphasized text.
  package func strong(_ text: String) -> String { wrap(text, "1") }
  /// De-emphasized text.
  package func faint(_ text: String) -> String { wrap(text, "2") }
  /// The name of a cause.
  package func named(_ text: String) -> String { wrap(text, "1;33") }
  /// A positive result.
  package func good(_ text: String) -> String { wrap(text, "32") }

  private func wrap(_ text: String, _ code: String) -> String {
    isColoured ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }

  /// Text wrapped to lines of at most `width` columns, all but the first indented. `emphasis` marks
  /// each line separately.
  package func paragraph(
    _ words: String, first: String = "", indent: Int = 0,
    emphasis: (String) -> String = { $0 }
  ) -> String {
    paragraph(
      words, first: first, margin: String(repeating: " ", count: indent), emphasis: emphasis)
  }

  /// The same with a prefix for all lines but the first.
  func paragraph(
    _ words: String, first: String, margin: String, emphasis: (String) -> String = { $0 }
  ) -> String {
    var lines: [String] = []
    var line = first.isEmpty ? margin : first
    var hasWord = false
    for word in words.split(separator: " ") {
      if hasWord && line.count + 1 + word.count > width {
        lines.append(line)
        (line, hasWord) = (margin, false)
      }
      line += hasWord ? " \(word)" : "\(word)"
      hasWord = true
    }
    lines.append(line)
    return lines.map(emphasis).joined(separator: "\n")
  }

  /// A table with aligned columns: those in `leading` to the left, the others to the right.
  package func table(_ rows: [[String]], indent: Int = 2, leading: Set<Int> = [0]) -> String {
    let columns = rows.map(\.count).max() ?? 0
    let widths = (0..<columns).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    let lines = rows.map { row in
      let cells = row.enumerated().map { column, cell in
        let fill = String(repeating: " ", count: widths[column] - cell.count)
        return leading.contains(column) ? cell + fill : fill + cell
      }
      return String(repeating: " ", count: indent) + cells.joined(separator: "  ")
    }
    return lines.joined(separator: "\n")
  }
}
