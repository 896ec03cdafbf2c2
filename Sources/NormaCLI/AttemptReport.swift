import Norma
import NormaExplain

/// The seven ways to normalize a batch by hand, explained one after the other.
struct AttemptReport {
  let asJSON: Bool

  /// What JSON says of an attempt.
  private struct Entry: Encodable {
    struct Part: Encodable {
      let name: String
      let share: Double
    }
    let name: String
    let gap: Double
    let causes: [Part]
    let unexplained: Double
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
          unexplained: explanation.unexplained))
      if !asJSON {
        Terminal.show("\n" + explanation.summary(of: attempt, number: index + 1, style: style))
      }
    }
    Terminal.show(asJSON ? try encoded(["attempts": entries]) : "\n" + conclusion(style))
  }

  private func introduction(_ style: TextStyle) -> String {
    style.strong("Why does batch norm not leave normalized data alone?") + "\n\n"
      + style.paragraph(
        "x = rand(6, 64, 224, 224) with seed 0: 6 images of 64 channels. Seven people normalize "
          + "x by hand to y, so that a new layer bn = BatchNorm2d(64) should have nothing left to "
          + "do. The gap is the largest difference between bn(y) and y; under it stands what "
          + "makes it, and how much of it.")
  }

  private func conclusion(_ style: TextStyle) -> String {
    style.strong("To take home") + "\n"
      + [
        "Take mean and variance in one call over all axes but the channels: (0, 2, 3).",
        "Divide by n, not by n - 1: correction: 0. The fewer values, the more it matters.",
        "Epsilon goes under the root, and once: normalizing twice adds it twice.",
      ].map { style.paragraph($0, first: "  - ", indent: 4) }.joined(separator: "\n")
  }
}
