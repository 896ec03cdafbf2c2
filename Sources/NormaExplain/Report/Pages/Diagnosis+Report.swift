extension Diagnosis {
  /// The diagnosis as a page with charts.
  ///
  /// - Parameters:
  ///   - title: The title of the page, such as the name of the file that was diagnosed.
  ///   - capture: The diagnosed capture, from which the page shows samples before and after layers.
  public func report(title: String = "Diagnosis", capture: NetworkCapture? = nil) -> HTMLReport {
    var report = HTMLReport(title: title)
    report.verdict = verdict
    report.facts = facts(capture)
    var sections: [HTMLReport.Section] = []
    if !findings.isEmpty {
      let cards = findings.enumerated().map { card($1, number: $0 + 1) }
      sections.append(.init("Findings", cards))
    }
    if let section = layerSection { sections.append(section) }
    sections += details(capture)
    if let section = formulaSection(capture) { sections.append(section) }
    report.sections = sections
    return report
  }

  private var verdict: HTMLReport.Verdict {
    let counted = [
      (findings.count { $0.severity == .error }, "error"),
      (findings.count { $0.severity == .warning }, "warning"),
      (findings.count { $0.severity == .note }, "note"),
    ].filter { $0.0 > 0 }.map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }
    let level = findings.map(\.severity).max()?.level ?? .good
    let first = findings.first.map { "\($0.defect.rawValue). \($0.statement)" } ?? ""
    if layers.isEmpty && formulas.isEmpty {
      return .init(
        "There is no normalization layer to compare in this network.", .note)
    }
    if isHealthy {
      let notes = counted.isEmpty ? "" : " (\(counted.joined(separator: ", ")))"
      return .init("Healthy, as far as \(samples) samples can show\(notes).", .good)
    }
    return .init("\(counted.joined(separator: ", ")). Most likely: \(first)", level)
  }

  private func facts(_ capture: NetworkCapture?) -> [HTMLReport.Fact] {
    var facts: [HTMLReport.Fact] = []
    if let capture {
      if !capture.model.isEmpty { facts.append(.init("network", capture.model)) }
      if !capture.framework.isEmpty { facts.append(.init("framework", capture.framework)) }
    }
    facts.append(.init("samples", grouped(samples)))
    facts.append(
      .init("normalization layers", "\(Set(layers.map(\.name) + formulas.map(\.name)).count)"))
    facts.append(.init("more than chance", "\(layers.count(where: \.isOff))"))
    if let capture {
      let mode = capture.isTraining ? "training" : "evaluation"
      facts.append(.init("captured in", "\(mode) mode"))
      if let autocast = capture.autocast { facts.append(.init("autocast", autocast)) }
      if let data = capture.facts.data { facts.append(.init("data of", data.rawValue)) }
      if let batches = capture.facts.batches { facts.append(.init("batches", grouped(batches))) }
      if let size = capture.facts.batchSize { facts.append(.init("batch size", "\(size)")) }
    }
    if let effect { facts.append(.init("effect of all layers on the result", share(effect))) }
    return facts
  }

  // MARK: Findings

  private func card(_ finding: DefectFinding, number: Int) -> HTMLReport.Block {
    var left: [HTMLReport.Block] = [.paragraph(finding.statement)]
    left.append(.heading(finding.layers.count == 1 ? "Layer" : "Layers"))
    left.append(.paragraph(places(finding)))
    if let effect = finding.effect {
      left.append(.heading("Effect on the result"))
      left.append(.paragraph("\(share(effect)) of its own spread"))
    }
    if !finding.evidence.isEmpty {
      left.append(.heading("What shows it"))
      left.append(contentsOf: points(finding.evidence))
    }
    if !finding.alternatives.isEmpty {
      left.append(.heading("What else it could be"))
      left.append(
        .list(finding.alternatives.map { ($0.defect.map { "\($0.rawValue): " } ?? "") + $0.reason })
      )
    }
    if !finding.decides.isEmpty {
      left.append(.heading("What would decide"))
      left.append(.list(finding.decides))
    }
    var right = repair(finding.now, "Now")
    if let next = finding.next { right += repair(next, "For the next training") }
    return .card(
      "\(number). \(finding.defect.rawValue) (\(finding.severity.rawValue))",
      level: finding.severity.level, blocks: [.columns([left, right])])
  }

  /// The first points, with the others collapsed.
  private func points(_ all: [String]) -> [HTMLReport.Block] {
    if all.count <= 5 { return [.list(all)] }
    return [
      .list(Array(all.prefix(4))),
      .folded("\(all.count - 4) more like these", [.list(Array(all.dropFirst(4)))]),
    ]
  }

  private func repair(_ repair: DefectFinding.Repair, _ title: String) -> [HTMLReport.Block] {
    var blocks: [HTMLReport.Block] = [.heading(title), .paragraph(repair.text)]
    for language in framework == .norma ? [.norma] : [framework, .norma] {
      let code = repair.code(for: language)
      if !code.isEmpty { blocks.append(.code(code, name: language.title)) }
    }
    return blocks
  }

  private func places(_ finding: DefectFinding) -> String {
    let all = layers.count
    if finding.layers.count == all && all > 3 && finding.channels.isEmpty {
      return "all \(all) layers"
    }
    return finding.layers.map { layer in
      guard let channels = finding.channels[layer], !channels.isEmpty else { return layer }
      let shown = channels.prefix(16).map(String.init).joined(separator: ", ")
      let rest = channels.count > 16 ? " and \(channels.count - 16) more" : ""
      return "\(layer) (\(channels.count == 1 ? "channel" : "channels") \(shown)\(rest))"
    }.joined(separator: ", ")
  }

  // MARK: All layers

  private var layerSection: HTMLReport.Section? {
    if layers.isEmpty { return nil }
    let multiples = layers.map(\.multipleOfChance)
    let positive = multiples.filter { $0.isFinite && $0 > 0 }
    let isWide = (positive.max() ?? 1) > 50 * max(positive.min() ?? 1, 0.2)
    let off = layers.count(where: \.isOff)
    var charts: [any ReportChart] = [
      BarChart(
        title: "How far each layer's running statistics are from this batch",
        summary:
          "The gap in multiples of what chance makes with \(samples) samples. "
          + (off == 0
            ? "No layer is off." : "\(off) of \(layers.count) \(off == 1 ? "is" : "are") off."),
        valueName: isWide ? "multiples of chance, logarithmic" : "multiples of chance",
        bars: layers.map { layer in
          let multiple = layer.multipleOfChance
          return .init(
            layer.title, multiple,
            words: multiple.isFinite ? "\(short(multiple)) times" : "no number",
            isMarked: layer.isOff)
        },
        legend: ChartLegend(marked: "more than chance", others: "within chance"),
        reference: BarChart.Reference(1, name: "chance"),
        isLogarithmic: isWide)
    ]
    let effects = layers.filter { $0.effect != nil }
    if !effects.isEmpty {
      charts.append(
        BarChart(
          title: "What each layer alone changes in the network's result",
          summary:
            "How much the result moves when this layer alone normalizes with the batch, as a part "
            + "of the result's own spread. Layers within chance are left out.",
          valueName: "change of the result, in % of its spread",
          bars: effects.map {
            let effect = $0.effect ?? 0
            return .init($0.title, effect * 100, words: share(effect), isMarked: effect > 0.1)
          }, legend: ChartLegend(marked: "more than 10 %", others: "less")))
    }
    let head = [
      "layer", "kind", "batches followed", "gap (deviations)", "by chance", "multiple",
      "largest shift", "variance ratio",
    ]
    let rows = layers.map { layer in
      let ratios = layer.channels.map(\.varianceRatio)
      return [
        layer.title, layer.kind, layer.batchesTracked.map(grouped) ?? "?", short(layer.gap),
        short(layer.expectedGap), short(layer.multipleOfChance), short(layer.largestShift),
        "\(short(ratios.min() ?? 1)) to \(short(ratios.max() ?? 1))",
      ]
    }
    return .init(
      "Layer by layer",
      [
        .charts(charts),
        .folded(
          "All numbers of the layers",
          [.table(ReportTable(head: head, rows: rows), title: "Layers in the order of their calls")]
        ),
      ])
  }

  /// A fraction as text.
  private func share(_ value: Double) -> String {
    value.isFinite ? "\(short(value * 100)) %" : "no number"
  }
}

extension DefectFinding.Severity {
  /// Its rating on a page.
  var level: HTMLReport.Level {
    switch self {
    case .note: .note
    case .warning: .warning
    case .error: .bad
    }
  }
}

extension LayerDiagnosis {
  /// The name to display; a network that is itself the layer has no name.
  var title: String { name.isEmpty ? "the layer" : name }
}
