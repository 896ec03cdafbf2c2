/// A bar for each of several names, arranged vertically.
///
///     let chart = BarChart(
///       title: "Gap of each layer", summary: "bn2 is off.", valueName: "times chance",
///       bars: [.init("bn1", 0.8), .init("bn2", 37, isMarked: true)])
///
/// Bars start at zero. On a logarithmic scale, where ratios matter, they start at the left end;
/// values that are not above zero have no bar. A value that is not finite has a bar over the whole
/// width and is labeled.
public struct BarChart: ReportChart {
  /// One bar.
  public struct Bar: Sendable, Hashable {
    /// The label of the bar.
    public var label: String
    /// The value, which is the length of the bar.
    public var value: Double
    /// The text at its end.
    public var words: String
    /// Whether it is highlighted: drawn in orange, with an exclamation mark.
    public var isMarked: Bool

    /// A bar; without words, the value with three digits is shown at its end.
    public init(_ label: String, _ value: Double, words: String? = nil, isMarked: Bool = false) {
      self.label = label
      self.value = value
      self.words = words ?? short(value)
      self.isMarked = isMarked
    }
  }

  /// A line across the bars.
  public struct Reference: Sendable, Hashable {
    /// The position of the line.
    public var value: Double
    /// The label of the line.
    public var name: String

    /// A line at a value.
    public init(_ value: Double, name: String) { (self.value, self.name) = (value, name) }
  }

  /// The title.
  public var title: String
  /// What the chart shows, in a sentence.
  public var summary: String
  /// The meaning of the values, with their unit.
  public var valueName: String
  /// The bars, from the top.
  public var bars: [Bar]
  /// The meaning of marked bars and of the others.
  public var legend: ChartLegend?
  /// A line across the bars.
  public var reference: Reference?
  /// Whether equal ratios, rather than equal differences, have equal lengths.
  public var isLogarithmic: Bool

  /// The largest number of bars that are drawn; the table has all.
  public static let mostBars = 60

  /// A chart of bars.
  public init(
    title: String, summary: String, valueName: String, bars: [Bar],
    legend: ChartLegend? = nil,
    reference: Reference? = nil, isLogarithmic: Bool = false
  ) {
    self.title = title
    self.summary = summary
    self.valueName = valueName
    self.bars = bars
    self.legend = legend
    self.reference = reference
    self.isLogarithmic = isLogarithmic
  }

  /// See ``ReportChart/naturalWidth``.
  public var naturalWidth: Double { 760 }

  /// The data as a table.
  public var table: ReportTable {
    ReportTable(
      head: ["", valueName] + (legend == nil ? [] : ["finding"]),
      rows: bars.map { bar in
        [bar.label, bar.words]
          + (legend.map { [bar.isMarked ? $0.marked : $0.others] } ?? [])
      })
  }

  /// The bars that are drawn: all, or the marked and the longest ones, in their order.
  private var drawn: [Bar] {
    if bars.count <= Self.mostBars { return bars }
    let ranked = bars.indices.sorted { a, b in
      let (first, second) = (bars[a], bars[b])
      if first.isMarked != second.isMarked { return first.isMarked }
      let (x, y) = (abs(first.value), abs(second.value))
      return (x.isNaN ? .infinity : x, -a) > (y.isNaN ? .infinity : y, -b)
    }
    return ranked.prefix(Self.mostBars).sorted().map { bars[$0] }
  }

