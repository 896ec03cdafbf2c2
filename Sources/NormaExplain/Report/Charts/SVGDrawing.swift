/// A drawing that is written as SVG: lines, rectangles, marks, areas and text in a few named
/// colors.
///
///     var drawing = SVGDrawing(width: 200, height: 60)
///     drawing.rectangle(x: 10, y: 20, width: 120, height: 16, fill: .blue)
///     drawing.text("bn1", x: 10, y: 14)
///     let file = drawing.svg(title: "Gap of bn1", summary: "One bar.")
///
/// Coordinates are in pixels from the upper left corner. Elements with coordinates that are not
/// finite or far out of bounds are left out, so that no data can break a drawing. Text is escaped.
public struct SVGDrawing: Sendable {
  /// A color by its purpose, with another value in dark mode. Blue, orange, green and purple are
  /// those of Okabe and Ito, which people with any kind of color vision can distinguish.
  public enum Paint: String, Sendable, CaseIterable {
    /// Text.
    case ink
    /// De-emphasized text.
    case faint
    /// Axes and grids.
    case line
    /// Normal values, and the first of several series.
    case blue
    /// Abnormal values, and the second of several series.
    case orange
    /// The third of several series.
    case green
    /// The fourth of several series.
    case purple
  }

  /// The part of a text that is at its position.
  public enum Anchor: String, Sendable {
    /// The start of the text.
    case start
    /// The middle of the text.
    case middle
    /// The end of the text.
    case end
  }

  /// The width in pixels.
  public let width: Double
  /// The height in pixels.
  public let height: Double
  private var elements: [String] = []

  /// An empty drawing.
  public init(width: Double, height: Double) {
    self.width = Self.isDrawable(width) ? max(width, 1) : 1
    self.height = Self.isDrawable(height) ? max(height, 1) : 1
  }

  /// The number of elements drawn.
  public var count: Int { elements.count }

  // MARK: Drawing

  /// Draws a line, optionally dashed.
  public mutating func line(
    x1: Double, y1: Double, x2: Double, y2: Double, paint: Paint = .line, thickness: Double = 1,
    isDashed: Bool = false
  ) {
    guard let ends = Self.numbers(x1, y1, x2, y2) else { return }
    let dash = isDashed ? " stroke-dasharray=\"4 3\"" : ""
    elements.append(
      "<line class=\"s-\(paint.rawValue)\" x1=\"\(ends[0])\" y1=\"\(ends[1])\" x2=\"\(ends[2])\" "
        + "y2=\"\(ends[3])\" stroke-width=\"\(Self.number(thickness))\"\(dash)/>")
  }

  /// Fills a rectangle; a negative width or height extends to the other side.
  public mutating func rectangle(
    x: Double, y: Double, width: Double, height: Double, fill: Paint, opacity: Double = 1,
    radius: Double = 0, tip: String? = nil
  ) {
    let corner = (min(x, x + width), min(y, y + height))
    guard let box = Self.numbers(corner.0, corner.1, abs(width), abs(height)) else { return }
    let round = radius > 0 ? " rx=\"\(Self.number(radius))\"" : ""
    let faint = opacity < 1 ? " fill-opacity=\"\(Self.number(opacity))\"" : ""
    add(
      "rect class=\"f-\(fill.rawValue)\" x=\"\(box[0])\" y=\"\(box[1])\" width=\"\(box[2])\" "
        + "height=\"\(box[3])\"\(round)\(faint)", tip)
  }

  /// Draws a mark at a point: a disc, or a diamond for highlighted points.
  public mutating func mark(
    x: Double, y: Double, radius: Double = 3, fill: Paint, opacity: Double = 1,
    isDiamond: Bool = false, tip: String? = nil
  ) {
    let faint = opacity < 1 ? " fill-opacity=\"\(Self.number(opacity))\"" : ""
    guard let place = Self.numbers(x, y, radius) else { return }
    if isDiamond {
      let r = radius * 1.4
      add(
        "path class=\"f-\(fill.rawValue)\" d=\"M\(place[0]) \(Self.number(y - r))l"
          + "\(Self.number(r)) \(Self.number(r)) \(Self.number(-r)) \(Self.number(r)) "
          + "\(Self.number(-r)) \(Self.number(-r))z\"\(faint)", tip)
    } else {
      add(
        "circle class=\"f-\(fill.rawValue)\" cx=\"\(place[0])\" cy=\"\(place[1])\" "
          + "r=\"\(place[2])\"\(faint)", tip)
    }
  }

  /// Draws a line through points, or fills the area that they enclose. Points that cannot be drawn
  /// are left out.
  public mutating func path(
    _ points: [(x: Double, y: Double)], stroke: Paint? = nil, fill: Paint? = nil,
    opacity: Double = 1, thickness: Double = 1.5, isDashed: Bool = false
  ) {
    let written = points.compactMap { Self.numbers($0.x, $0.y) }.map { "\($0[0]) \($0[1])" }
    guard written.count > 1, stroke != nil || fill != nil else { return }
    let filled = fill.map { "f-\($0.rawValue)" } ?? "f-none"
    let classes = stroke.map { "\(filled) s-\($0.rawValue)" } ?? filled
    let dash = isDashed ? " stroke-dasharray=\"4 3\"" : ""
    let faint = opacity < 1 && fill != nil ? " fill-opacity=\"\(Self.number(opacity))\"" : ""
    let line = "M\(written.joined(separator: "L"))\(fill == nil ? "" : "z")"
    elements.append(
      "<path class=\"\(classes)\" d=\"\(line)\" "
        + "stroke-width=\"\(Self.number(thickness))\"\(dash)\(faint)/>")
  }

