/// The reason why a file cannot be used as a capture.
public struct CaptureError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The path, as given by the caller.
  public let path: String
  /// The problem.
  public let problem: String

  /// The file and the problem, in one line.
  public var description: String { "\(path) \(problem)" }
}
