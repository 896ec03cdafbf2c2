/// A gap that shrinks step by step, down to rounding, on a logarithmic scale.
///
///     let chart = LadderChart(
///       title: "From 0.031 to rounding", summary: "One change closes the gap.",
///       valueName: "largest difference", rounding: 1e-6,
///       steps: [.init("as it is", 0.031), .init("divide by n", 3e-7)])
///
/// A step without any gap ends at the left edge. Gaps of at most `rounding` are drawn in green.
public struct LadderChart: ReportChart {
  /// The gap after a change.
  public struct Step: Sendable, Hashable {
    /// The change.
    public var label: String
    /// The remaining gap.
    public var gap: Double

    /// A step.
    public init(_ label: String, _ gap: Double) {
      self.label = label
      self.gap = gap
    }
  }

  /// The title.
  public var title: String
  /// What the chart shows, in a sentence.
  public var summary: String
  /// The meaning of the gap, with its unit.
  public var valueName: String
  /// The steps, starting with the original gap.
  public var steps: [Step]
  /// The size of rounding errors; nil if unknown.
  public var rounding: Double?

  /// A ladder.
  public init(
    title: String, summary: String, valueName: String, rounding: Double? = nil, steps: [Step]
  ) {
    self.title = title
    self.summary = summary
    self.valueName = valueName
    self.rounding = rounding
    self.steps = steps
  }

  /// See ``ReportChart/naturalWidth``.
  public var naturalWidth: Double { 760 }

  /// The data as a table.
  public var table: ReportTable {
    ReportTable(
      head: ["step", "after", valueName],
      rows: steps.enumerated().map { ["\($0)", $1.label, short($1.gap)] })
  }

  private func isRounding(_ gap: Double) -> Bool { gap == 0 || gap <= (rounding ?? 0) }

  /// The largest number of steps that are drawn; the table has all.
  public static let mostSteps = 40

  /// The chart for a width in pixels, without its title.
  public func drawing(width: Double) -> SVGDrawing {
    let hidden = steps.count - Self.mostSteps
    let steps = self.steps.prefix(Self.mostSteps)
    let labels = steps.enumerated().map { position, step in
      SVGDrawing.wrapped(
        "\(position == 0 ? "" : "\(position). ")\(step.label)", width: width - 4, size: 13, most: 3)
    }
    // A row starts with its label and ends with its bar.
    let top = rounding == nil ? 4.0 : 22
    var starts = [top]
    for lines in labels { starts.append((starts.last ?? top) + 30 + 16 * Double(lines.count)) }
    let right = min(
      (steps.map { SVGDrawing.width(of: short($0.gap), size: 12) }.max() ?? 0) + 12, width * 0.3)
    let bottom = starts.last ?? top
    var drawing = SVGDrawing(width: width, height: bottom + 36)
    let axis = ChartAxis(
      steps.map(\.gap) + (rounding.map { [$0, $0 / 3] } ?? []), isLogarithmic: true, margin: 0.05)
    let room = width - right
    func place(_ value: Double) -> Double? {
      axis.fraction(value).map { min(max($0, 0), 1) * room }
    }
    if let rounding, let x = place(rounding) {
      drawing.rectangle(
        x: 0, y: top, width: x, height: bottom - top, fill: .green, opacity: 0.12)
      drawing.line(x1: x, y1: top, x2: x, y2: bottom, paint: .green, thickness: 1.5, isDashed: true)
      let isLeft = x < 70
      drawing.text(
        "rounding", x: isLeft ? 0 : x, y: top - 6, anchor: isLeft ? .start : .end, paint: .faint,
        size: 12)
    }
    for tick in axis.ticks(about: width < 560 ? 4 : 8) {
      guard let x = place(tick.value) else { continue }
      drawing.line(x1: x, y1: top, x2: x, y2: bottom)
      drawing.tick(tick.label, x: x, y: bottom + 15)
    }
    let rest = hidden > 0 ? "; \(hidden) more steps in the table" : ""
    drawing.text(valueName + rest, x: 0, y: bottom + 31, paint: .faint, size: 12, fitting: width)
    var previous: Double?
    for (position, step) in steps.enumerated() {
      let lines = labels[position]
      // The start of the bar.
      let y = starts[position + 1] - 25
      // A gap of 0 has no position; NaN is drawn as the worst case.
      let end = step.gap == 0 ? 2 : place(step.gap) ?? room
      let paint: SVGDrawing.Paint =
        isRounding(step.gap) ? .green : position == 0 ? .orange : .blue
      if let previous {
        // From the bar above to this one, but not across the text between them.
        let words = lines.map { SVGDrawing.width(of: $0, size: 13) }.max() ?? 0
        let above = (starts[position] - 9, previous < words + 8 ? starts[position] + 2 : y + 11)
        for (from, to) in previous < words + 8 ? [above, (y - 2, y + 11)] : [above] {
          drawing.line(
            x1: previous, y1: from, x2: previous, y2: to, paint: .faint, isDashed: true)
        }
      }
      for (number, line) in lines.enumerated() {
        drawing.text(
          line, x: 2, y: starts[position] + 15 + 16 * Double(number), isBold: position == 0,
          fitting: width - 4)
      }
      drawing.rectangle(
        x: 0, y: y, width: max(end, 2), height: 16, fill: paint, radius: 2,
        tip: "\(step.label): \(short(step.gap))")
      drawing.text(short(step.gap), x: max(end, 2) + 5, y: y + 12, size: 12, fitting: right - 5)
      previous = end
    }
    return drawing
  }
}
