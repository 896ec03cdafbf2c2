import Testing

@testable import NormaExplain

/// Bars of text keep to their width and to the rules of colour.
@Suite struct TextBarTests {
  private let bars: [BarChart.Bar] = [
    .init("bn1", 1), .init("a.very.long.name.of.a.layer.that.goes.on.and.on.bn2", 4),
    .init("bn3", .infinity, isMarked: true), .init("bn4", 0), .init("bn5", .nan),
    .init("bn6", -3),
  ]

  @Test func linesKeepToTheWidth() {
    for width in [40, 80, 100] {
      for isLogarithmic in [false, true] {
        let lines = TextStyle(width: width).bars(bars, isLogarithmic: isLogarithmic)
          .split(separator: "\n")
        #expect(lines.count == bars.count)
        #expect(lines.allSatisfy { $0.count <= width }, "\(lines)")
        #expect(!lines.joined().contains("\u{1B}"))
      }
    }
    #expect(TextStyle(isColoured: true).bars(bars).contains("\u{1B}[33m"))
  }

  @Test func lengthsFollowTheValues() {
    #expect(TextStyle.blocks(0.5, columns: 4) == "██")
    #expect(TextStyle.blocks(1, columns: 4) == "████")
    #expect(TextStyle.blocks(0.375, columns: 1) == "▍")
    #expect(TextStyle.blocks(0, columns: 4).isEmpty && TextStyle.blocks(.nan, columns: 4).isEmpty)
    #expect(TextStyle.blocks(1e-9, columns: 4) == "▏" && TextStyle.blocks(9, columns: 2) == "██")
    let text = TextStyle().bars([.init("a", 1), .init("b", 4)], longest: 16)
    #expect(text == "  a  ████             1\n  b  ████████████████ 4", "\(text)")
    let marked = TextStyle().bars([.init("a", 1, isMarked: true), .init("b", 0)])
    #expect(marked.contains("a !") && !marked.contains("b !"))
  }
}
