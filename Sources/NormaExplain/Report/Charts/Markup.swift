/// The rules for turning text into markup, for XML and HTML alike.
///
/// Names come from files of unknown origin: nothing in them may become a tag, an attribute, or a
/// character order that the reader does not see.
enum Markup {
  /// The largest number of characters of a text that are written.
  static let longestText = 20_000

  /// Text in which nothing is markup. Control characters, and characters that change the writing
  /// direction, become U+FFFD.
  static func escaped(_ text: String) -> String {
    var result = ""
    for (position, scalar) in text.unicodeScalars.enumerated() {
      if position == longestText {
        result += "\u{2026}"
        break
      }
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "'": result += "&#39;"
      case "\n", "\t": result.unicodeScalars.append(scalar)
      default: result.unicodeScalars.append(isHarmless(scalar) ? scalar : "\u{FFFD}")
      }
    }
    return result
  }

  private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7F...0x9F, 0xFFFE...0xFFFF: false
    case 0x200E...0x200F, 0x202A...0x202E, 0x2066...0x2069, 0x061C: false
    default: true
    }
  }

  /// An element whose content is already markup. Without content it is self-closing.
  static func element(
    _ name: String, _ attributes: KeyValuePairs<String, String> = [:], _ content: String? = nil
  ) -> String {
    let written = attributes.map { " \($0.key)=\"\(escaped($0.value))\"" }.joined()
    guard let content else { return "<\(name)\(written)/>" }
    return "<\(name)\(written)>\(content)</\(name)>"
  }

  /// An element around text.
  static func text(_ name: String, _ text: String) -> String {
    element(name, [:], escaped(text))
  }

  /// An element around text.
  static func text(
    _ name: String, _ attributes: KeyValuePairs<String, String>, _ text: String
  ) -> String {
    element(name, attributes, escaped(text))
  }
}
