extension HTMLReport {
  /// The page as text.
  ///
  /// Except for its first line, it is also well-formed XML.
  public var html: String {
    let numbered = Array(sections.enumerated())
    var body = header
    if sections.count > 2 {
      let links = numbered.map { position, section in
        Markup.element(
          "li", [:], Markup.text("a", ["href": "#part-\(position + 1)"], section.title))
      }
      body += Markup.element(
        "nav", ["aria-label": "Parts of this page"], Markup.element("ul", [:], links.joined()))
    }
    let parts = numbered.map { position, section in
      Markup.element(
        "section", ["id": "part-\(position + 1)"],
        Markup.text("h2", section.title) + section.blocks.map(Self.markup).joined(separator: "\n"))
    }
    body += Markup.element("main", [:], parts.joined(separator: "\n"))
    body += Markup.element(
      "footer", [:],
      Markup.text("p", "Written by Norma. This page has no script and loads nothing."))
    return "<!DOCTYPE html>\n<html lang=\"en\"><head>\(head)</head>\n<body>\(body)</body></html>\n"
  }

  private var head: String {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return [
      "<meta charset=\"utf-8\"/>",
      Markup.element(
        "meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
      Markup.element("meta", ["http-equiv": "Content-Security-Policy", "content": policy]),
      Markup.element("meta", ["name": "referrer", "content": "no-referrer"]),
      Markup.element("meta", ["name": "color-scheme", "content": "light dark"]),
      Markup.element("link", ["rel": "icon", "href": "data:,"]),
      Markup.text("title", title),
      "<style>\n\(ReportStyle.page)\n</style>",
    ].joined(separator: "\n")
  }

  private var header: String {
    var parts = Markup.text("h1", title)
    if let verdict {
      let mark = Markup.text("span", ["aria-hidden": "true"], verdict.level.mark)
      parts += Markup.element(
        "p", ["class": "verdict \(verdict.level.rawValue)"],
        "\(mark) \(Markup.escaped(verdict.text))")
    }
    if !facts.isEmpty {
      let pairs = facts.map { fact in
        Markup.element(
          "div", [:], Markup.text("dt", fact.name) + Markup.text("dd", fact.value))
      }
      parts += Markup.element("dl", [:], pairs.joined())
    }
    return Markup.element("header", [:], parts)
  }

  // MARK: Blocks

  private static func markup(_ block: Block) -> String {
    switch block {
    case .heading(let text): return Markup.text("h4", text)
    case .paragraph(let text): return Markup.text("p", text)
    case .list(let points):
      return Markup.element("ul", [:], points.map { Markup.text("li", $0) }.joined())
    case .code(let lines, let name):
      let code = Markup.text("code", lines.joined(separator: "\n"))
      // Code scrolls, as its lines cannot be broken anywhere; words wrap.
      let isCode = Self.languages.contains(name) || lines.contains(where: \.isStatement)
      return Markup.element(
        "div", ["class": isCode ? "code" : "code words"],
        Markup.text("span", ["class": "label"], name)
          + Markup.element(
            "pre", ["tabindex": "0", "role": "region", "aria-label": "Code: \(name)"], code))
    case .table(let table, let title):
      return Markup.text("h4", title) + markup(table, title: title)
    case .charts(let charts):
      return Markup.element(
        "div", ["class": "charts"], charts.map(figure).joined(separator: "\n"))
    case .card(let title, let level, let blocks):
      let mark = Markup.text("span", ["class": "mark", "aria-hidden": "true"], level.mark)
      return Markup.element(
        "article", ["class": "card \(level.rawValue)"],
        Markup.element("h3", [:], "\(mark) \(Markup.escaped(title))")
          + blocks.map(markup).joined(separator: "\n"))
    case .columns(let columns):
      return Markup.element(
        "div", ["class": "columns"],
        columns.map { Markup.element("div", [:], $0.map(markup).joined(separator: "\n")) }
          .joined())
    case .folded(let title, let blocks):
      return Markup.element(
        "details", ["class": "folded"],
        Markup.text("summary", title) + blocks.map(markup).joined(separator: "\n"))
    }
  }

  /// The languages of code blocks.
  private static let languages: Set<String> = ["PyTorch", "Norma", "terminal and Python"]

  private static func figure(_ chart: any ReportChart) -> String {
    let caption = Markup.element(
      "figcaption", [:],
      Markup.text("h3", chart.title)
        + (chart.summary.isEmpty ? "" : Markup.text("p", chart.summary)))
    let natural = chart.naturalWidth
    let isWide = natural > 500
    // A wide chart is drawn twice, because scaled-down text would be illegible.
    var drawings = chart.drawing(width: natural)
      .element(title: chart.title, summary: chart.summary, name: isWide ? "chart wide" : "chart")
    if isWide {
      drawings += chart.drawing(width: 360)
        .element(title: chart.title, summary: chart.summary, name: "chart narrow")
    }
    let data = Markup.element(
      "details", [:],
      Markup.text("summary", "Data as a table") + markup(chart.table, title: chart.title))
    return Markup.element(
      "figure", isWide ? ["class": "wide"] : [:],
      caption + Markup.element("div", [:], drawings + data))
  }

  /// The largest number of rows in a table.
  private static let mostRows = 500

  private static func markup(_ table: ReportTable, title: String) -> String {
    let columns = table.head.count
    let numeric = (0..<columns).map { column in
      table.rows.contains { column < $0.count && !$0[column].isEmpty }
        && table.rows.allSatisfy { column >= $0.count || isNumber($0[column]) }
    }
    func row(_ cells: [String], _ name: String) -> String {
      let written = cells.prefix(columns).enumerated().map { column, cell in
        let isFirst = name == "td" && column == 0
        let element = isFirst ? "th" : name
        let scope = name == "th" ? " scope=\"col\"" : isFirst ? " scope=\"row\"" : ""
        let side = numeric[column] ? " class=\"number\"" : ""
        return "<\(element)\(scope)\(side)>\(Markup.escaped(cell))</\(element)>"
      }
      return Markup.element("tr", [:], written.joined())
    }
    var rows = table.rows.prefix(mostRows).map { row($0, "td") }
    if table.rows.count > mostRows {
      let rest = "\(table.rows.count - mostRows) more rows"
      rows.append("<tr><td colspan=\"\(max(columns, 1))\">\(rest)</td></tr>")
    }
    let whole =
      Markup.element("thead", [:], row(table.head, "th"))
      + Markup.element("tbody", [:], rows.joined(separator: "\n"))
    return Markup.element(
      "div", ["class": "scroll", "tabindex": "0", "role": "region", "aria-label": title],
      Markup.element("table", [:], whole))
  }

  private static func isNumber(_ cell: String) -> Bool {
    if cell.isEmpty { return true }
    let plain = cell.filter { $0 != "," && $0 != "%" && $0 != " " }
    return Double(plain) != nil
  }
}

extension HTMLReport.Level {
  /// A symbol, so that the meaning does not depend on color.
  var mark: String {
    switch self {
    case .good: "\u{2713}"
    case .note: "i"
    case .warning: "!"
    case .bad: "\u{2717}"
    }
  }
}