  /// Writes text. If there is a maximum width, the middle is left out until it fits, and the full
  /// text is shown as a tooltip.
  public mutating func text(
    _ text: String, x: Double, y: Double, anchor: Anchor = .start, paint: Paint = .ink,
    size: Double = 13, isBold: Bool = false, fitting largest: Double? = nil
  ) {
    guard let place = Self.numbers(x, y) else { return }
    let shown = largest.map { Self.fitted(text, width: $0, size: size) } ?? text
    let weight = isBold ? " font-weight=\"600\"" : ""
    let side = anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\""
    let tip = shown == text ? "" : Markup.text("title", text)
    elements.append(
      "<text class=\"f-\(paint.rawValue)\" x=\"\(place[0])\" y=\"\(place[1])\" "
        + "font-size=\"\(Self.number(size))\"\(weight)\(side)>\(Markup.escaped(shown))\(tip)</text>"
    )
  }

  /// Writes text around a position, or as close to it as the borders allow.
  mutating func tick(_ text: String, x: Double, y: Double) {
    let half = Self.width(of: text, size: 11) / 2
    let middle = min(max(x, half), max(width - half, half))
    self.text(text, x: middle, y: y, anchor: .middle, paint: .faint, size: 11)
  }

  private mutating func add(_ element: String, _ tip: String?) {
    guard let tip, let space = element.firstIndex(of: " ") else {
      elements.append("<\(element)/>")
      return
    }
    elements.append("<\(element)>\(Markup.text("title", tip))</\(element[..<space])>")
  }

  // MARK: Writing

  /// The drawing as a separate file, with its title above it and colors for light and dark.
  public func svg(title: String, summary: String = "") -> String {
    var whole = self
    whole.text(title, x: 0, y: -12, size: 15, isBold: true, fitting: width)
    return whole.element(title: title, summary: summary, top: 32, style: ReportStyle.drawing)
  }

  /// The drawing as an element of a page that defines the colors.
  func element(title: String, summary: String, name: String = "chart") -> String {
    element(title: title, summary: summary, name: name, top: 0, style: nil)
  }

  private func element(
    title: String, summary: String, name: String = "chart", top: Double, style: String?
  ) -> String {
    let spoken = summary.isEmpty ? title : "\(title). \(summary)"
    let box =
      "0 \(Self.number(-top)) \(Self.number(width)) \(Self.number(height + top))"
    let head =
      Markup.text("title", title) + Markup.text("desc", summary)
      + (style.map { "<style>\($0)</style>" } ?? "")
    return
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"\(name)\" role=\"img\" "
      + "aria-label=\"\(Markup.escaped(spoken))\" viewBox=\"\(box)\" "
      + "width=\"\(Self.number(width))\" height=\"\(Self.number(height + top))\">"
      + head + elements.joined() + "</svg>"
  }

  // MARK: Numbers and the width of text

  /// Elements beyond these coordinates are not drawn.
  private static let bound = 100_000.0

  private static func isDrawable(_ value: Double) -> Bool { abs(value) <= bound }

  /// Coordinates as text; nil if one cannot be drawn.
  private static func numbers(_ values: Double...) -> [String]? {
    values.allSatisfy(isDrawable) ? values.map(number) : nil
  }

  /// A number with at most two decimals.
  private static func number(_ value: Double) -> String {
    guard isDrawable(value) else { return "0" }
    let rounded = (value * 100).rounded() / 100
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }

  /// The approximate width of a text in pixels; an upper estimate for common fonts.
  static func width(of text: String, size: Double) -> Double {
    text.unicodeScalars.reduce(0) { sum, scalar in
      switch scalar {
      case "i", "l", ".", ",", ":", ";", "'", "|", "!", " ", "j", "f", "t", "r", "(", ")", "[", "]":
        sum + 0.4 * size
      case "m", "w", "M", "W", "@", "%", "_": sum + 0.95 * size
      default: sum + (scalar.value >= 0x1100 ? 1.05 : 0.64) * size
      }
    }
  }

  /// The words in lines that fit a width, at most `most` lines; excess text is left out of the
  /// last.
  static func wrapped(_ text: String, width: Double, size: Double, most: Int) -> [String] {
    var lines: [String] = []
    for word in text.prefix(400).split(separator: " ") {
      let longer = lines.last.map { "\($0) \(word)" }
      if let longer, lines.count == most || Self.width(of: longer, size: size) <= width {
        lines[lines.count - 1] = longer
      } else {
        lines.append(String(word))
      }
    }
    return lines
  }

  /// The text without its middle, as far as needed to fit.
  static func fitted(_ text: String, width: Double, size: Double) -> String {
    let start = text.prefix(400)
    if start.count == text.count && Self.width(of: text, size: size) <= width { return text }
    let characters =
      start.count == text.count ? Array(text) : Array(start) + Array(text.suffix(200))
    var kept = characters.count - 1
    while kept > 1 {
      // The end of a layer's name is more informative than its beginning.
      let (head, tail) = (kept * 2 / 5, kept - kept * 2 / 5)
      let shorter = String(characters.prefix(head)) + "\u{2026}" + String(characters.suffix(tail))
      if Self.width(of: shorter, size: size) <= width { return shorter }
      kept -= 1
    }
    return "\u{2026}"
  }
}
