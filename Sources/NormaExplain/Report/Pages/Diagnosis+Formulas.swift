extension Diagnosis {
  /// The number of layers that are off that are shown with their samples.
  private static let shownLayers = 3

  /// The layers' outputs for samples compared with their formulas; nil without samples.
  func formulaSection(_ capture: NetworkCapture?) -> HTMLReport.Section? {
    if formulas.isEmpty { return nil }
    var blocks: [HTMLReport.Block] = [
      .paragraph(
        "The layers' outputs for the captured samples, compared with their formulas and "
          + "parameters.")
    ]
    var charts: [any ReportChart] = []
    if let chart = formulaChart { charts.append(chart) }
    let off = formulas.filter(\.isOff).prefix(Self.shownLayers)
    charts += off.compactMap { capture?[$0.name]?.histogram }
    if !charts.isEmpty { blocks.append(.charts(charts)) }
    let head = ["layer", "kind", "samples", "largest distance", "rounding", "finding"]
    let rows = formulas.map { layer in
      [
        layer.title, layer.kind, "\(layer.samples)", layer.gap.map(short) ?? "",
        short(layer.expectedGap),
        layer.obstacle ?? (layer.isOff ? "another formula" : "as its formula"),
      ]
    }
    blocks.append(.table(ReportTable(head: head, rows: rows), title: "Layers and their formulas"))
    return .init("Results against formulas", blocks)
  }

  /// A bar for each layer that could be compared.
  private var formulaChart: BarChart? {
    let compared = formulas.compactMap { layer in
      layer.obstacle == nil && layer.expectedGap > 0
        ? layer.gap.map { (layer, $0 / layer.expectedGap) } : nil
    }
    if compared.isEmpty { return nil }
    let off = compared.count { $0.0.isOff }
    return BarChart(
      title: "How far each layer's results are from its formula",
      summary: "The largest distance in multiples of what rounding may make. "
        + (off == 0
          ? "No layer is off." : "\(off) of \(compared.count) \(off == 1 ? "is" : "are") off."),
      valueName: "multiples of rounding, logarithmic",
      bars: compared.map { layer, multiple in
        .init(layer.title, multiple, words: "\(short(multiple)) times", isMarked: layer.isOff)
      }, legend: ChartLegend(marked: "another formula", others: "as its formula"),
      reference: BarChart.Reference(1, name: "rounding"),
      isLogarithmic: true)
  }
}

extension FormulaDiagnosis {
  /// The name to display; a network that is itself the layer has no name.
  var title: String { name.isEmpty ? "the layer" : name }
}
