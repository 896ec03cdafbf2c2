import Foundation

/// Shows the progress of a run: an updating line on a terminal, plain lines elsewhere, or one JSON
/// object per line.
struct TrainingDisplay {
  let isJSON: Bool
  /// Whether this process shows anything: the first of several does.
  let isShown: Bool
  let total: Int
  let perEpoch: Int
  let epochs: Int
  private var start = ContinuousClock.now
  private var images = 0
  private var loss = 0.0
  private var correct = 0
  private var seen = 0
  private var steps = 0
  /// The rate excludes the first steps, which compile convolutions.
  private static let warmup = 10
  private(set) var firstLosses: [Double] = []

  init(isJSON: Bool, isShown: Bool = true, total: Int, perEpoch: Int) {
    self.isJSON = isJSON
    self.isShown = isShown
    self.total = total
    self.perEpoch = perEpoch
    epochs = (total + perEpoch - 1) / perEpoch
  }

  /// Images per second so far.
  var rate: Double {
    let time = (ContinuousClock.now - start) / .seconds(1)
    return time > 0 ? Double(images) / time : 0
  }

  var meanLoss: Double { loss / Double(max(steps, 1)) }
  var accuracy: Double { Double(correct) / Double(max(seen, 1)) }

  mutating func beginEpoch() { (loss, correct, seen, steps) = (0, 0, 0, 0) }

  private var taken = 0

  mutating func add(_ step: TrainingRun.Step) {
    taken += 1
    if taken == Self.warmup {
      start = .now
      images = 0
    } else {
      images += step.images
    }
    if firstLosses.count < 20 { firstLosses.append(step.loss) }
    loss += step.loss
    correct += step.correct
    seen += step.images
    steps += 1
    if !isShown { return }
    let place = (step.number - 1) % perEpoch + 1
    if Terminal.isProgressShown && !isJSON {
      Terminal.showProgress(line(step.number, place, bar: true))
    } else if !isJSON, place % max(perEpoch / 10, 1) == 0 || step.number == total {
      Terminal.show(line(step.number, place, bar: false))
    }
  }

  private func line(_ step: Int, _ place: Int, bar: Bool) -> String {
    let epoch = (step - 1) / perEpoch + 1
    var text = "epoch \(epoch)/\(epochs) "
    if bar {
      let width = 20
      let filled = place * width / perEpoch
      text += String(repeating: "━", count: filled) + String(repeating: "─", count: width - filled)
      text += " "
    }
    text += "\(place)/\(perEpoch)  loss \(decimal(meanLoss, 4))  "
    text += "accuracy \(decimal(accuracy * 100, 1)) %  \(Int(rate)) images/s"
    let left = images > 0 ? Double(total - step) * Double(seen / max(steps, 1)) / rate : 0
    return text + "  \(duration(left)) left"
  }

  func endEpoch(_ epoch: Int, test: ConfusionMatrix, testRate: Double) throws {
    if !isShown { return }
    Terminal.showProgress(nil)
    guard isJSON else {
      Terminal.show(
        "epoch \(epoch)/\(epochs)  loss \(decimal(meanLoss, 4))  "
          + "accuracy \(decimal(accuracy * 100, 1)) %  test \(decimal(test.accuracy * 100, 2)) %  "
          + "\(Int(rate)) images/s, evaluation \(Int(testRate)) images/s")
      return
    }
    try Self.showJSON(
      Line(
        epoch: epoch, loss: meanLoss, accuracy: accuracy, testAccuracy: test.accuracy,
        imagesPerSecond: rate, testImagesPerSecond: testRate))
  }

  private struct Line: Encodable {
    let epoch: Int
    let loss, accuracy, testAccuracy, imagesPerSecond, testImagesPerSecond: Double
  }

  /// One object on one line.
  static func showJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    Terminal.show(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}

/// A number with this many decimals.
func decimal(_ value: Double, _ digits: Int) -> String {
  String(format: "%.\(digits)f", value)
}

/// `1:05` or `1:02:03`.
func duration(_ seconds: Double) -> String {
  guard seconds.isFinite, seconds < 1e9 else { return "?" }
  let all = Int(seconds.rounded())
  let (hours, minutes, rest) = (all / 3600, all / 60 % 60, all % 60)
  return hours > 0
    ? String(format: "%d:%02d:%02d", hours, minutes, rest)
    : String(format: "%d:%02d", minutes, rest)
}
