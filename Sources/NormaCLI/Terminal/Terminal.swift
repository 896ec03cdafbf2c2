import Foundation
import NormaExplain

/// Properties of standard output.
enum Terminal {
  /// Whether standard output is a terminal.
  static var isInteractive: Bool { isatty(STDOUT_FILENO) == 1 }

  /// Whether to use colors: on a terminal that supports them, unless NO_COLOR is set.
  static var isColoured: Bool {
    let environment = ProcessInfo.processInfo.environment
    return isInteractive && (environment["NO_COLOR"] ?? "").isEmpty
      && environment["TERM"] != "dumb"
  }

  /// The number of columns, at most 100; 80 without a terminal.
  static var width: Int {
    if let columns = ProcessInfo.processInfo.environment["COLUMNS"], let width = Int(columns) {
      return min(max(width, 40), 100)
    }
    var size = winsize()
    guard isInteractive, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
      return 80
    }
    return min(max(Int(size.ws_col), 40), 100)
  }

  static var style: TextStyle {
    TextStyle(width: width, isColoured: isColoured, drawsBars: isInteractive)
  }

  /// Writes a line immediately, also into a pipe.
  static func show(_ text: String) {
    print(text)
    fflush(nil)
  }
}

/// Any value as JSON with sorted keys; non-finite numbers become text.
func encoded(_ value: some Encodable) throws -> String {
  let encoder = JSONEncoder()
  encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
  encoder.nonConformingFloatEncodingStrategy = .convertToString(
    positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
  return String(decoding: try encoder.encode(value), as: UTF8.self)
}
