import NormaTensor

extension LayerComparison {
  /// The comparison as a page with charts.
  ///
  /// - Parameters:
  ///   - title: The title of the page; by default both layers' names.
  ///   - samples: Tensors to show as histograms, such as the input.
  ///   - results: Both layers' results, to show as histograms, together with their difference.
  public func report(
    title: String? = nil, samples: [(name: String, values: Tensor)] = [],
    results: (first: Tensor, second: Tensor)? = nil
  ) -> HTMLReport {
    var report = HTMLReport(title: title ?? "\(first) and \(second)")
    report.facts = [
      .init("input", "\(shape)"), .init("options that differ", "\(options.count)"),
    ]
    report.verdict =
      isSame
      ? .init("Both do the same, up to rounding.", .good)
      : .init(
        "They differ: \(list(quantities.filter { !$0.isSame }.map(\.quantity.rawValue))).", .bad)
    var sections: [HTMLReport.Section] = []
    if !options.isEmpty {
      let rows = options.map { [$0.option.rawValue, $0.first, $0.second] }
      let table = ReportTable(head: ["option", first, second], rows: rows)
      sections.append(.init("Options", [.table(table, title: "Options that differ")]))
    }
    if !quantities.isEmpty {
      sections.append(.init("Differences", quantities.flatMap(blocks)))
    }
    let sides = results.map { ((first, $0.first), (second, $0.second)) }
    if let values = HTMLReport.Section.values(samples, results: sides) { sections.append(values) }
    report.sections = sections
    return report
  }

  private func list(_ names: [String]) -> String { names.joined(separator: ", ") }

  private func blocks(_ quantity: QuantityComparison) -> [HTMLReport.Block] {
    let place = quantity.place.map(String.init).joined(separator: ", ")
    var text =
      "At most \(short(quantity.largestDifference)) at [\(place)], root mean square "
      + "\(short(quantity.rootMeanSquare)); the largest value is \(short(quantity.largestValue))."
    if quantity.incomparable > 0 {
      text += " \(grouped(quantity.incomparable)) values are not finite in one of them."
    }
    if quantity.largestDifference == 0 && quantity.incomparable == 0 { text = "Equal." }
    var blocks: [HTMLReport.Block] = [.heading(quantity.quantity.rawValue), .paragraph(text)]
    if let chart = ShareChart.of(
      quantity.parts, unexplained: quantity.unexplained, isRounding: quantity.isRounding,
      together: quantity.largestDifference,
      title: "What makes the difference: \(quantity.quantity.rawValue)"
    ) {
      blocks.append(.charts([chart]))
      if !ShareWords.isMisleading(quantity.parts) {
        let rows = quantity.parts.map {
          [$0.name, ShareWords.percentage($0.share), short($0.alone)]
        }
        let head = ["option", "share", "largest difference where it alone differs"]
        blocks.append(
          .table(ReportTable(head: head, rows: rows), title: "Options and their shares"))
      }
    }
    return blocks
  }
}

extension QuantityComparison {
  /// Whether it differs only by rounding.
  fileprivate var isSame: Bool { causes.isEmpty && isRounding }
}

/// Bars of the causes' shares of a difference.
enum ShareChart {
  /// The chart; nil without causes. If shares would be misleading, it has a bar for the effect of
  /// each cause alone, and one for all together.
  static func of(
    _ causes: [ShareWords.Part], unexplained: Double, isRounding: Bool, together: Double,
    title: String
  ) -> BarChart? {
    if causes.isEmpty { return nil }
    if ShareWords.isMisleading(causes) {
      return BarChart(
        title: title,
        summary: "The causes hide parts of each other, so each is shown with its effect alone.",
        valueName: "largest difference",
        bars: causes.map { .init("\($0.name) alone", $0.alone, words: number($0.alone)) } + [
          .init("all together", together, words: number(together), isMarked: true)
        ], legend: ChartLegend(marked: "all together", others: "alone"))
    }
    let rest = isRounding ? "unexplained (rounding)" : "unexplained"
    let isHidden = causes.contains { $0.share < -5e-5 }
    return BarChart(
      title: title,
      summary: "The shares add up to 100 %."
        + (isHidden ? " A negative share hides a part of the others." : ""),
      valueName: "share in %",
      bars: causes.map {
        .init($0.name, $0.share * 100, words: ShareWords.percentage($0.share))
      } + [
        .init(
          rest, unexplained * 100, words: ShareWords.percentage(unexplained), isMarked: !isRounding)
      ])
  }
}
