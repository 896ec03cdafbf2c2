import Testing

@testable import NormaExplain

/// Bars of text keep to their width and to the rules of colour.
@Suite struct TextBarTests {
  private let bars = [
    TextBar("bn1", 1), TextBar("a.very.long.name.of.a.layer.that.goes.on.and.on.bn2", 4),
    TextBar("bn3", .infinity, isMarked: true), TextBar("bn4", 0), TextBar("bn5", .nan),
    TextBar("bn6", -3),
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
    let text = TextStyle().bars([TextBar("a", 1), TextBar("b", 4)], longest: 16)
    #expect(text == "  a  ████             1\n  b  ████████████████ 4", "\(text)")
    let marked = TextStyle().bars([TextBar("a", 1, isMarked: true), TextBar("b", 0)])
    #expect(marked.contains("a !") && !marked.contains("b !"))
  }
}
