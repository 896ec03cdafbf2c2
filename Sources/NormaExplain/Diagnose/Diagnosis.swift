/// What is wrong with a network's batch normalization, as far as one batch and the layers' own
/// numbers can tell; a value that prints in words and encodes to JSON.
public struct Diagnosis: Sendable, Hashable, Codable {
  /// What is wrong, the most important first; empty for a healthy network.
  public let findings: [DefectFinding]
  /// The layers in the order of their first calls.
  public let layers: [LayerDiagnosis]
  /// The samples of the batch.
  public let samples: Int
  /// The layers without running statistics, whose samples were compared with their formula.
  public let formulas: [FormulaDiagnosis]
  /// How much the network's result changes when all batch norms normalize with the batch, relative
  /// to the result's own spread; nil where it is not known.
  public let effect: Double?

  /// A diagnosis.
  init(
    findings: [DefectFinding], layers: [LayerDiagnosis], samples: Int,
    formulas: [FormulaDiagnosis] = [], effect: Double? = nil
  ) {
    self.findings = findings
    self.layers = layers
    self.samples = samples
    self.formulas = formulas
    self.effect = effect
  }

  /// Whether nothing is wrong; notes may be left.
  public var isHealthy: Bool { findings.allSatisfy { $0.severity == .note } }
}

extension Diagnosis: CustomStringConvertible {
  /// The diagnosis in words, for 80 columns and without colours.
  public var description: String { text(style: TextStyle()) }

  /// The diagnosis in words.
  package func text(style: TextStyle) -> String {
    var parts: [String] = []
    if layers.isEmpty {
      parts.append("There is no batch normalization with running statistics in this network.")
    } else if findings.isEmpty {
      let names = layers.count == 1 ? "1 layer" : "\(layers.count) layers"
      parts.append(
        style.good(
          style.paragraph(
            "Healthy: the running statistics of \(names) fit a batch of \(samples) samples as well "
              + "as such a batch can tell.")))
    }
    for (number, finding) in findings.enumerated() {
      parts.append(text(finding, number: number + 1, style))
    }
    if !layers.isEmpty { parts.append(table(style)) }
    return parts.joined(separator: "\n\n")
  }

  /// How many facts stand under a finding; the value has all of them.
  private static let shownFacts = 3

  private func text(_ finding: DefectFinding, number: Int, _ style: TextStyle) -> String {
    let all = finding.layers.count == layers.count && layers.count > 3 && finding.channels.isEmpty
    let places = all ? "all \(layers.count) layers" : Self.places(finding)
    var lines = [
      style.paragraph(
        places, first: "\(number). \(style.named(finding.defect.rawValue)): ", indent: 3)
    ]
    lines.append(style.paragraph(finding.statement, first: "   ", indent: 3))
    let isLong = finding.evidence.count > Self.shownFacts + 1
    var facts = isLong ? Array(finding.evidence.prefix(Self.shownFacts)) : finding.evidence
    if isLong { facts.append("and \(finding.evidence.count - facts.count) more like these") }
    for fact in facts { lines.append(style.paragraph(fact, first: "   - ", indent: 5)) }
    for repair in finding.repairs {
      lines.append(style.paragraph(repair, first: "   Try: ", indent: 8))
    }
    return lines.joined(separator: "\n")
  }

  /// `bn2 (channels 3, 9), bn3`
  private static func places(_ finding: DefectFinding) -> String {
    finding.layers.map { layer in
      guard let channels = finding.channels[layer], !channels.isEmpty else { return layer }
      let shown = channels.prefix(8).map(String.init).joined(separator: ", ")
      let rest = channels.count > 8 ? ", ..." : ""
      return "\(layer) (\(channels.count == 1 ? "channel" : "channels") \(shown)\(rest))"
    }.joined(separator: ", ")
  }

  private func table(_ style: TextStyle) -> String {
    var rows = [["layer", "batches", "gap", "by chance", "shift", "var ratio", "effect"]]
    for layer in layers {
      let ratios = layer.channels.map(\.varianceRatio)
      rows.append([
        layer.name, "\(layer.batchesTracked)", short(layer.gap) + (layer.isOff ? " !" : ""),
        short(layer.expectedGap), short(layer.largestShift),
        "\(short(ratios.min() ?? 0))...\(short(ratios.max() ?? 0))",
        layer.effect.map(short) ?? "",
      ])
    }
    let legend =
      "gap: how far running and batch statistics are apart, in standard deviations; shift: the "
      + "largest distance of means; var ratio: running over batch; effect: on the network's result; "
      + "!: more than chance."
    return style.table(rows) + "\n" + style.faint(style.paragraph(legend, first: "  ", indent: 2))
  }
}

/// A number with three digits.
func short(_ value: Double) -> String {
  if !value.isFinite { return "\(value)" }
  if value == 0 { return "0" }
  let rounded = roundedTo(digits: 3, value)
  return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
}
