import Foundation
import Testing

@testable import NormaExplain

/// Charts of normal and of unusual data.
@Suite struct ChartTests {
  static let strange: [Double] = [
    .nan, .infinity, -.infinity, 0, -0.0, -1, 1e308, -1e308, .leastNonzeroMagnitude, 1, 1 + 1e-15,
    2,
  ]
  static let hostile = "</text><script>alert('x')</script>\u{1B}[31m\u{202E}\"&\u{0}é名前"

  /// All charts of all lists of strange numbers.
  static var charts: [any ReportChart] {
    let lists =
      [[], strange, Array(repeating: 3, count: 4), (0..<5000).map { Double($0) * 1e7 }]
      + strange.map { [$0] } + strange.map { [$0, 1] }
    return lists.flatMap { values -> [any ReportChart] in
      let bars = values.map { BarChart.Bar(hostile, $0, isMarked: $0 > 1) }
      let points = values.flatMap { x in
        values.prefix(12).map {
          ScatterChart.Point(hostile, x: x, y: $0, uncertainty: $0, isMarked: x > 1)
        }
      }
      let steps = values.map { LadderChart.Step(hostile, $0) }
      return [false, true].flatMap { isLogarithmic -> [any ReportChart] in
        [
          BarChart(
            title: hostile, summary: hostile, valueName: hostile, bars: bars,
            legend: ChartLegend(marked: hostile, others: hostile),
            reference: BarChart.Reference(values.first ?? 0, name: hostile),
            isLogarithmic: isLogarithmic),
          ScatterChart(
            title: hostile, summary: hostile, xName: hostile, yName: hostile, unit: hostile,
            points: points, legend: ChartLegend(marked: hostile, others: hostile),
            isLogarithmic: isLogarithmic),
        ]
      } + [
        HistogramChart(
          title: hostile, summary: hostile, valueName: hostile,
          samples: [.init(hostile, values), .init("b", [1, 2, 2.5])]),
        HistogramChart(title: hostile, samples: [.init(hostile, values)]),
        LadderChart(
          title: hostile, summary: hostile, valueName: hostile, rounding: values.first,
          steps: steps),
        LadderChart(title: hostile, summary: hostile, valueName: hostile, steps: steps),
      ]
    }
  }

  /// Every chart is well-formed, has a title and a text alternative, and only finite coordinates.
  @Test func strangeNumbersAndNamesBreakNothing() throws {
    for chart in Self.charts {
      for width in [200.0, 360, 860] {
        let text = chart.svg(width: width)
        let found = try XMLShape(text)
        #expect(found.elements.first == "svg" && found.elements.contains("title"), "\(text)")
        #expect(!found.elements.contains("script"))
        #expect(!text.contains("nan\"") && !text.contains("inf\""), "\(text)")
        for (name, value) in found.attributes
        where ["x", "y", "x1", "y1", "x2", "y2", "cx", "cy", "width", "height"].contains(name) {
          let number = try #require(Double(value), "\(name)=\(value)")
          #expect(number.isFinite && abs(number) < 1e5)
        }
        #expect(found.attributes.contains { $0.0 == "role" && $0.1 == "img" })
        #expect(found.attributes.contains { $0.0 == "aria-label" && !$0.1.isEmpty })
      }
      let columns = chart.table.head.count
      #expect(chart.table.rows.allSatisfy { $0.count == columns })
    }
  }

  /// Nothing is drawn outside of the picture.
  @Test func drawingsStayInside() throws {
    for chart in Self.charts {
      for width in [360.0, 860] {
        let drawing = chart.drawing(width: width)
        let shape = try XMLShape(drawing.svg(title: "t"))
        for element in shape.boxes {
          #expect(element.left >= -1 && element.right <= width + 1, "\(element) of \(width)")
          #expect(element.top >= -33 && element.bottom <= drawing.height + 1, "\(element)")
        }
      }
    }
  }

  @Test func barsHaveTheLengthsOfTheirValues() throws {
    let chart = BarChart(
      title: "t", summary: "s", valueName: "v", bars: [.init("a", 1), .init("b", 4)])
    let boxes = try XMLShape(chart.svg()).boxes.filter { $0.name == "rect" }
    try #require(boxes.count == 2)
    let widths = boxes.map { $0.right - $0.left }
    #expect(abs(widths[1] / widths[0] - 4) < 0.01, "\(widths)")
    #expect(chart.table.rows == [["a", "1"], ["b", "4"]])
  }

  @Test func pointsOnTheDiagonalLieOnIt() throws {
    let chart = ScatterChart(
      title: "t", xName: "x", yName: "y", points: [-3, 0, 5].map { .init("p", x: $0, y: $0) })
    let shape = try XMLShape(chart.svg())
    let diagonal = try #require(shape.lines.first { $0.x1 != $0.x2 && $0.y1 != $0.y2 })
    let points = shape.boxes.filter { $0.name == "circle" }
    #expect(points.count == 3)
    for point in points {
      let (x, y) = ((point.left + point.right) / 2, (point.top + point.bottom) / 2)
      let share = (x - diagonal.x1) / (diagonal.x2 - diagonal.x1)
      #expect(abs(diagonal.y1 + share * (diagonal.y2 - diagonal.y1) - y) < 0.05)
    }
  }

  /// Every finite value is counted once, and values that are not finite are mentioned.
  @Test func histogramsCountEveryValue() {
    let values = (0..<1000).map { Double($0 % 10) } + [.nan, .infinity, 1e9]
    let chart = HistogramChart(title: "t", samples: [.init("a", values)])
    let counted = chart.table.rows.compactMap { Int($0[1].filter { $0 != "," }) }.reduce(0, +)
    #expect(counted == 1001)
    #expect(chart.summary.contains("2 not finite") && chart.summary.contains("1 far away"))
  }

  @Test func samplesOfOtherRangesGetTheirOwnAxes() {
    let near = (0..<100).map(Double.init)
    let alike = HistogramChart(
      title: "t", samples: [.init("a", near), .init("b", near.map { $0 + 20 })])
    let apart = HistogramChart(
      title: "t", samples: [.init("a", near), .init("b", near.map { $0 + 20_000 })])
    #expect(alike.panels.count == 1 && apart.panels.count == 2)
  }

  @Test func ticksOfValuesFarFromZeroDiffer() {
    for values in [
      [1e7, 1e7 + 1], [1, 1 + 1e-12], [-1e308, 1e308], [0, .leastNonzeroMagnitude], [3, 3],
    ] {
      for isLogarithmic in [false, true] {
        let ticks = ChartAxis(values, isLogarithmic: isLogarithmic).ticks()
        #expect(Set(ticks.map(\.label)).count == ticks.count && ticks.count < 42, "\(values)")
        #expect(ticks.allSatisfy { $0.value.isFinite })
      }
    }
  }

  @Test func longNamesKeepTheirEnds() {
    let name = String(repeating: "encoder.", count: 30) + "bn2"
    let short = SVGDrawing.fitted(name, width: 120, size: 13)
    #expect(short.hasPrefix("enc") && short.hasSuffix("bn2") && short.contains("\u{2026}"))
    #expect(SVGDrawing.width(of: short, size: 13) <= 120)
    #expect(SVGDrawing.fitted("bn2", width: 120, size: 13) == "bn2")
  }
}
