extension CheckpointDiagnosis {
  /// The diagnosis as a page: the findings, the layers, and what checkpoints cannot show.
  ///
  /// - Parameter title: The title of the page, such as the name of the file.
  public func report(title: String = "Checkpoint") -> HTMLReport {
    var report = HTMLReport(title: title)
    report.verdict = verdict
    report.facts = facts
    var sections: [HTMLReport.Section] = []
    if !findings.isEmpty {
      let cards = findings.enumerated().map { card($1, number: $0 + 1) }
      sections.append(.init("Findings", cards))
    }
    sections += [layerSection, limitSection]
    report.sections = sections
    return report
  }

  private var verdict: HTMLReport.Verdict {
    let counted = [DefectFinding.Severity.error, .warning, .note].compactMap { severity in
      let count = findings.count { $0.severity == severity }
      return count == 0 ? nil : "\(count) \(severity.rawValue)\(count == 1 ? "" : "s")"
    }.joined(separator: ", ")
    guard !isHealthy, let first = findings.first else {
      let notes = counted.isEmpty ? "" : " (\(counted))"
      return .init("The numbers themselves show nothing wrong\(notes).", .good)
    }
    let level = findings.map(\.severity).max()?.level ?? .note
    return .init("\(counted). First: \(first.name). \(first.statement)", level)
  }

  private var facts: [HTMLReport.Fact] {
    var facts: [HTMLReport.Fact] = [
      .init("tensors of the model", grouped(tensors)),
      .init("normalization layers", "\(layers.count)"),
      .init("with running statistics", "\(layers.count(where: \.hasStatistics))"),
    ]
    if !container.isEmpty { facts.append(.init("model found in", container)) }
    if !prefix.isEmpty { facts.append(.init("names begin with", prefix)) }
    if !unread.isEmpty { facts.append(.init("tensors not read", "\(unread.count)")) }
    return facts
  }

  // MARK: Findings

  private func card(_ finding: CheckpointFinding, number: Int) -> HTMLReport.Block {
    var left: [HTMLReport.Block] = [.paragraph(finding.statement)]
    if !finding.layers.isEmpty {
      left.append(.heading(finding.layers.count == 1 ? "Layer" : "Layers"))
      left.append(.paragraph(places(finding, true)))
    }
    if !finding.evidence.isEmpty {
      left.append(.heading("What shows it"))
      left.append(.list(Array(finding.evidence.prefix(6))))
      let rest = Array(finding.evidence.dropFirst(6))
      if !rest.isEmpty { left.append(.folded("\(rest.count) more like these", [.list(rest)])) }
    }
    if !finding.alternatives.isEmpty {
      left += [.heading("What else it could be"), .list(finding.alternatives)]
    }
    var right: [HTMLReport.Block] = []
    if let repair = finding.repair {
      right = [.heading("Now"), .paragraph(repair.text)]
      if !repair.pytorch.isEmpty { right.append(.code(repair.pytorch, name: "PyTorch")) }
      if !repair.norma.isEmpty { right.append(.code(repair.norma, name: "Norma")) }
    }
    return .card(
      "\(number). \(finding.name) (\(finding.severity.rawValue))", level: finding.severity.level,
      blocks: [.columns(right.isEmpty ? [left] : [left, right])])
  }

  // MARK: Layers

  private var layerSection: HTMLReport.Section {
    var blocks: [HTMLReport.Block] = []
    let charts = [varianceChart, weightChart].compactMap { $0 }
    if !charts.isEmpty { blocks.append(.charts(charts)) }
    let head = [
      "layer", "channels", "batches followed", "running mean", "running variance", "weight",
      "findings",
    ]
    let rows = layers.map { layer in
      [
        layer.title, "\(layer.channels)", layer.batchesTracked.map(grouped) ?? "",
        layer.words(layer.mean), layer.words(layer.variance), layer.words(layer.weight),
        findings.filter { $0.layers.contains(layer.name) }.map(\.name).joined(separator: ", "),
      ]
    }
    blocks.append(
      .table(
        ReportTable(head: head, rows: rows), title: "From the smallest number to the largest"))
    return .init("Layer by layer", blocks)
  }

  private var varianceChart: BarChart? {
    chart(
      "running variance", \.variance,
      [Defect.nonFinite.rawValue, Defect.negativeVariance.rawValue])
  }

  private var weightChart: BarChart? { chart("weight", \.weight, ["non-finite-parameters"]) }

  /// The largest value of each layer as a bar, and its smallest as text.
  private func chart(
    _ name: String, _ extent: KeyPath<CheckpointLayer, CheckpointLayer.Extent?>,
    _ broken: Set<String>
  ) -> BarChart? {
    let known = layers.compactMap { layer in layer[keyPath: extent].map { (layer, $0) } }
    if known.isEmpty { return nil }
    let largest = known.map(\.1.largest).filter { $0.isFinite && $0 > 0 }
    let isWide = (largest.max() ?? 1) > 50 * (largest.min() ?? 1)
    let marked = Set(
      findings.filter { broken.contains($0.name) }.flatMap(\.layers))
    let bars = known.map { layer, extent in
      BarChart.Bar(
        layer.title, extent.nonFinite > 0 ? .infinity : extent.largest, words: layer.words(extent),
        isMarked: marked.contains(layer.name))
    }
    return BarChart(
      title: "The \(name) of each layer",
      summary: "A bar ends at the channel with the largest; the words say the smallest, too. "
        + (marked.isEmpty
          ? "None is out of range." : "Marked: a finding is about these numbers."),
      valueName: "largest \(name)" + (isWide ? ", logarithmic" : ""), bars: bars,
      legend: marked.isEmpty ? nil : ChartLegend(marked: "with a finding", others: "without"),
      isLogarithmic: isWide)
  }

  // MARK: What it cannot show

  private var limitSection: HTMLReport.Section {
    var blocks: [HTMLReport.Block] = [
      .paragraph(Self.limits), .code(Self.captureLines, name: "terminal and Python"),
    ]
    if !unread.isEmpty {
      let rows = unread.sorted { $0.key < $1.key }.map { [$0.key, $0.value] }
      blocks.append(
        .folded(
          "\(unread.count) tensors were not read",
          [.table(ReportTable(head: ["tensor", "why"], rows: rows), title: "Not read")]))
    }
    return .init("What a checkpoint does not show", blocks)
  }
}

extension CheckpointLayer {
  /// The name to display; a layer whose tensors are at the top level has no name.
  var title: String { name.isEmpty ? "(top)" : name }

  /// `0.2 to 3.1`, and the number of values that are not finite; empty if the layer has no such
  /// tensor.
  func words(_ extent: Extent?) -> String {
    guard let extent else { return "" }
    if extent.nonFinite == channels { return "none is finite" }
    let range =
      extent.smallest == extent.largest
      ? short(extent.smallest) : "\(short(extent.smallest)) to \(short(extent.largest))"
    return extent.nonFinite == 0 ? range : "\(range), \(extent.nonFinite) not finite"
  }
}
