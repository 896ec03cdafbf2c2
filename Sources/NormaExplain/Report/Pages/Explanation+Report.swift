import Foundation
import NormaTensor

extension Explanation {
  /// The explanation as a page with charts.
  ///
  /// - Parameters:
  ///   - title: The title of the page; by default the layer's name.
  ///   - samples: Tensors to show as histograms, such as the input.
  ///   - results: The layer's result and the expected one, to show as histograms, together with
  ///     their difference.
  public func report(
    title: String? = nil, samples: [(name: String, values: Tensor)] = [],
    results: (layer: Tensor, expected: Tensor)? = nil
  ) -> HTMLReport {
    var report = HTMLReport(title: title ?? layer)
    report.verdict = verdict
    report.facts = [
      .init("layer", layer), .init("mode", isTraining ? "training" : "evaluation"),
      .init("input", "\(statistics.shape)"),
      .init("values in a statistic", grouped(statistics.count)),
    ]
    var sections: [HTMLReport.Section] = []
    if let gap, gap.maximum != 0 { sections.append(gapSection(gap)) }
    if !notes.isEmpty { sections.append(.init("Notes", [.list(notes)])) }
    sections.append(statisticsSection)
    let sides = results.map { (("expected", $0.expected), ("the layer's", $0.layer)) }
    if let values = HTMLReport.Section.values(samples, results: sides, apart: differenceChart) {
      sections.append(values)
    }
    report.sections = sections
    return report
  }

  /// The differences now, and after all changes; nil if no steps are known.
  private var differenceChart: HistogramChart? {
    guard !steps.isEmpty, !differences.after.isEmpty, gap?.maximum != 0 else { return nil }
    let changes = steps.count == 1 ? "the change" : "all \(steps.count) changes"
    return HistogramChart(
      title: "Differences before and after \(changes)",
      summary: "The layer's result less the expected one, value by value.", valueName: "difference",
      samples: [.init("before", differences.now), .init("after \(changes)", differences.after)])
  }

  private var verdict: HTMLReport.Verdict? {
    guard let gap else { return nil }
    if gap.maximum == 0 { return .init("No gap: the results are equal.", .good) }
    let size = "The gap is \(number(gap.maximum))"
    if agrees { return .init("\(size). This is rounding, and nothing to put right.", .good) }
    guard let first = causes.first else { return .init("\(size), and no known cause fits.", .bad) }
    return .init("\(size). First cause: \(first.name.rawValue).", .bad)
  }

  // MARK: The gap

  private func gapSection(_ gap: Explanation.Gap) -> HTMLReport.Section {
    var blocks: [HTMLReport.Block] = [
      .paragraph(
        "\(number(gap.maximum)) at most, \(number(gap.rootMeanSquare)) root mean square.")
    ]
    var charts: [any ReportChart] = []
    if let first = steps.first, let last = steps.last {
      let changes = steps.count == 1 ? "One change" : "\(steps.count) changes"
      charts.append(
        LadderChart(
          title: "The gap, change by change",
          summary: unexplainedIsRounding
            ? "\(changes), and what is left is rounding." : "\(changes); a part stays unexplained.",
          valueName: "largest difference, logarithmic",
          rounding: unexplainedIsRounding ? left(last) : nil,
          steps: [.init("the gap now", first.gapBefore)]
            + steps.map { .init($0.advice, left($0)) }))
    }
    if let shares = ShareChart.of(
      causes.map { .init($0.name.rawValue, $0.share, alone: $0.gapAlone) },
      unexplained: unexplained, isRounding: unexplainedIsRounding, together: gap.maximum,
      title: "How much each cause carries")
    {
      charts.append(shares)
    }
    if !charts.isEmpty { blocks.append(.charts(charts)) }
    blocks += steps.enumerated().map { card($1, number: $0 + 1) }
    if causes.isEmpty && !unexplainedIsRounding {
      blocks.append(
        .paragraph("No known formula gives the expected result for this input."))
    }
    return .init("The gap", blocks)
  }

