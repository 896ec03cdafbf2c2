#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

/// What the command line knows about the terminal it writes to.
enum Terminal {
  /// Whether standard output is read by a person who wants colour; see no-color.org.
  static var hasColor: Bool {
    let refused = getenv("NO_COLOR").map { $0.pointee != 0 } ?? false
    return isatty(STDOUT_FILENO) == 1 && !refused
  }

  /// Bold where colour is wanted.
  static func bold(_ text: String) -> String {
    hasColor ? "\u{1B}[1m\(text)\u{1B}[0m" : text
  }

  /// Shows what is going on in the last line of standard error, if it is a terminal; the next call
  /// takes its place, and nil clears it.
  static func showProgress(_ text: String?) {
    guard isatty(STDERR_FILENO) == 1 else { return }
    let line = "\r\u{1B}[K" + (text ?? "")
    _ = line.withCString { write(STDERR_FILENO, $0, strlen($0)) }
  }
}
