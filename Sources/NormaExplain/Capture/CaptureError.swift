/// Why a file is not a capture that can be used.
public struct CaptureError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The file, as the caller named it.
  public let path: String
  /// What is wrong with it.
  public let problem: String

  /// The file and what is wrong with it, in one line.
  public var description: String { "\(path) \(problem)" }
}
