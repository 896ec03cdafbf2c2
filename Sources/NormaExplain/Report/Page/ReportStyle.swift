/// The appearance of pages and drawings.
///
/// Colors are Okabe and Ito's, which people with any kind of color vision can distinguish; no
/// information depends on color alone.
enum ReportStyle {
  private static let light: KeyValuePairs = [
    "page": "#ffffff", "panel": "#f6f7f9", "ink": "#1a1d21", "faint": "#5b6470",
    "line": "#dde1e6", "blue": "#0072b2", "orange": "#d55e00", "green": "#009e73",
    "purple": "#cc79a7",
  ]
  private static let dark: KeyValuePairs = [
    "page": "#14171a", "panel": "#1e2227", "ink": "#e8eaed", "faint": "#a6aeb8",
    "line": "#3a4048", "blue": "#56b4e9", "orange": "#e69f00", "green": "#009e73",
    "purple": "#cc79a7",
  ]

  private static func variables(_ colours: KeyValuePairs<String, String>) -> String {
    colours.map { "--\($0.key):\($0.value)" }.joined(separator: ";")
  }

  /// The colors, under a selector.
  private static func colours(_ selector: String) -> String {
    """
    \(selector){\(variables(light))}
    @media (prefers-color-scheme:dark){\(selector){\(variables(dark))}}
    """
  }

  /// The meaning of a drawing's classes.
  private static var paints: String {
    let classes = SVGDrawing.Paint.allCases.map(\.rawValue).map {
      ".f-\($0){fill:var(--\($0))}.s-\($0){stroke:var(--\($0))}"
    }
    return """
      .chart text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif}
      .chart text{paint-order:stroke;stroke:var(--page);stroke-width:3px;stroke-linejoin:round}
      .f-none{fill:none}\(classes.joined())
      """
  }

  /// For a drawing that is a separate file: includes its background.
  static var drawing: String {
    "\(colours("svg.chart"))svg.chart{background:var(--page);padding:12px}\(paints)"
  }

  /// For a page.
  static var page: String {
    """
    \(colours(":root"))
    \(paints)
    :root{color-scheme:light dark}
    *{box-sizing:border-box}
    body{margin:0 auto;padding:24px 32px 48px;max-width:1280px;background:var(--page);
      color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;
      overflow-wrap:anywhere}
    h1{font-size:1.7rem;line-height:1.25;margin:0 0 12px}
    h2{font-size:1.3rem;margin:40px 0 12px;padding-bottom:6px;border-bottom:1px solid var(--line)}
    h3{font-size:1.05rem;margin:0 0 6px}
    h4{font-size:.9rem;margin:16px 0 4px;color:var(--faint)}
    p{margin:0 0 10px;max-width:78ch}
    ul{margin:0 0 10px;padding-left:1.3em}
    li{margin:2px 0;max-width:78ch}
    a{color:var(--blue)}
    nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;padding:0;margin:16px 0 0}
    .verdict{font-size:1.1rem;font-weight:600;padding:8px 14px;border-left:6px solid var(--faint);
      background:var(--panel);max-width:none}
    .verdict.good,.card.good{border-left-color:var(--green)}
    .verdict.warning,.card.warning{border-left-color:var(--blue)}
    .verdict.bad,.card.bad{border-left-color:var(--orange)}
    dl{display:flex;flex-wrap:wrap;gap:4px 28px;margin:12px 0 0}
    dl div{display:flex;gap:8px;max-width:100%}
    dt{color:var(--faint);flex:none;max-width:min(60vw,24em)}
    dd{margin:0}
    .card{border:1px solid var(--line);border-left:6px solid var(--faint);border-radius:4px;
      padding:14px 18px;margin:0 0 16px}
    .mark{display:inline-block;min-width:1em;font-weight:700}
    .columns{display:grid;gap:0 32px;
    grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr))}
    .columns>div{min-width:0}
    .columns>div>:first-child{margin-top:0}
    .code{margin:6px 0 12px;background:var(--panel);border-radius:4px;padding:6px 12px 8px}
    .label{font-size:.75rem;color:var(--faint)}
    pre{margin:0;white-space:pre;overflow-x:auto}
    .words pre{white-space:pre-wrap}
    code{font:13px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
    .charts{display:grid;gap:16px;
    grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr));
      margin:0 0 16px}
    figure{margin:0;padding:14px 16px;border:1px solid var(--line);border-radius:4px;min-width:0}
    figure.wide{grid-column:1/-1}
    figure>div{min-width:0}
    figcaption p{font-size:.85rem;color:var(--faint);margin:0 0 10px}
    svg.chart{display:block;width:100%;height:auto;max-width:460px}
    svg.wide{max-width:860px}
    svg.narrow{display:none;max-width:560px}
    details{margin:8px 0 0;font-size:.9rem}
    details.folded{font-size:1rem;margin:0 0 16px}
    summary{cursor:pointer;color:var(--faint)}
    .folded>summary{margin-bottom:12px}
    .scroll{overflow:auto;max-height:420px;margin:6px 0 12px}
    table{border-collapse:collapse;font-size:.85rem}
    th,td{padding:3px 14px 3px 0;text-align:left;vertical-align:top;
    border-bottom:1px solid var(--line);
      font-weight:400;overflow-wrap:normal;min-width:4ch}
    tbody th{overflow-wrap:anywhere;min-width:9ch}
    thead th{font-weight:600;color:var(--faint)}
    .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    footer{margin-top:48px;font-size:.85rem;color:var(--faint)}
    :focus-visible{outline:2px solid var(--blue);outline-offset:2px}
    @media (min-width:1000px){
      figure.wide{display:grid;grid-template-columns:260px minmax(0,1fr);gap:0 28px}
    }
    @media (max-width:640px){
      body{padding:16px 14px 32px}
      .card{padding:12px 14px}
      svg.wide{display:none}
      svg.narrow{display:block}
    }
    @media print{
      .card,figure{break-inside:avoid}
      .scroll{max-height:none;overflow:visible}
      pre{white-space:pre-wrap}
    }
    """
  }
}
