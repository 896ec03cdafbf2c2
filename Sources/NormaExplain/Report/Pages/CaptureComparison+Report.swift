extension CaptureComparison {
  /// The comparison as a page with charts.
  ///
  /// - Parameters:
  ///   - title: The title of the page.
  ///   - captures: The compared captures, from which the page shows samples, parameters and
  ///     buffers.
  public func report(
    title: String? = nil, captures: (first: NetworkCapture, second: NetworkCapture)? = nil
  ) -> HTMLReport {
    var report = HTMLReport(title: title ?? "\(first) and \(second)")
    report.verdict = .init(
      verdictText, isSame ? .good : verdict == .undecided ? .note : .bad)
    report.facts = facts(captures)
    var sections: [HTMLReport.Section] = []
    if let section = originSection { sections.append(section) }
    if let section = layerSection { sections.append(section) }
    if let captures, let section = tensorSection(captures) { sections.append(section) }
    if let section = otherSection { sections.append(section) }
    let remarks = notes + (codeLegend.map { [$0] } ?? [])
    if !remarks.isEmpty { sections.append(.init("Notes", [.list(remarks)])) }
    report.sections = sections
    return report
  }

  private func facts(
    _ captures: (first: NetworkCapture, second: NetworkCapture)?
  ) -> [HTMLReport.Fact] {
    var facts: [HTMLReport.Fact] = [.init("first", first), .init("second", second)]
    if let captures {
      let frameworks = [captures.first.framework, captures.second.framework]
      facts.append(.init("made by", Set(frameworks).count == 1 ? frameworks[0] : list(frameworks)))
      let samples = [captures.first.samples, captures.second.samples].map(grouped)
      facts.append(.init("samples", Set(samples).count == 1 ? samples[0] : list(samples)))
    }
    facts.append(.init("layers matched \(matching.words)", "\(layers.count)"))
    facts.append(.init("differ by themselves", "\(layers.count { $0.behaviour == .different })"))
    return facts
  }

  private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  // MARK: Where they diverge

  private var originSection: HTMLReport.Section? {
    guard let originLayer else { return nil }
    var blocks: [HTMLReport.Block] = []
    if let input = originLayer.input { blocks.append(.paragraph("Inputs: \(input.words).")) }
    if let output = originLayer.output { blocks.append(.paragraph("Outputs: \(output.words).")) }
    if isReordered {
      blocks.append(.paragraph("The second calls the layers in a different order than the first."))
    }
    guard tellsOfOrigin else { return .init("Where they diverge", blocks) }
    if originLayer.causes.count > 1,
      let chart = ShareChart.of(
        originLayer.parts, unexplained: originLayer.unexplained,
        isRounding: originLayer.unexplainedIsRounding,
        together: originLayer.ownGap?.maximum ?? 0, title: "What makes the difference")
    {
      blocks.append(.charts([chart]))
    }
    blocks += cards(originLayer)
    if let group = PairGroup.all(of: self).first, group.pairs.count > 1 {
      let rest = group.pairs.dropFirst()
      blocks.append(
        .paragraph("\(rest.count) more differ in the same way: \(PairGroup.names(rest))."))
    }
    return .init("Where they diverge", blocks)
  }

  private func cards(_ pair: CapturedPair) -> [HTMLReport.Block] {
    let isHidden = ShareWords.isMisleading(pair.parts)
    var blocks: [HTMLReport.Block] = pair.causes.map { cause in
      let share =
        isHidden
        ? "alone \(short(cause.differenceAlone))"
        : "\(ShareWords.percentage(cause.share)) of the difference"
      var left: [HTMLReport.Block] = [
        .code([cause.first], name: "the first"), .code([cause.second], name: "the second"),
      ]
      if !cause.reason.isEmpty { left.insert(.paragraph(cause.reason), at: 0) }
      let code: [HTMLReport.Block] =
        cause.pytorch.isEmpty
        ? []
        : [
          .heading("To give the second what the first has"),
          .code(cause.pytorch, name: "PyTorch"),
        ]
      return .card(
        "\(pair.title): \(cause.name), \(share)", level: .warning,
        blocks: [.columns(code.isEmpty ? [left] : [left, code])])
    }
    if pair.behaviour == .different, pair.causes.isEmpty || !pair.unexplainedIsRounding {
      let share = ShareWords.percentage(pair.unexplained)
      blocks.append(.paragraph("\(share) of the difference is unexplained."))
    }
    let rest = pair.differences.filter { !pair.names($0.name) }
    if !rest.isEmpty { blocks.append(.list(rest.map(\.words))) }
    return blocks
  }

  // MARK: All layers

  private var layerSection: HTMLReport.Section? {
    if layers.isEmpty { return nil }
    var charts: [any ReportChart] = []
    let own = layers.filter { $0.ownGap != nil }
    if !own.isEmpty {
      let different = own.count { $0.behaviour == .different }
      charts.append(
        chart(
          "What each layer computes from equal inputs",
          "The distance between the outputs for the same input, in multiples of rounding. "
            + (different == 0
              ? "None is off."
              : "\(different) of \(own.count) \(different == 1 ? "is" : "are") off."),
          "multiples of rounding",
          own.map { ($0, $0.ownMultiple, "\(short($0.ownMultiple)) times") },
          reference: BarChart.Reference(1, name: "rounding")))
    }
    let outputs = layers.compactMap { pair in pair.output.map { (pair, $0.relative, $0.mark) } }
    if !outputs.isEmpty {
      charts.append(
        chart(
          "Distance between each layer's outputs",
          "Root mean square, in standard deviations of the first one's output. What comes after a "
            + "difference gets other inputs, and follows it.",
          "standard deviations", outputs, reference: nil))
    }
    let head = [
      "layer", "kind", "distance of inputs", "distance of outputs", "for equal inputs",
      "multiple of rounding", "differs",
    ]
    let rows = layers.map { pair in
      [
        pair.title,
        pair.firstKind == pair.secondKind
          ? pair.firstKind : "\(pair.firstKind) / \(pair.secondKind)",
        pair.input?.mark ?? "unknown", pair.output?.mark ?? "unknown", pair.behaviour.rawValue,
        pair.ownGap == nil ? "" : short(pair.ownMultiple), list(pair.differences.map(\.name)),
      ]
    }
    let table = HTMLReport.Block.table(
      ReportTable(head: head, rows: rows), title: "Layers in the order of their calls")
    let numbers = HTMLReport.Block.folded("All numbers of the layers", [table])
    return .init("Layer by layer", charts.isEmpty ? [table] : [.charts(charts), numbers])
  }

  private func chart(
    _ title: String, _ summary: String, _ unit: String, _ bars: [(CapturedPair, Double, String)],
    reference: BarChart.Reference?
  ) -> BarChart {
    let positive = bars.map(\.1).filter { $0.isFinite && $0 > 0 }
    let isWide = (positive.max() ?? 1) > 50 * (positive.min() ?? 1)
    return BarChart(
      title: title, summary: summary, valueName: unit + (isWide ? ", logarithmic" : ""),
      bars: bars.map { .init($0.title, $1, words: $2, isMarked: $0.behaviour == .different) },
      legend: ChartLegend(marked: "differs by itself", others: "does not, or follows"),
      reference: reference,
      isLogarithmic: isWide)
  }

  // MARK: Other layers

  private var otherSection: HTMLReport.Section? {
    var blocks: [HTMLReport.Block] = []
    let groups = PairGroup.all(of: self).dropFirst(tellsOfOrigin ? 1 : 0)
    for group in groups.prefix(12) {
      guard let pair = group.pairs.first else { continue }
      let verb = group.pairs.count > 1 ? "differ" : "differs"
      blocks.append(.heading("\(PairGroup.names(group.pairs[...])) \(verb) \(group.manner)"))
      blocks += cards(pair)
    }
    if groups.count > 12 { blocks.append(.paragraph("More layers differ; the table has them.")) }
    for (names, file) in [(onlyFirst, first), (onlySecond, second)] where !names.isEmpty {
      blocks.append(.paragraph("Only \(file) has: \(list(names))."))
    }
    return blocks.isEmpty ? nil : .init("Beside it", blocks)
  }
}

extension CapturedPair {
  /// The distance between the outputs for the same input, in multiples of rounding.
  var ownMultiple: Double {
    guard let ownGap else { return 0 }
    return ownGap.maximum == 0 ? 0 : ownGap.maximum / max(ownGap.rounding, 1e-300)
  }
}
