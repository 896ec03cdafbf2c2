import NormaTensor

/// An error of reading or writing a file.
///
/// The content of files is outside the caller's control: whatever the bytes are, reading returns a
/// tensor or throws this error and never ends the process.
///
///     Tensor(npy:): images.npy is truncated: the header promises shape [60000, 28, 28] of
///     float32 (188160000 bytes) and 1024 bytes follow
public struct FileError: Error, Sendable, Hashable {
  /// The kind of error, for programs that handle each differently.
  public enum Kind: String, Sendable, Hashable {
    /// The system reported an error: no such file, no permission, no space.
    case system
    /// The file ends before the data that its header describes.
    case truncated
    /// The bytes violate their format.
    case malformed
    /// The file is valid but contains something that Norma does not read or write.
    case unsupported
    /// The file contains no tensor with the requested name.
    case missing
  }

  /// The kind of error.
  public let kind: Kind

  /// The call that failed: `Tensor(npy:)`.
  public let operation: String

  /// The path, as given by the caller.
  public let path: String

  /// The problem: `is truncated`.
  public let problem: String

  /// What was expected and what was found.
  public let detail: String

  /// An error of a call that reads or writes a file.
  package init(kind: Kind, operation: String, path: String, problem: String, detail: String) {
    (self.kind, self.operation, self.path) = (kind, operation, path)
    (self.problem, self.detail) = (problem, detail)
  }
}

extension FileError: CustomStringConvertible {
  /// The call, the file, the problem and the details, in one line.
  public var description: String { "\(operation): \(path) \(problem): \(detail)" }
}

/// The call and the file that errors name.
package struct FileContext: Sendable {
  package var operation: String
  package var path: String

  package init(operation: String, path: String) {
    self.operation = operation
    self.path = path
  }

  func error(_ kind: FileError.Kind, _ problem: String, _ detail: String) -> FileError {
    FileError(kind: kind, operation: operation, path: path, problem: problem, detail: detail)
  }

  package func truncated(_ detail: String) -> FileError {
    error(.truncated, "is truncated", detail)
  }

  package func malformed(_ problem: String, _ detail: String) -> FileError {
    error(.malformed, problem, detail)
  }

  /// Throws for a tensor with more axes than operations support.
  package func checkAxes(_ shape: [Int]) throws(FileError) {
    guard shape.count > Shape.mostAxes else { return }
    throw unsupported(
      "holds a tensor of \(shape.count) axes", "a tensor has at most \(Shape.mostAxes)")
  }

  package func unsupported(_ problem: String, _ detail: String) -> FileError {
    error(.unsupported, problem, detail)
  }

  /// The error for a name that is not in an archive, with the names that are.
  func missing(_ name: String, among names: [String]) -> FileError {
    let listed = names.prefix(8).map(quoted).joined(separator: ", ")
    let rest = names.count > 8 ? ", ..." : ""
    return error(
      .missing, "has no tensor named \(quoted(name))",
      names.isEmpty ? "it holds none" : "it holds \(names.count): \(listed)\(rest)")
  }

  /// The error for a format whose library is not part of this build of Norma.
  func missingTrait(_ trait: String, _ what: String) -> FileError {
    unsupported(
      "cannot be read or written",
      "\(what) need the package trait \(trait), which this build of Norma is without")
  }

  /// The context of a part of this file.
  func member(_ name: String) -> FileContext {
    FileContext(operation: operation, path: "\(path)(\(name))")
  }
}

/// A name from a file, made safe to print: short, quoted, without control characters.
package func quoted(_ name: String) -> String {
  var text = "\""
  for scalar in name.unicodeScalars.prefix(120) {
    text += scalar.properties.generalCategory == .control ? "?" : String(scalar)
  }
  return text + (name.unicodeScalars.count > 120 ? "...\"" : "\"")
}
