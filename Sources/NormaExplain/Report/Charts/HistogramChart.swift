/// The distribution of values, for one or several samples: overlaid if their ranges are similar,
/// otherwise one below the other, each with its own axis.
///
/// Values that are not finite are counted and mentioned. A few values far from all others do not
/// squeeze the rest into one bin: they are counted at the edge and mentioned too.
public struct HistogramChart: ReportChart {
  /// The values of one kind.
  public struct Sample: Sendable {
    /// The name of the sample.
    public var name: String
    /// The values.
    public var values: [Double]

    /// A sample.
    public init(_ name: String, _ values: [Double]) {
      self.name = name
      self.values = values
    }
  }

  /// The counts of one sample.
  struct Bins {
    let name: String
    let low: Double
    let high: Double
    var counts: [Int]
    /// Finite values outside, counted in the first and last bin.
    var outside = 0
    var notFinite = 0

    /// What was left out or moved, as text.
    var remark: String {
      var parts: [String] = []
      if outside > 0 { parts.append("\(outside) far away, counted at the edge") }
      if notFinite > 0 { parts.append("\(notFinite) not finite") }
      return parts.isEmpty ? "" : "\(name): " + parts.joined(separator: ", ") + "."
    }
  }

  /// The title.
  public var title: String
  private let remark: String
  /// The meaning of the values.
  public var valueName: String
  /// Panels of samples that share an axis.
  let panels: [[Bins]]
  private let sizes: [(name: String, count: Int)]

  /// The number of bins of a sample.
  static let bins = 40

  /// A chart of up to four samples.
  public init(
    title: String, summary: String = "", valueName: String = "value", samples: [Sample]
  ) {
    self.title = title
    remark = summary
    self.valueName = valueName
    let samples = Array(samples.prefix(4))
    sizes = samples.map { ($0.name, $0.values.count) }
    let ranges = samples.map { Self.range($0.values) }
    if let common = Self.common(ranges) {
      panels = [samples.map { Self.counted($0, common) }]
    } else {
      panels = zip(samples, ranges).map { [Self.counted($0, $1 ?? (0, 1))] }
    }
  }

  /// What the chart shows, in a sentence.
  public var summary: String {
    let isEven = Set(sizes.map(\.count)).count == 1
    let counts =
      isEven
      ? "\(grouped(sizes[0].count)) values" + (sizes.count == 1 ? "" : " each")
      : sizes.map { "\($0.name): \(grouped($0.count)) values" }.joined(separator: ", ")
    let rest = panels.joined().map(\.remark).filter { !$0.isEmpty }
    return ([remark, counts.isEmpty ? "" : counts + "."] + rest).filter { !$0.isEmpty }
      .map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined(separator: " ")
  }

  /// The data as a table.
  public var table: ReportTable {
    if panels.count == 1, let first = panels[0].first {
      let rows = (0..<Self.bins).map { bin in
        ["\(Self.edge(first, bin)) to \(Self.edge(first, bin + 1))"]
          + panels[0].map { grouped($0.counts[bin]) }
      }
      return ReportTable(head: [valueName] + panels[0].map(\.name), rows: rows)
    }
    let rows = panels.joined().flatMap { bins in
      (0..<Self.bins).map {
        [
          bins.name, "\(Self.edge(bins, $0)) to \(Self.edge(bins, $0 + 1))",
          grouped(bins.counts[$0]),
        ]
      }
    }
    return ReportTable(head: ["of", valueName, "count"], rows: rows)
  }

  private static func edge(_ bins: Bins, _ position: Int) -> String {
    let share = Double(position) / Double(Self.bins)
    return short(bins.low * (1 - share) + bins.high * share)
  }

  // MARK: Counting

  /// The range of a sample without a few values far away; nil if no value is finite.
  private static func range(_ values: [Double]) -> (low: Double, high: Double)? {
    // Enough to know the range of nearly all values, and quick to sort.
    let step = max(1, values.count / 20_000)
    var finite = stride(from: 0, to: values.count, by: step).map { values[$0] }
      .filter(\.isFinite)
    finite.sort()
    guard let first = finite.first, let last = finite.last else { return nil }
    let tail = finite.count / 200
    let (low, high) = (finite[tail], finite[finite.count - 1 - tail])
    let inner = high / 2 - low / 2
    let isLong = inner > 0 && (last / 2 - first / 2) > 8 * inner
    let (start, end) = isLong ? (low, high) : (first, last)
    if start == end {
      let pad = start == 0 ? 1 : abs(start) * 0.1
      return (start - pad, end + pad)
    }
    return (start, end)
  }

