import Foundation
import Testing

@testable import NormaExplain

/// Pages as a browser lays them out.
///
/// The browser is Chromium, which a build does not need: `apt-get install chromium`. Without it
/// these tests are skipped.
@Suite struct BrowserTests {
  static let chromium: String? = {
    let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
    let names = ["chromium", "chromium-browser", "google-chrome"]
    return folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
      .first { FileManager.default.isExecutableFile(atPath: $0) }
  }()

  /// What a browser says of a page in a frame.
  struct Layout: Decodable {
    let width, scroll, resources, scripts, charts, hidden: Int
    let isDark: Bool
  }

  /// No page is wider than its window, collapsed or expanded, and none requests anything.
  @Test(
    .enabled(if: BrowserTests.chromium != nil, "Chromium is not installed"),
    .timeLimit(.minutes(5)), arguments: [400, 1400])
  func pagesFitTheirWindow(width: Int) throws {
    for (name, page) in PageTests.pages {
      for layout in try layouts(page.html, width: width) {
        #expect(layout.width == width, "\(name)")
        #expect(layout.scroll <= width, "\(name) is \(layout.scroll) wide in \(width)")
        #expect(layout.resources == 0 && layout.scripts == 0, "\(name)")
        #expect(layout.hidden == 0, "\(name): charts without size")
        #expect(layout.charts > 0 || name == "running" || name == "hostile", "\(name)")
      }
    }
  }

  /// The page with its sections collapsed, and expanded.
  private func layouts(_ html: String, width: Int) throws -> [Layout] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "norma-\(UUID())")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // A browser's own window has a least width; a frame has none.
    let wrapper = """
      <!DOCTYPE html><meta charset="utf-8"><body>
      <iframe id="f" style="width:\(width)px;height:900px;border:0" srcdoc="\(Self.quoted(html))">
      </iframe><script>
      addEventListener('load', () => {
        const w = document.getElementById('f').contentWindow, d = w.document, found = [];
        for (const open of [false, true]) {
          if (open) d.querySelectorAll('details').forEach(e => e.open = true);
          const charts = [...d.querySelectorAll('svg')]
            .filter(e => w.getComputedStyle(e).display != 'none');
          found.push({
            width: w.innerWidth, scroll: d.documentElement.scrollWidth,
            resources: w.performance.getEntriesByType('resource')
              .filter(e => !e.name.startsWith('data:')).length,
            scripts: d.scripts.length, charts: charts.length,
            hidden: charts.filter(e => (open || !e.closest('details.folded'))
              && e.getBoundingClientRect().width < 100).length,
            isDark: w.matchMedia('(prefers-color-scheme: dark)').matches});
        }
        const result = document.createElement('pre');
        result.textContent = 'RESULT' + JSON.stringify(found) + 'END';
        document.body.replaceChildren(result);
      });
      </script></body>
      """
    let file = folder.appending(path: "wrapper.html")
    try Data(wrapper.utf8).write(to: file)
    let output = folder.appending(path: "dom")
    try Data().write(to: output)
    let process = Process()
    process.executableURL = URL(filePath: try #require(Self.chromium))
    process.arguments = [
      "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
      "--user-data-dir=\(folder.path())/profile", "--window-size=1600,1000", "--dump-dom",
      file.absoluteString,
    ]
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    let dom = try String(contentsOf: output, encoding: .utf8)
    let start = try #require(dom.range(of: "<pre>RESULT"), "no result: \(dom.suffix(300))")
    let rest = dom[start.upperBound...]
    let end = try #require(rest.range(of: "END"))
    return try JSONDecoder().decode([Layout].self, from: Data(rest[..<end.lowerBound].utf8))
  }

  private static func quoted(_ text: String) -> String {
    text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "\"", with: "&quot;")
  }
}
