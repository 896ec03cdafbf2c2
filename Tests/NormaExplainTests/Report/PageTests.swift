import Foundation
import NormaNN
import NormaTensor
import Testing

@testable import NormaExplain

/// The pages of explanations, comparisons and diagnoses.
@Suite struct PageTests {
  /// A page of every kind by name, one of them with the worst contents of files.
  static let pages: [(name: String, page: HTMLReport)] = {
    let x = withSeed(3) { Tensor.randn(8, 12, 6, 6) * 2 + 1 }.evaluated()
    let mean = x.mean(over: 0, 2, 3, keepDims: true)
    let y = ((x - mean) / (x.std(over: 0, 2, 3, keepDims: true) + 1e-2)).evaluated()
    let explanation = BatchNorm2d(12).explain(x, expecting: y)
    let evaluated = BatchNorm2d(12)
    evaluated.eval()
    let network = SmallNetworks.trained()
    let healthy = network.diagnosis(on: SmallNetworks.batch)
    SmallNetworks.norm(network, "4").resetRunningStatistics()
    let wrong = network.diagnosis(on: SmallNetworks.batch)
    var hostile = HTMLReport(title: ChartTests.hostile)
    let long = String(repeating: "verylongname.", count: 60)
    hostile.verdict = .init(ChartTests.hostile + long, .bad)
    hostile.facts = [.init(long, long), .init(ChartTests.hostile, "1")]
    hostile.sections = [
      .init(
        long,
        [
          .charts(Array(ChartTests.charts.prefix(12))), .list([long, ChartTests.hostile]),
          .code([long, ChartTests.hostile], name: long),
          .table(
            ReportTable(
              head: ["a", long, "b", "c", "d"],
              rows: (0..<600).map { ["\($0)", long, "1e-300", long, ChartTests.hostile] }),
            title: long),
          .card(long, level: .warning, blocks: [.columns([[.paragraph(long)], [.heading(long)]])]),
          .folded(long, [.paragraph(long)]),
        ])
    ]
    return [
      (
        "explanation",
        explanation.report(samples: [("input", x)], results: (BatchNorm2d(12)(x), y))
      ),
      ("running", evaluated.explain(x).report()),
      ("comparison", compareLayers(BatchNorm2d(12), GroupNorm(3, 12), on: x).report()),
      ("healthy", healthy.report()), ("wrong", wrong.report(title: "wrong.safetensors")),
      ("hostile", hostile),
    ] + capturePages(longName: ChartTests.hostile + long) + checkpointPages()
  }()

  private static func checkpointPages() -> [(name: String, page: HTMLReport)] {
    var made = Made(prefix: "module.")
    let healthy = Made()
    made.set("module.bn1.running_var", 3, -0.25)
    made.set("module.bn2.running_var", 5, .infinity)
    made.set("module.bn2.weight", 0, .nan)
    return [("healthy checkpoint", healthy), ("checkpoint", made)].compactMap { name, made in
      (try? made.diagnosis()).map { (name, $0.report(title: "\(name).pt")) }
    }
  }

  private static func capturePages(longName: String) -> [(name: String, page: HTMLReport)] {
    guard var exchanged = try? CaptureComparisonTests.captures("exchanged"),
      let token = try? CaptureComparisonTests.captures("token-by-hand"),
      let conv = try? CaptureComparisonTests.captures("conv")
    else { return [] }
    func page(_ pair: (first: NetworkCapture, second: NetworkCapture)) -> HTMLReport {
      compareCaptures(pair.first, pair.second, names: ("a", "b")).report(captures: pair)
    }
    let plain = page(exchanged)
    for index in exchanged.first.layers.indices {
      exchanged.first.layers[index].name = "\(index)" + longName
    }
    return [
      ("captures", plain), ("captures with long names", page(exchanged)),
      ("captures of tokens", page(token)), ("captures of another convolution", page(conv)),
      ("formulas", token.second.diagnosis().report(capture: token.second)),
    ]
  }

