import Norma
import NormaExplain

/// Seven ways to normalize a batch by hand, each with an explanation.
struct AttemptReport {
  let asJSON: Bool
  /// Whether to add identifiers, shares and code to each attempt.
  var showsDetails = false

  /// An attempt as JSON.
  private struct Entry: Encodable {
    struct Part: Encodable {
      let name: String
      let share: Double
    }
    let name: String
    let gap: Double
    let causes: [Part]
    let unexplained: Double
    let unexplainedIsRounding: Bool
    let steps: [LadderStep]
  }

  func run() throws {
    let x = withSeed(0) { Tensor.rand(6, 64, 224, 224) }.evaluated()
    let style = Terminal.style
    if !asJSON { Terminal.show(introduction(style)) }
    var entries: [Entry] = []
    for (index, attempt) in Attempt.all.enumerated() {
      let explanation = attempt.explanation(of: x)
      entries.append(
        Entry(
          name: attempt.name, gap: explanation.gap?.maximum ?? 0,
          causes: explanation.causes.map { Entry.Part(name: $0.name.rawValue, share: $0.share) },
          unexplained: explanation.unexplained,
          unexplainedIsRounding: explanation.unexplainedIsRounding, steps: explanation.steps))
      if !asJSON {
        Terminal.show(
          explanation.summary(
            of: attempt, number: index + 1, style: style, details: showsDetails))
      }
    }
    Terminal.show(asJSON ? try encoded(["attempts": entries]) : conclusion(style))
  }

  private func introduction(_ style: TextStyle) -> String {
    style.strong("Why does batch norm not leave normalized data alone?") + "\n"
      + style.paragraph(
        "x = rand(6, 64, 224, 224) is normalized by hand to y in seven ways. Each is followed by "
          + "the largest difference between BatchNorm2d(64)(y) and y, and by what remains "
          + "after each repair, down to rounding.") + "\n"
  }

  private func conclusion(_ style: TextStyle) -> String {
    let repairs = [
      ("divide by n", "x.std(..., correction=0); std and var divide by n - 1 by default"),
      ("epsilon once", "the layer adds it again, to a variance that is already 1"),
      ("one variance", "over (0, 2, 3) in one call, which are all axes but the channels"),
    ]
    return "\n" + style.strong("Repairs of the code that computes y") + "\n"
      + repairs.map { style.strong($0.0) + String(repeating: " ", count: 14 - $0.0.count) + $0.1 }
      .joined(separator: "\n")
  }
}
