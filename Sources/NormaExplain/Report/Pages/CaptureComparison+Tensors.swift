import NormaTensor

extension CaptureComparison {
  /// The number of differing layers that are drawn channel by channel.
  private static let shownLayers = 3

  /// Samples of the layer where the captures diverge, and parameters and buffers that differ.
  func tensorSection(_ captures: (first: NetworkCapture, second: NetworkCapture)) -> HTMLReport
    .Section?
  {
    let differing = layers.filter { pair in
      pair.differences.contains { difference in
        StateDifferences.tensors.contains { $0.name == difference.name }
      }
    }
    var shown = originLayer.map { [$0] } ?? []
    shown += differing.filter { $0.first != originLayer?.first }.prefix(Self.shownLayers)
    var blocks: [HTMLReport.Block] = []
    for pair in shown {
      guard let a = captures.first[pair.first], let b = captures.second[pair.second] else {
        continue
      }
      var charts = scatters(pair, a, b)
      if pair.first == originLayer?.first { charts += histograms(pair, a, b) }
      if charts.isEmpty { continue }
      blocks += [.heading(pair.title), .charts(charts)]
    }
    return blocks.isEmpty ? nil : .init("Samples, parameters and buffers", blocks)
  }

  private func scatters(
    _ pair: CapturedPair, _ a: CapturedLayer, _ b: CapturedLayer
  ) -> [any ReportChart] {
    StateDifferences.tensors.compactMap { role in
      guard let difference = pair.differences.first(where: { $0.name == role.name }),
        let x = role.path(a), let y = role.path(b), x.count == y.count, x.count > 0
      else { return nil }
      // More points than these could not be distinguished.
      let step = (x.count + 2047) / 2048
      let (mine, theirs) = (x.array(of: Double.self), y.array(of: Double.self))
      let unit = x.rank == 1 ? "channel" : "position"
      let points = stride(from: 0, to: mine.count, by: step).map { i in
        ScatterChart.Point(
          "\(i)", x: mine[i], y: theirs[i],
          isMarked: abs(mine[i] - theirs[i]) > 1e-5 * abs(mine[i]))
      }
      let known =
        difference.relation.isEmpty ? "" : "The second's is \(difference.relation)."
      return ScatterChart(
        title: "\(pair.title): \(role.name)", summary: known, xName: "\(role.name) of the first",
        yName: "\(role.name) of the second", unit: unit, points: points,
        legend: ChartLegend(marked: "differs", others: "equal"))
    }
  }

  private func histograms(
    _ pair: CapturedPair, _ a: CapturedLayer, _ b: CapturedLayer
  ) -> [any ReportChart] {
    func chart(_ name: String, _ first: Tensor?, _ second: Tensor?) -> HistogramChart? {
      guard let first, let second, first.count > 0, second.count > 0 else { return nil }
      return HistogramChart(
        title: "\(pair.title): \(name)", summary: "The captured samples, in evaluation.",
        samples: [
          .init("the first", first.sampledValues), .init("the second", second.sampledValues),
        ])
    }
    var charts = [chart("inputs", a.x, b.x), chart("outputs", a.y, b.y)].compactMap { $0 }
    if let x = a.y, let y = b.y,
      let apart = HistogramChart(
        ("the second's output", y), less: ("the first's", x),
        title: "\(pair.title): distance between the outputs")
    {
      charts.append(apart)
    }
    return charts
  }
}