  private func card(_ step: LadderStep, number position: Int) -> HTMLReport.Block {
    var left: [HTMLReport.Block] = [.paragraph(step.reason)]
    if !step.alternatives.isEmpty {
      let others = step.alternatives.map(\.rawValue).joined(separator: ", ")
      left.append(.paragraph("The data cannot distinguish it from: \(others)."))
    }
    left += [
      .code(statements(step.yours), name: "yours"),
      .code(statements(step.layers), name: "the layer's"),
    ]
    left.append(
      .paragraph(
        "The gap goes from \(number(step.gapBefore)) to \(self.left(after: position - 1))."))
    var right: [HTMLReport.Block] = []
    if let code = step.code {
      right = [
        .heading("Write instead"), .code(lines(code.pytorch), name: "PyTorch"),
        .code(lines(code.norma, isSwift: true), name: "Norma"),
      ]
    }
    return .card(
      "\(position). \(step.advice) (\(step.cause.rawValue))", level: .warning,
      blocks: [.columns(right.isEmpty ? [left] : [left, right])])
  }

  /// The gap after a step; if that is rounding, the measured value.
  private func left(_ step: LadderStep) -> Double {
    guard unexplainedIsRounding, step == steps.last else { return step.gapAfter }
    return max(step.gapAfter, differences.after.reduce(0) { max($0, abs($1)) })
  }

  /// The approximate number of characters of code that fit in half of a wide page.
  private static let codeWidth = 54

  private func statements(_ text: String) -> [String] {
    text.isStatement ? text.components(separatedBy: "; ").flatMap { lines($0) } : [text]
  }

  private func lines(_ code: String, isSwift: Bool = false) -> [String] {
    code.components(separatedBy: "\n").flatMap { line in
      TextStyle(width: Self.codeWidth).code(line, indent: 2, isSwift: isSwift)
        .components(separatedBy: "\n")
    }
  }

  // MARK: The formula

  /// The largest number of units that are listed.
  private static let mostUnits = 512

  private var statisticsSection: HTMLReport.Section {
    let s = statistics
    let normalized = s.subtractsMean ? "(x - mean) / sqrt(var" : "x / sqrt(mean of squares"
    let formula =
      "y = \(normalized) + \(number(s.epsilon)))"
      + (s.weight == nil ? "" : " * weight") + (s.bias == nil ? "" : " + bias")
    let source =
      s.usesRunning
      ? "The layer divides by running statistics, from earlier batches."
      : "Statistics over axes \(list(s.axes)): \(grouped(s.count)) values for each \(s.unit)."
    var head = [s.unit, s.subtractsMean ? "mean" : "mean of squares"]
    if s.subtractsMean { head += ["variance (n)", "variance (n - 1)"] }
    if s.usesRunning { head += ["running mean", "running variance"] }
    head.append("share of eps")
    let rows = s.mean.indices.prefix(Self.mostUnits).map { c in
      var row = ["\(c)"]
      row.append(number(s.subtractsMean ? s.mean[c] : s.biasedVariance[c]))
      if s.subtractsMean { row += [number(s.biasedVariance[c]), number(s.unbiasedVariance[c])] }
      if s.usesRunning { row += [number(s.usedMean[c]), number(s.usedVariance[c])] }
      return row + [percent(s.epsilonShare[c])]
    }
    var blocks: [HTMLReport.Block] = [
      .code([formula], name: "what the layer does"), .paragraph(source),
    ]
    if s.usesRunning { blocks.append(.charts(runningCharts)) }
    let more = s.mean.count > rows.count ? ", the first \(rows.count) of \(s.mean.count)" : ""
    blocks.append(
      .folded(
        "Statistics of each \(s.unit)\(more)",
        [.table(ReportTable(head: head, rows: rows), title: "Statistics")]))
    return .init("The formula and its statistics", blocks)
  }

  private var runningCharts: [any ReportChart] {
    let s = statistics
    func points(_ x: [Double], _ y: [Double]) -> [ScatterChart.Point] {
      zip(x, y).enumerated().map { .init("\($0)", x: $1.0, y: $1.1) }
    }
    return [
      ScatterChart(
        title: "Means", xName: "mean of the input", yName: "running mean", unit: "channel",
        points: points(s.mean, s.usedMean)),
      ScatterChart(
        title: "Variances", xName: "variance of the input", yName: "running variance",
        unit: "channel", points: points(s.unbiasedVariance, s.usedVariance)),
    ]
  }
}

extension Tensor {
  /// The values as numbers, at most about 100,000 of them.
  var sampledValues: [Double] {
    let all: [Double] = detached().cast(to: .float64).array()
    let step = Swift.max(1, all.count / 100_000)
    return step == 1 ? all : stride(from: 0, to: all.count, by: step).map { all[$0] }
  }
}
