extension JSON {
  /// The value as text, which is the same for the same value on every system.
  ///
  /// Members keep their order. A real number has the fewest digits that read back as the same
  /// number, and always a decimal point or an exponent; NaN and infinity, which JSON lacks, become
  /// `null`.
  ///
  /// - Parameter indent: The number of spaces per level, or nil for one line without spaces. With
  ///   indentation, arrays of plain values stay on one line.
  package func text(indent: Int? = nil) -> String {
    var text = ""
    write(to: &text, indent: indent, level: 0)
    return text
  }

  private func write(to text: inout String, indent: Int?, level: Int) {
    switch self {
    case .null: text += "null"
    case .bool(let value): text += value ? "true" : "false"
    case .int(let value): text += String(value)
    case .double(let value): text += value.isFinite ? value.description : "null"
    case .string(let value): Self.quote(value, to: &text)
    case .array(let elements):
      let isPlain = elements.allSatisfy { $0.arrayValue == nil && $0.objectValue == nil }
      let inner = isPlain ? nil : indent
      text += "["
      for (index, element) in elements.enumerated() {
        if index > 0 { text += indent != nil && isPlain ? ", " : "," }
        Self.breakLine(&text, indent: inner, level: level + 1)
        element.write(to: &text, indent: indent, level: level + 1)
      }
      Self.breakLine(&text, indent: inner, level: level)
      text += "]"
    case .object(let members):
      text += "{"
      for (index, member) in members.enumerated() {
        if index > 0 { text += "," }
        Self.breakLine(&text, indent: indent, level: level + 1)
        Self.quote(member.key, to: &text)
        text += indent == nil ? ":" : ": "
        member.value.write(to: &text, indent: indent, level: level + 1)
      }
      if !members.isEmpty { Self.breakLine(&text, indent: indent, level: level) }
      text += "}"
    }
  }

  private static func breakLine(_ text: inout String, indent: Int?, level: Int) {
    if let indent { text += "\n" + String(repeating: " ", count: indent * level) }
  }

  private static func quote(_ value: String, to text: inout String) {
    text += "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case "\u{8}": text += "\\b"
      case "\u{c}": text += "\\f"
      case "\u{0}"..<"\u{20}":
        let digits = String(scalar.value, radix: 16)
        text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: text.unicodeScalars.append(scalar)
      }
    }
    text += "\""
  }
}
