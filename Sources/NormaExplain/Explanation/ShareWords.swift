/// Shares of a difference as people read them.
///
/// Where no repair leaves more than there was before it, shares lie between 0 and 1 and are parts; a few
/// percent below 0 say that a cause hides as much of the others. Shares far outside, such as 311 % beside
/// -211 %, are the right Shapley values of causes that hide each other, and say nothing to a reader: then
/// each cause stands with the difference that it makes alone.
enum ShareWords {
  /// A cause, its share, and the largest difference that it makes with all others put right.
  struct Part {
    let name: String
    let share: Double
    let alone: Double

    init(_ name: String, _ share: Double, alone: Double) {
      (self.name, self.share, self.alone) = (name, share, alone)
    }
  }

  /// Whether some share is farther from being a part of the whole than a quarter of it.
  static func isMisleading(_ parts: [Part]) -> Bool {
    parts.contains { $0.share < -0.25 || $0.share > 1.25 }
  }

  /// What stands in place of the percentages.
  static func hidden(_ parts: [Part], together: Double) -> String {
    let alone = parts.map { "\($0.name) \(number($0.alone))" }
    let list =
      alone.count < 2
      ? alone.joined()
      : alone.dropLast().joined(separator: ", ") + " and \(alone[alone.count - 1])"
    return "The causes hide parts of each other, so no percentage tells what each carries. Alone "
      + "they make: \(list); together: \(number(together))."
  }

  /// A share without the blanks that align it in a column: `12.5 %`.
  static func percentage(_ share: Double) -> String { String(percent(share).drop { $0 == " " }) }
}
