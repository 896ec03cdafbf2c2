import NormaTensor

extension HTMLReport.Section {
  /// The distribution of values, and the difference of two results; nil if there is nothing to
  /// show.
  ///
  /// - Parameters:
  ///   - samples: The samples, shown in one chart, or in panels if their scales differ much.
  ///   - results: Two results of the same shape with their names.
  ///   - apart: A chart of their differences; by default computed from the results.
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
  /// The difference of two results, value by value; nil for different shapes, or if there are no
  /// values.
  init?(
    _ second: (name: String, values: Tensor), less first: (name: String, values: Tensor),
    title: String = "Distance between the results"
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
