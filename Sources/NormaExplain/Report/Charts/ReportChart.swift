/// A chart with a text alternative: a title, a sentence, and its data as a table.
///
/// ``BarChart``, ``ScatterChart``, ``HistogramChart`` and ``LadderChart`` are charts; a custom type
/// can be used in an ``HTMLReport`` if it has these members.
public protocol ReportChart: Sendable {
  /// The title.
  var title: String { get }
  /// What the chart shows, in a sentence or two.
  var summary: String { get }
  /// The data as a table.
  var table: ReportTable { get }
  /// The preferred width on a wide page.
  var naturalWidth: Double { get }
  /// The chart for a width in pixels, without its title.
  func drawing(width: Double) -> SVGDrawing
}

extension ReportChart {
  /// 400 pixels: two or three charts fit side by side.
  public var naturalWidth: Double { 400 }

  /// The chart as a separate file: SVG with its title, and with colors for light and dark.
  public func svg(width: Double? = nil) -> String {
    drawing(width: width ?? naturalWidth).svg(title: title, summary: summary)
  }
}

/// Rows of text with a header.
public struct ReportTable: Sendable, Hashable {
  /// The names of the columns.
  public var head: [String]
  /// The cells, row by row.
  public var rows: [[String]]

  /// A table.
  public init(head: [String], rows: [[String]] = []) {
    self.head = head
    self.rows = rows
  }
}

extension SVGDrawing {
  /// Marks with words in a line, from the left; continued on another line where one is full.
  mutating func legend(
    _ entries: [(paint: Paint, isDiamond: Bool, words: String)], x: Double, y: Double
  ) {
    var (left, line) = (x, y)
    for entry in entries {
      let taken = 18 + Self.width(of: entry.words, size: 12)
      if left + taken > width && left > x { (left, line) = (x, line + 18) }
      mark(x: left + 5, y: line - 4, radius: 4.5, fill: entry.paint, isDiamond: entry.isDiamond)
      text(
        entry.words, x: left + 16, y: line, paint: .faint, size: 12, fitting: width - left - 16)
      left += taken + 14
    }
  }

  /// The number of lines that ``legend(_:x:y:)`` takes.
  static func legendLines(_ words: [String], width: Double) -> Int {
    var (left, lines) = (0.0, 1)
    for entry in words {
      let taken = 18 + Self.width(of: entry, size: 12)
      if left + taken > width && left > 0 { (left, lines) = (0, lines + 1) }
      left += taken + 14
    }
    return words.isEmpty ? 0 : lines
  }
}

/// The meaning of the marked values of a chart and of the others.
public struct ChartLegend: Sendable, Hashable {
  /// The meaning of marked values.
  public var marked: String
  /// The meaning of the others.
  public var others: String

  /// Names of both.
  public init(marked: String, others: String) { (self.marked, self.others) = (marked, others) }
}
