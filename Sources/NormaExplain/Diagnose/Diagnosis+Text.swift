extension Diagnosis: CustomStringConvertible {
  /// The diagnosis as text, for 80 columns and without colors.
  public var description: String { text(style: TextStyle()) }

  /// The diagnosis as text: the findings, and a table of the layers.
  ///
  /// - Parameter showsAll: whether to print all evidence, rather than only the first facts.
  package func text(style: TextStyle, showsAll: Bool = false) -> String {
    var parts: [String] = []
    if layers.isEmpty && formulas.isEmpty {
      parts.append("There is no batch normalization with running statistics in this network.")
    } else if isHealthy {
      parts.append(style.good(style.paragraph(healthy)))
    }
    for (number, finding) in findings.enumerated() {
      parts.append(text(finding, number: number + 1, style, showsAll))
    }
    if (1...Self.shownBars).contains(layers.count) { parts.append(bars(style)) }
    if !layers.isEmpty { parts.append(table(style)) }
    if !formulas.isEmpty { parts.append(style.faint(style.paragraph(formulaSummary))) }
    return parts.joined(separator: "\n\n")
  }

  private var healthy: String {
    if !findings.isEmpty { return "Healthy, with a note: nothing below is certain to be a fault." }
    if layers.isEmpty {
      return "Healthy: the layers whose samples could be compared match their formulas."
    }
    let names = layers.count == 1 ? "1 layer" : "\(layers.count) layers"
    return "Healthy: the running statistics of \(names) fit a batch of "
      + "\(samples == 1 ? "1 sample" : "\(samples) samples") as well "
      + "as such a batch can show."
  }

  private var formulaSummary: String {
    let compared = formulas.filter { $0.gap != nil && $0.obstacle == nil }
    let off = compared.filter(\.isOff).count
    let rest = formulas.count - compared.count
    return
      "Formulas: \(compared.count) of \(formulas.count) layers were compared with their formula "
      + "on samples, and \(off) \(off == 1 ? "differs" : "differ")"
      + (rest > 0
        ? "; the others have an unknown formula, or truncated samples." : ".")
  }

  /// The largest number of facts under a finding; the value has all of them.
  private static let shownFacts = 4

  private func text(
    _ finding: DefectFinding, number: Int, _ style: TextStyle, _ showsAll: Bool
  ) -> String {
    let all = finding.layers.count == layers.count && layers.count > 3 && finding.channels.isEmpty
    let places = all ? "all \(layers.count) layers" : Self.places(finding)
    let kind = finding.severity == .error ? "" : " (\(finding.severity.rawValue))"
    var lines = [
      style.paragraph(
        places, first: "\(number). \(style.named(finding.defect.rawValue))\(kind): ", indent: 3)
    ]
    func add(_ text: String, _ first: String, indent: Int) {
      lines.append(style.paragraph(text, first: first, indent: indent))
    }
    add(finding.statement, "   ", indent: 3)
    let isLong = !showsAll && finding.evidence.count > Self.shownFacts + 1
    var facts = isLong ? Array(finding.evidence.prefix(Self.shownFacts)) : finding.evidence
    if isLong { facts.append("and \(finding.evidence.count - facts.count) more") }
    for fact in facts { add(fact, "   - ", indent: 5) }
    if let effect = finding.effect {
      add(
        "With the batch's statistics in "
          + (finding.layers.count == 1
            ? "this layer, the network's result changes by "
            : "one of these layers, the network's result changes by up to ")
          + "\(short(effect)) times its own spread.", "   Effect: ", indent: 11)
    }
    for other in finding.alternatives {
      let name = other.defect.map { "\($0.rawValue): " } ?? ""
      add(name + other.reason, "   Or: ", indent: 7)
    }
    for question in finding.decides { add(question, "   To decide: ", indent: 14) }
    add(finding.now.text, "   Now: ", indent: 8)
    lines += finding.now.code(for: framework).map { "        " + style.strong($0) }
    if let next = finding.next {
      add(next.text, "   Next training: ", indent: 8)
      lines += next.code(for: framework).map { "        " + style.strong($0) }
    }
    let swift = finding.now.norma + (finding.next?.norma ?? [])
    if !swift.isEmpty && framework != .norma {
      let code = swift.joined(separator: "; ")
      lines.append(style.statements(code, first: "   In Norma: ", indent: 8))
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

  /// The largest number of bars; more would not fit a screen.
  private static let shownBars = 24

  private func bars(_ style: TextStyle) -> String {
    let bars = layers.map { layer in
      let multiple = layer.multipleOfChance
      let words = multiple.isFinite ? short(multiple) : "not a number"
      return BarChart.Bar(layer.title, multiple, words: words, isMarked: layer.isOff)
    }
    return style.strong("  gap in multiples of chance") + "\n" + style.bars(bars)
  }

  private func table(_ style: TextStyle) -> String {
    var rows = [["layer", "batches", "gap", "by chance", "shift", "var ratio", "effect"]]
    for layer in layers {
      let ratios = layer.channels.map(\.varianceRatio)
      rows.append([
        layer.name, layer.batchesTracked.map { "\($0)" } ?? "?",
        short(layer.gap) + (layer.isOff ? " !" : ""),
        short(layer.expectedGap), short(layer.largestShift),
        "\(short(ratios.min() ?? 0))...\(short(ratios.max() ?? 0))",
        layer.effect.map(short) ?? "",
      ])
    }
    let legend =
      "gap: distance of running and batch statistics, in standard deviations; by chance: the gap "
      + "that such a batch shows anyway; shift: the largest distance between means; var ratio: "
      + "running over batch variance; effect: on the network's result; !: more than chance."
    return style.table(rows) + "\n" + style.faint(style.paragraph(legend, first: "  ", indent: 2))
  }
}
