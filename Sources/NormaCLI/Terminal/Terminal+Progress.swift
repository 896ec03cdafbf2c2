import Foundation

extension Terminal {
  /// Bold text if colors are enabled.
  static func bold(_ text: String) -> String {
    isColoured ? "\u{1B}[1m\(text)\u{1B}[0m" : text
  }

  /// Whether progress is visible.
  static var isProgressShown: Bool { isatty(STDERR_FILENO) == 1 }

  /// Shows progress in the last line of standard error, if it is a terminal; the next call replaces
  /// it, and nil clears it.
  static func showProgress(_ text: String?) {
    guard isProgressShown else { return }
    try? FileHandle.standardError.write(contentsOf: Data(("\r\u{1B}[K" + (text ?? "")).utf8))
  }
}
