import Foundation

#if canImport(FoundationXML)
  import FoundationXML
#endif

/// What a well-formed document consists of.
final class XMLShape: NSObject, XMLParserDelegate {
  struct Malformed: Error { let reason: String }

  /// Where an element lies.
  struct Box {
    let name: String
    let left, top, right, bottom: Double
  }

  private(set) var elements: [String] = []
  private(set) var attributes: [(String, String)] = []
  private(set) var boxes: [Box] = []
  private(set) var lines: [(x1: Double, y1: Double, x2: Double, y2: Double)] = []

  init(_ text: String) throws {
    super.init()
    let parser = XMLParser(data: Data(text.utf8))
    parser.delegate = self
    guard parser.parse() else {
      throw Malformed(
        reason: "line \(parser.lineNumber), column \(parser.columnNumber): "
          + "\(parser.parserError.map { "\($0)" } ?? "")")
    }
  }

  func parser(
    _ parser: XMLParser, didStartElement name: String, namespaceURI: String?,
    qualifiedName: String?, attributes found: [String: String] = [:]
  ) {
    elements.append(name)
    attributes += found.map { ($0.key, $0.value) }
    func value(_ key: String) -> Double { found[key].flatMap(Double.init) ?? .nan }
    switch name {
    case "rect":
      boxes.append(
        Box(
          name: name, left: value("x"), top: value("y"), right: value("x") + value("width"),
          bottom: value("y") + value("height")))
    case "circle":
      let (x, y, r) = (value("cx"), value("cy"), value("r"))
      boxes.append(Box(name: name, left: x - r, top: y - r, right: x + r, bottom: y + r))
    case "line":
      let (x1, y1, x2, y2) = (value("x1"), value("y1"), value("x2"), value("y2"))
      lines.append((x1, y1, x2, y2))
      boxes.append(
        Box(
          name: name, left: min(x1, x2), top: min(y1, y2), right: max(x1, x2),
          bottom: max(y1, y2)))
    default: break
    }
  }
}
