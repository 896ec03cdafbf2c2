extension Diagnosis {
  /// The number of layers that are shown channel by channel, and of those that are collapsed.
  private static let (shownLayers, foldedLayers) = (3, 9)

  /// The layers channel by channel, most important first.
  func details(_ capture: NetworkCapture?) -> [HTMLReport.Section] {
    let ranked = ranked.filter { !$0.channels.isEmpty }
    let off = ranked.filter(\.isOff)
    let chosen = off.isEmpty ? Array(ranked.prefix(1)) : off
    if chosen.isEmpty { return [] }
    var blocks: [HTMLReport.Block] = [
      .paragraph(
        "Each point is a channel: across, what the batch has; upwards, what the layer keeps. "
          + "Points on the dashed line agree; the small lines show how far chance may move them.")
    ]
    for layer in chosen.prefix(Self.shownLayers) { blocks += self.blocks(layer, capture) }
    let rest = chosen.dropFirst(Self.shownLayers).prefix(Self.foldedLayers)
    if !rest.isEmpty {
      let names = rest.count == 1 ? "1 more layer" : "\(rest.count) more layers"
      blocks.append(.folded(names, rest.flatMap { self.blocks($0, capture) }))
    }
    let left = chosen.count - Self.shownLayers - rest.count
    if left > 0 {
      blocks.append(.paragraph("\(left) more layers that are off are not drawn here."))
    }
    return [.init("Channel by channel", blocks)]
  }

  /// Layers that are off first, by their effect on the result, otherwise by their gap.
  private var ranked: [LayerDiagnosis] {
    func size(_ value: Double?) -> Double { value.map { $0.isNaN ? .infinity : $0 } ?? -1 }
    return layers.enumerated().sorted { a, b in
      if a.element.isOff != b.element.isOff { return a.element.isOff }
      let (x, y) = (size(a.element.effect), size(b.element.effect))
      if x != y { return x > y }
      let (first, second) = (size(a.element.gap), size(b.element.gap))
      return first != second ? first > second : a.offset < b.offset
    }.map(\.element)
  }

  private func blocks(_ layer: LayerDiagnosis, _ capture: NetworkCapture?) -> [HTMLReport.Block] {
    let multiple = layer.multipleOfChance
    let words = multiple.isFinite ? "\(short(multiple)) times chance" : "a gap that is no number"
    var charts: [any ReportChart] = [means(layer), variances(layer)]
    if let samples = capture?[layer.name]?.histogram { charts.append(samples) }
    return [.heading("\(layer.title): \(layer.kind), \(words)"), .charts(charts)]
  }

  /// Running statistics only follow the last batches, and vary by this fraction of the samples'
  /// spread with momentum 0.1 and batches of 32, in addition to 1 / samples of this batch.
  private var strayed: Double { (1 + 0.003 * Double(samples)).squareRoot() }

  private static let legend = ChartLegend(
    marked: "more than chance", others: "within chance")

  private func means(_ layer: LayerDiagnosis) -> ScatterChart {
    ScatterChart(
      title: "\(layer.title): means", xName: "mean of the batch", yName: "running mean",
      unit: "channel",
      points: layer.channels.enumerated().map { number, channel in
        let error = channel.standardErrorOfMean * strayed
        let distance = abs(channel.runningMean - channel.mean)
        return .init(
          "\(number)", x: channel.mean, y: channel.runningMean, uncertainty: 2 * error,
          isMarked: distance > 4 * error && abs(channel.shift) > 0.1)
      }, legend: Self.legend)
  }

  private func variances(_ layer: LayerDiagnosis) -> ScatterChart {
    // Variances of channels often differ by powers of ten.
    let all = layer.channels.flatMap { [$0.variance, $0.runningVariance] }
    let isPositive = all.allSatisfy { $0.isFinite && $0 > 0 }
    let isWide = isPositive && (all.max() ?? 1) > 30 * (all.min() ?? 1)
    return ScatterChart(
      title: "\(layer.title): variances", xName: "variance of the batch",
      yName: isWide ? "running variance (logarithmic)" : "running variance", unit: "channel",
      points: layer.channels.enumerated().map { number, channel in
        let error = channel.standardErrorOfVariance * strayed
        let distance = abs(channel.runningVariance - channel.variance)
        let ratio = channel.varianceRatio
        return .init(
          "\(number)", x: channel.variance, y: channel.runningVariance, uncertainty: 2 * error,
          isMarked: !(distance <= 4 * error) && !(ratio > 0.8 && ratio < 1.25))
      }, legend: Self.legend, isLogarithmic: isWide)
  }
}

extension CapturedLayer {
  /// The distribution of samples before and after the layer; nil if the capture has none.
  var histogram: HistogramChart? {
    var samples: [HistogramChart.Sample] = []
    if let x, x.count > 0 { samples.append(.init("before the layer", x.sampledValues)) }
    if let y, y.count > 0 { samples.append(.init("after it", y.sampledValues)) }
    if samples.isEmpty { return nil }
    return HistogramChart(
      title: "\(title): values before and after", summary: "The first samples, in evaluation.",
      samples: samples)
  }
}
