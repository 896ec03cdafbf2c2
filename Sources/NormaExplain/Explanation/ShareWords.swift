/// Shares of a difference for readers.
///
/// If no repair makes the gap larger, shares are between 0 and 1; a few percent below 0 mean that a
/// cause hides as much of the others. Shares far outside, such as 311 % and -211 %, are the correct
/// Shapley values of causes that hide each other, but tell a reader nothing. In that case, each
/// cause is shown with the difference that it makes alone.
enum ShareWords {
  /// A cause, its share, and the largest difference that it makes with all others fixed.
  struct Part {
    let name: String
    let share: Double
    let alone: Double

    init(_ name: String, _ share: Double, alone: Double) {
      (self.name, self.share, self.alone) = (name, share, alone)
    }
  }

  /// Whether some share is outside of 0 to 1 by more than a quarter.
  static func isMisleading(_ parts: [Part]) -> Bool {
    parts.contains { $0.share < -0.25 || $0.share > 1.25 }
  }

  /// The text that replaces the percentages.
  static func hidden(_ parts: [Part], together: Double) -> String {
    let alone = parts.map { "\($0.name) \(number($0.alone))" }
    let list =
      alone.count < 2
      ? alone.joined()
      : alone.dropLast().joined(separator: ", ") + " and \(alone[alone.count - 1])"
    return "The causes hide parts of each other, so percentages would be misleading. Alone "
      + "they make: \(list); together: \(number(together))."
  }

  /// A share without the leading spaces that align it in a column: `12.5 %`.
  static func percentage(_ share: Double) -> String { String(percent(share).drop { $0 == " " }) }
}