  /// A common range, if it does not squeeze a sample into a few bins.
  private static func common(
    _ ranges: [(low: Double, high: Double)?]
  ) -> (low: Double, high: Double)? {
    let known = ranges.compactMap { $0 }
    guard let low = known.map(\.low).min(), let high = known.map(\.high).max() else {
      return (0, 1)
    }
    let whole = high / 2 - low / 2
    return known.allSatisfy { ($0.high / 2 - $0.low / 2) * 6 >= whole } ? (low, high) : nil
  }

  private static func counted(
    _ sample: Sample, _ range: (low: Double, high: Double)
  ) -> Bins {
    var bins = Bins(
      name: sample.name, low: range.low, high: range.high,
      counts: Array(repeating: 0, count: Self.bins))
    let half = range.high / 2 - range.low / 2
    for value in sample.values {
      guard value.isFinite else {
        bins.notFinite += 1
        continue
      }
      if value < range.low || value > range.high { bins.outside += 1 }
      let share = half > 0 ? (value / 2 - range.low / 2) / half : 0.5
      let position = Int((min(max(share, 0), 1) * Double(Self.bins)).rounded(.down))
      bins.counts[min(position, Self.bins - 1)] += 1
    }
    return bins
  }

  // MARK: Drawing

  private static let paints: [SVGDrawing.Paint] = [.blue, .orange, .green, .purple]

  /// The chart for a width in pixels, without its title.
  public func drawing(width: Double) -> SVGDrawing {
    let names = panels.joined().map(\.name)
    let isSplit = panels.count > 1
    let top = 18.0 * Double(SVGDrawing.legendLines(isSplit ? [] : names, width: width)) + 8
    let height = isSplit ? 110.0 : 200
    let panel = height + 44 + (isSplit ? 18 : 0)
    var drawing = SVGDrawing(width: width, height: top + panel * Double(panels.count))
    if !isSplit {
      let entries = zip(Self.paints, names).map { (paint: $0, isDiamond: false, words: $1) }
      drawing.legend(entries, x: 0, y: 12)
    }
    var position = 0
    for (number, bins) in panels.enumerated() {
      var start = top + panel * Double(number)
      if isSplit {
        drawing.text(bins[0].name, x: 0, y: start + 10, size: 12, isBold: true, fitting: width)
        start += 18
      }
      draw(bins, at: start, height: height, first: position, into: &drawing)
      position += bins.count
    }
    return drawing
  }

  private func draw(
    _ bins: [Bins], at top: Double, height: Double, first: Int, into drawing: inout SVGDrawing
  ) {
    guard let shared = bins.first else { return }
    let (left, right) = (0.0, drawing.width)
    let bottom = top + height
    // Fractions, because samples may have different sizes.
    let shares = bins.map { bins in
      let all = max(bins.counts.reduce(0, +), 1)
      return bins.counts.map { Double($0) / Double(all) }
    }
    let largest = max(shares.joined().max() ?? 0, .leastNonzeroMagnitude)
    let step = (right - left) / Double(Self.bins)
    for (offset, share) in shares.enumerated() {
      let paint = Self.paints[(first + offset) % Self.paints.count]
      var outline: [(x: Double, y: Double)] = [(left, bottom)]
      for (bin, value) in share.enumerated() {
        let y = bottom - value / largest * height
        outline.append((left + Double(bin) * step, y))
        outline.append((left + Double(bin + 1) * step, y))
      }
      outline.append((right, bottom))
      drawing.path(outline, fill: paint, opacity: bins.count > 1 ? 0.28 : 0.5)
      drawing.path(outline, stroke: paint, isDashed: offset % 2 == 1)
    }
    drawing.line(x1: left, y1: bottom, x2: right, y2: bottom, paint: .faint)
    let axis = ChartAxis(from: shared.low, to: shared.high)
    var lastLabel = -Double.infinity
    for tick in axis.ticks(about: drawing.width < 500 ? 4 : 7) {
      guard let x = axis.fraction(tick.value).map({ left + $0 * (right - left) }) else { continue }
      drawing.line(x1: x, y1: bottom, x2: x, y2: bottom + 4, paint: .faint)
      let half = SVGDrawing.width(of: tick.label, size: 11) / 2
      let start = max(min(x, right - half), left + half) - half
      if start < lastLabel { continue }
      drawing.tick(tick.label, x: x, y: bottom + 16)
      lastLabel = start + 2 * half + 6
    }
    drawing.text(
      valueName, x: right, y: bottom + 33, anchor: .end, paint: .faint, size: 12, fitting: right)
  }
}
