/// Pairs of numbers as points, with the line where both are equal.
///
/// Both axes have the same range, so that the distance from the diagonal is the difference. Points
/// with a number that is not finite, and on logarithmic axes those that are not above zero, are not
/// drawn, but counted in the summary and listed in the table.
public struct ScatterChart: ReportChart {
  /// A point.
  public struct Point: Sendable, Hashable {
    /// The label of the point.
    public var label: String
    /// The horizontal coordinate.
    public var x: Double
    /// The vertical coordinate.
    public var y: Double
    /// The uncertainty of x to either side; 0 if unknown.
    public var uncertainty: Double
    /// Whether it is highlighted: an orange diamond.
    public var isMarked: Bool

    /// A point.
    public init(
      _ label: String, x: Double, y: Double, uncertainty: Double = 0, isMarked: Bool = false
    ) {
      self.label = label
      self.x = x
      self.y = y
      self.uncertainty = uncertainty
      self.isMarked = isMarked
    }
  }

  /// The title.
  public var title: String
  /// The meaning of x.
  public var xName: String
  /// The meaning of y.
  public var yName: String
  /// What a point represents, such as `channel`.
  public var unit: String
  /// The points.
  public var points: [Point]
  /// The meaning of marked points and of the others.
  public var legend: ChartLegend?
  /// Whether equal ratios, rather than equal differences, have equal lengths.
  public var isLogarithmic: Bool
  private let remark: String

  /// The largest number of points that are drawn; the table has all.
  public static let mostPoints = 1500

  /// A chart of points.
  public init(
    title: String, summary: String = "", xName: String, yName: String, unit: String = "point",
    points: [Point], legend: ChartLegend? = nil, isLogarithmic: Bool = false
  ) {
    self.title = title
    remark = summary
    self.xName = xName
    self.yName = yName
    self.unit = unit
    self.points = points
    self.legend = legend
    self.isLogarithmic = isLogarithmic
  }

  /// What the chart shows, in a sentence.
  public var summary: String {
    let hidden = points.count { !isDrawable($0) }
    let names = points.count == 1 ? "1 \(unit)" : "\(points.count) \(unit)s"
    let line = "\(names); on the dashed line both are equal."
    let why = isLogarithmic ? "not finite or not above zero" : "not finite"
    let rest = hidden == 0 ? "" : " Not drawn: \(hidden), \(why)."
    return (remark.isEmpty ? "" : remark + " ") + line + rest
  }

  /// The data as a table.
  public var table: ReportTable {
    ReportTable(
      head: [unit, xName, yName] + (legend == nil ? [] : ["finding"]),
      rows: points.map { point in
        [point.label, number(point.x), number(point.y)]
          + (legend.map { [point.isMarked ? $0.marked : $0.others] } ?? [])
      })
  }

  private func isDrawable(_ point: Point) -> Bool {
    point.x.isFinite && point.y.isFinite && (!isLogarithmic || point.x > 0 && point.y > 0)
  }

  /// Points that are drawn: the marked ones last, on top of the others.
  private var drawn: [Point] {
    let all = points.filter(isDrawable)
    let (marked, others) = (all.filter(\.isMarked), all.filter { !$0.isMarked })
    func thinned(_ points: [Point], _ most: Int) -> [Point] {
      if points.count <= most { return points }
      return (0..<most).map { points[$0 * points.count / most] }
    }
    return thinned(others, Self.mostPoints * 2 / 3) + thinned(marked, Self.mostPoints / 3)
  }

  /// The chart for a width in pixels, without its title.
  public func drawing(width: Double) -> SVGDrawing {
    let drawn = drawn
    let axis = ChartAxis(drawn.flatMap { [$0.x, $0.y] }, isLogarithmic: isLogarithmic)
    let ticks = axis.ticks(about: 4)
    let labels = ticks.map { SVGDrawing.width(of: $0.label, size: 11) }.max() ?? 0
    let left = min(labels + 8, width * 0.3)
    let top = legend == nil ? 24.0 : 44
    let side = width - left - 12
    let height = side * 0.82
    let bottom = top + height
    var drawing = SVGDrawing(width: width, height: bottom + 36)
    if let legend {
      drawing.legend(
        [(.blue, false, legend.others), (.orange, true, legend.marked)], x: 0, y: 12)
    }
    drawing.text(yName, x: 0, y: top - 10, paint: .faint, size: 12, fitting: width)

    func across(_ value: Double) -> Double? { axis.fraction(value).map { left + $0 * side } }
    func up(_ value: Double) -> Double? { axis.fraction(value).map { bottom - $0 * height } }
    var lastLabel = -Double.infinity
    for tick in ticks {
      guard let x = across(tick.value), let y = up(tick.value) else { continue }
      drawing.line(x1: x, y1: top, x2: x, y2: bottom)
      drawing.line(x1: left, y1: y, x2: width - 12, y2: y)
      drawing.text(tick.label, x: left - 6, y: y + 4, anchor: .end, paint: .faint, size: 11)
      let half = SVGDrawing.width(of: tick.label, size: 11) / 2
      if x - half > lastLabel && x + half <= width {
        drawing.text(tick.label, x: x, y: bottom + 15, anchor: .middle, paint: .faint, size: 11)
        lastLabel = x + half + 4
      }
    }
    drawing.text(
      xName, x: left + side, y: bottom + 32, anchor: .end, paint: .faint, size: 12, fitting: width)
    drawing.line(
      x1: left, y1: bottom, x2: left + side, y2: top, paint: .faint, thickness: 1.5,
      isDashed: true)
    if drawn.isEmpty {
      drawing.text(
        "nothing to draw", x: left + side / 2, y: top + height / 2, anchor: .middle, paint: .faint)
    }
    let small = drawn.count > 200
    for point in drawn {
      guard let x = across(point.x), let y = up(point.y) else { continue }
      let paint: SVGDrawing.Paint = point.isMarked ? .orange : .blue
      if point.uncertainty > 0, !small {
        // If the lower end has no position, as below zero on a logarithmic axis, use the left edge.
        let from = max(across(point.x - point.uncertainty) ?? left, left)
        let to = min(across(point.x + point.uncertainty) ?? width - 12, width - 12)
        drawing.line(x1: from, y1: y, x2: to, y2: y, paint: paint, thickness: 1)
      }
      let tip = "\(unit) \(point.label): \(xName) \(short(point.x)), \(yName) \(short(point.y))"
      drawing.mark(
        x: x, y: y, radius: small ? 2.2 : 3.2, fill: paint, opacity: 0.85,
        isDiamond: point.isMarked, tip: small ? nil : tip)
    }
    return drawing
  }
}