  /// The chart for a width in pixels, without its title.
  public func drawing(width: Double) -> SVGDrawing {
    let drawn = drawn
    let isNarrow = width < 560
    let labelSize = isNarrow ? 12.0 : 13
    let labels = drawn.map { SVGDrawing.width(of: $0.label, size: labelSize) }.max() ?? 0
    // Next to the bars if there is room, otherwise above them.
    let left = isNarrow ? 0 : min(labels + 24, width * 0.36)
    let ends = drawn.map { SVGDrawing.width(of: $0.words, size: 12) }.max() ?? 0
    // Above the bars, too, where they would be truncated next to them.
    let areAbove = isNarrow && ends + 10 > width * 0.3
    let right = areAbove ? 4 : min(ends + 10, width * 0.3)
    let row = isNarrow ? 36.0 : 22
    let entries = legend.map {
      [(SVGDrawing.Paint.blue, false, $0.others), (SVGDrawing.Paint.orange, true, $0.marked)]
    }
    let names = entries?.map(\.2) ?? []
    let top = 18 * Double(SVGDrawing.legendLines(names, width: width)) + (reference == nil ? 6 : 24)
    let rest = bars.count - drawn.count
    let bottom = top + row * Double(drawn.count)
    var drawing = SVGDrawing(width: width, height: bottom + 34 + (rest > 0 ? 18 : 0))
    if let entries { drawing.legend(entries, x: 0, y: 13) }

    let axis = axis(drawn)
    let room = width - left - right
    func place(_ value: Double) -> Double? { axis.fraction(value).map { left + $0 * room } }
    for tick in axis.ticks(about: isNarrow ? 4 : 7) {
      guard let x = place(tick.value) else { continue }
      drawing.line(x1: x, y1: top, x2: x, y2: bottom)
      drawing.tick(tick.label, x: x, y: bottom + 14)
    }
    drawing.text(
      valueName, x: left, y: bottom + 29, paint: .faint, size: 12, fitting: width - left)
    let start = place(0) ?? left
    for (position, bar) in drawn.enumerated() {
      let y = top + row * Double(position)
      let barTop = isNarrow ? y + 19 : y + 4
      let mark = bar.isMarked ? "! " : ""
      drawing.text(
        mark + bar.label, x: isNarrow ? 0 : left - 8, y: isNarrow ? y + 14 : y + 15,
        anchor: isNarrow ? .start : .end, size: labelSize, isBold: bar.isMarked,
        fitting: areAbove ? max(width - ends - 12, width * 0.3) : isNarrow ? width : left - 12)
      // NaN and positive infinity take the full width.
      let isLow = bar.value == -.infinity && !isLogarithmic
      let end = place(bar.value) ?? (bar.value.isFinite ? start : isLow ? left : left + room)
      drawing.rectangle(
        x: start, y: barTop, width: end - start, height: 14,
        fill: bar.isMarked ? .orange : .blue, radius: 2,
        tip: "\(bar.label): \(bar.words)")
      if areAbove {
        drawing.text(
          bar.words, x: width, y: y + 14, anchor: .end, size: 12, fitting: width * 0.66)
      } else {
        drawing.text(
          bar.words, x: max(end, start) + 5, y: barTop + 11, size: 12, fitting: right - 5)
      }
    }
    if let reference, let x = place(reference.value), !drawn.isEmpty {
      // Only across the bars where labels are between them.
      let rows = isNarrow ? drawn.indices.map { top + row * Double($0) + 18 } : [top - 4]
      for y in rows {
        drawing.line(
          x1: x, y1: y, x2: x, y2: isNarrow ? y + 16 : bottom, paint: .ink, thickness: 1.5,
          isDashed: true)
      }
      let isLeft = x < left + room / 2
      drawing.text(
        reference.name, x: isLeft ? x - 2 : x + 2, y: top - 8, anchor: isLeft ? .start : .end,
        paint: .ink, size: 12, fitting: isLeft ? width - x : x)
    }
    if rest > 0 {
      drawing.text(
        "\(rest) more in the table", x: left, y: bottom + 47, paint: .faint, size: 12)
    }
    return drawing
  }

  private func axis(_ drawn: [Bar]) -> ChartAxis {
    let values = drawn.map(\.value) + (reference.map { [$0.value] } ?? [])
    if isLogarithmic { return ChartAxis(values, isLogarithmic: true, margin: 0.02) }
    let finite = values.filter(\.isFinite)
    let (low, high) = (min(finite.min() ?? 0, 0), max(finite.max() ?? 0, 0))
    return ChartAxis(from: low, to: low == high ? 1 : high)
  }
}
