import NormaTensor

extension HTMLReport.Section {
  /// How values lie, and how far the results of two sides are apart; nil where there is nothing to show.
  ///
  /// - Parameters:
  ///   - samples: What is shown in one chart, or in panels of one where the scales differ much.
  ///   - results: Two results of one shape with their names.
  ///   - apart: A chart of their differences; by default one is made of the results.
  static func values(
    _ samples: [(name: String, values: Tensor)],
    results: (first: (name: String, values: Tensor), second: (name: String, values: Tensor))? = nil,
    apart: HistogramChart? = nil
  ) -> HTMLReport.Section? {
    var charts: [any ReportChart] = []
    if !samples.isEmpty {
      charts.append(
        HistogramChart(
          title: "Values", samples: samples.map { .init($0.name, $0.values.sampledValues) }))
    }
    if let results {
      let (first, second) = results
      charts.append(
        HistogramChart(
          title: "Results",
          samples: [first, second].map { .init($0.name, $0.values.sampledValues) }))
      if apart == nil, let found = HistogramChart(second, less: first) { charts.append(found) }
    }
    if let apart { charts.append(apart) }
    return charts.isEmpty ? nil : .init("Values", [.charts(charts)])
  }
}

extension HistogramChart {
  /// How far two results are apart, value by value; nil for other shapes, or where nothing is.
  init?(
    _ second: (name: String, values: Tensor), less first: (name: String, values: Tensor),
    title: String = "How far the results are apart"
  ) {
    guard first.values.shape == second.values.shape, first.values.count > 0 else { return nil }
    let apart =
      second.values.detached().cast(to: .float64) - first.values.detached().cast(to: .float64)
    let values = apart.sampledValues
    guard values.contains(where: { $0 != 0 }) else { return nil }
    self.init(
      title: title, summary: "\(second.name) less \(first.name), value by value.",
      valueName: "difference", samples: [.init("difference", values)])
  }
}
