extension TextStyle {
  /// A line of Swift or Python after `first`, broken only where it remains one statement: after the
  /// opening parenthesis of a call or a comma in brackets, and in Swift also before an operator.
  ///
  /// A line without such a position is not broken, however long it is. The trailing comment of a
  /// line that is too long moves in front of it.
  package func code(
    _ line: String, first: String = "", indent: Int = 0, isSwift: Bool = false
  ) -> String {
    if first.count + line.count <= width { return first + line }
    let margin = String(repeating: " ", count: indent)
    if let mark = ["# ", "// "].first(where: line.hasPrefix) {
      return paragraph(
        String(line.dropFirst(mark.count)), first: first + mark, margin: margin + mark)
    }
    if let remark = ["  # ", "  // "].compactMap({ line.range(of: $0) }).first {
      let words = line[remark.lowerBound...].drop { $0 == " " }
      let start = String(repeating: " ", count: max(indent - 2, 0))
      return code(String(words), first: first, indent: indent) + "\n"
        + code(
          String(line[..<remark.lowerBound]), first: start, indent: indent, isSwift: isSwift)
    }
    var lines: [String] = []
    var (start, rest, depth) = (first, Substring(line), 0)
    while start.count + rest.count > width {
      let breaks = CodeBreak.all(in: rest, depth: depth, isSwift: isSwift)
      let fitting = breaks.filter { start.count + $0.head <= width }
      let last = fitting.filter { margin.count + rest.count - $0.tail <= width }
      guard let chosen = (last.isEmpty ? fitting : last).min(by: CodeBreak.isBetter) else { break }
      lines.append(start + rest.prefix(chosen.head))
      (rest, depth, start) = (rest.dropFirst(chosen.tail), chosen.depth, margin)
    }
    return (lines + [start + rest]).joined(separator: "\n")
  }

  /// Statements separated by semicolons, as many per line as fit.
  package func statements(_ text: String, first: String, indent: Int) -> String {
    let margin = String(repeating: " ", count: indent)
    var lines = [first]
    for piece in text.split(separator: "; ") {
      let last = lines[lines.count - 1]
      let isFirst = lines.count == 1 && last == first
      if !isFirst, last.count + 2 + piece.count <= width, !last.contains("\n") {
        lines[lines.count - 1] += "; \(piece)"
      } else if isFirst {
        lines[0] = code(String(piece), first: first, indent: indent + 2)
      } else {
        lines.append(code(String(piece), first: margin, indent: indent + 2))
      }
    }
    return lines.joined(separator: "\n")
  }
}

/// A position where a line of code may be broken.
private struct CodeBreak {
  /// The number of characters before the break, and the number that is dropped at it.
  let head: Int
  let tail: Int
  /// The number of open brackets at that position.
  let depth: Int
  /// An operator outside of brackets, the parenthesis of a call or a comma, in order of preference.
  let rank: Int

  /// Outer breaks are better than inner ones, and later ones better than earlier ones.
  static func isBetter(_ a: CodeBreak, _ b: CodeBreak) -> Bool {
    (a.rank, a.depth, -a.head) < (b.rank, b.depth, -b.head)
  }

  /// All breaks of a line, outside of quoted text.
  static func all(in line: Substring, depth start: Int, isSwift: Bool) -> [CodeBreak] {
    var breaks: [CodeBreak] = []
    var (depth, quote) = (start, Character?.none)
    let characters = Array(line)
    for (index, character) in characters.enumerated() {
      if let open = quote {
        if character == open { quote = nil }
        continue
      }
      let next = index + 1 < characters.count ? characters[index + 1] : " "
      switch character {
      case "\"", "'": quote = character
      case "(", "[":
        depth += 1
        let before = index > 0 ? characters[index - 1] : " "
        guard before.isLetter || before.isNumber || before == "_", next != ")" else { continue }
        breaks.append(CodeBreak(head: index + 1, tail: index + 1, depth: depth, rank: 1))
      case ")", "]": depth -= 1
      case "," where depth > 0 && next == " ":
        breaks.append(CodeBreak(head: index + 1, tail: index + 2, depth: depth, rank: 2))
      case " " where isSwift && depth == 0 && "+-*/".contains(next):
        guard index + 2 < characters.count, characters[index + 2] == " " else { continue }
        breaks.append(CodeBreak(head: index, tail: index + 1, depth: 0, rank: 0))
      default: break
      }
    }
    return breaks
  }
}