  /// Without its first line a page is well-formed XML, it has no scripts, and it loads nothing.
  @Test func pagesAreWellFormedAndLoadNothing() throws {
    for (name, page) in Self.pages {
      let html = page.html
      #expect(html.hasPrefix("<!DOCTYPE html>\n"))
      let shape = try XMLShape(String(html.drop { $0 != "\n" }))
      #expect(!shape.elements.contains { ["script", "iframe", "img", "object"].contains($0) })
      for (key, value) in shape.attributes {
        #expect(!key.hasPrefix("on") && key != "src", "\(name): \(key)")
        if key == "href" { #expect(value.hasPrefix("#") || value == "data:,", "\(name): \(value)") }
      }
      #expect(!html.contains("url(") && !html.contains("@import"), "\(name)")
      #expect(html.contains("default-src 'none'") || html.contains("default-src &#39;none&#39;"))
      let figures = shape.elements.count { $0 == "figure" }
      #expect(shape.elements.count { $0 == "figcaption" } == figures)
      #expect(shape.elements.count { $0 == "table" } >= figures, "\(name): a table a chart")
    }
  }

  @Test func pagesSayWhatTheirValuesSay() throws {
    let pages = Dictionary(uniqueKeysWithValues: Self.pages.map { ($0.name, $0.page.html) })
    let explanation = try #require(pages["explanation"])
    for words in ["correction", "epsilon-value", "The gap, change by change", "PyTorch", "Values"] {
      #expect(explanation.contains(words), "\(words)")
    }
    let wrong = try #require(pages["wrong"])
    for words in ["never-trained-statistics", "multiples of chance", "4: means", "4: variances"] {
      #expect(wrong.contains(words), "\(words)")
    }
    #expect(pages["healthy"]?.contains("Healthy") == true)
    #expect(pages["comparison"]?.contains("Options that differ") == true)
    #expect(pages["running"]?.contains("running mean") == true)
    for words in ["Differences before and after all", "the layer&#39;s"] {
      #expect(explanation.contains(words), "\(words)")
    }
    let captures = try #require(pages["captures"])
    for words in [
      "They diverge in blocks.1.1", "that of blocks.2.1 in the first", "multiples of rounding",
      "blocks.1.1: running_var", "blocks.1.1: outputs", "standard deviations",
    ] {
      #expect(captures.contains(words), "\(words)")
    }
    #expect(pages["formulas"]?.contains("from its formula") == true)
  }

  @Test func pagesOfCheckpoints() throws {
    let pages = Dictionary(uniqueKeysWithValues: Self.pages.map { ($0.name, $0.page.html) })
    let broken = try #require(pages["checkpoint"])
    for words in [
      "negative-running-variance (error)", "non-finite-statistics (error)", "What shows it",
      "The running variance of each layer", "names-with-prefix", "1 not finite",
      "What a checkpoint does not show", "norma capture --script &gt; norma_capture.py",
    ] {
      #expect(broken.contains(words), "\(words)")
    }
    let healthy = try #require(pages["healthy checkpoint"])
    #expect(healthy.contains("show nothing wrong") && healthy.contains("None is out of range."))
    #expect(!healthy.contains("Findings") && healthy.contains("norma doctor mine.safetensors"))
  }

  /// The differences are drawn as they are, and as they are with all changes made.
  @Test func differencesBeforeAndAfter() {
    let x = withSeed(3) { Tensor.randn(8, 12, 6) * 2 + 1 }.evaluated()
    let mean = x.mean(over: 0, 2, keepDims: true)
    let y = ((x - mean) / (x.std(over: 0, 2, keepDims: true) + 1e-2)).evaluated()
    let layer = BatchNorm1d(12)
    let found = layer.explain(x, expecting: y)
    let gap = found.gap?.maximum ?? 0
    #expect(found.differences.now.count == 576 && found.differences.after.count == 576)
    #expect(abs((found.differences.now.map(abs).max() ?? 0) - gap) < 1e-12)
    #expect((found.differences.after.map(abs).max() ?? 1) < 1e-5)
    let html = found.report().html
    #expect(found.steps.count > 1)
    #expect(html.contains("Differences before and after all \(found.steps.count) changes"))
    #expect(!html.contains("Distance between the results"))
    // Equal results have no steps, and nothing to draw.
    #expect(!layer.explain(x, expecting: layer(x)).report().html.contains("Differences before"))
    let running = layer.explain(x, expectingRunningMean: x.mean(over: 0, 2))
    #expect(running.differences.now.count == 12 && running.report().html.contains("before"))
    // They are no part of the value's JSON.
    let json = (try? JSONEncoder().encode(found)).map { String(decoding: $0, as: UTF8.self) }
    #expect(json?.contains("differences") == false && json?.contains("unexplained") == true)
  }

  @Test func samplesBeforeAndAfterComeFromTheCapture() {
    var layer = CapturedLayer(name: "bn", kind: "BatchNorm2d")
    #expect(layer.histogram == nil)
    layer.x = Tensor([1, 2, .nan, 3], dtype: .float64)
    layer.y = Tensor([-1, 0, 1], dtype: .float64)
    #expect(layer.histogram?.summary.contains("1 not finite") == true)
  }

  @Test func pagesAreWrittenWholeOrNotAtAll() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let page = HTMLReport(title: "é")
    let file = folder.appending(path: "a.html").path()
    try page.write(to: file)
    try page.write(to: file)
    #expect(try String(contentsOfFile: file, encoding: .utf8) == page.html)
    #expect(throws: (any Error).self) { try page.write(to: folder.path()) }
    #expect(throws: (any Error).self) {
      try page.write(to: folder.appending(path: "none/a.html").path())
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path()) == ["a.html"])
  }
}
