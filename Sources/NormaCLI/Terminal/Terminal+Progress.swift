import Foundation

extension Terminal {
  /// Bold where colour is wanted.
  static func bold(_ text: String) -> String {
    isColoured ? "\u{1B}[1m\(text)\u{1B}[0m" : text
  }

  /// Whether somebody sees progress.
  static var isProgressShown: Bool { isatty(STDERR_FILENO) == 1 }

  /// Shows what is going on in the last line of standard error, if it is a terminal; the next call
  /// takes its place, and nil clears it.
  static func showProgress(_ text: String?) {
    guard isProgressShown else { return }
    try? FileHandle.standardError.write(contentsOf: Data(("\r\u{1B}[K" + (text ?? "")).utf8))
  }
}
