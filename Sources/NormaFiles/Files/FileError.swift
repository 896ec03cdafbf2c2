import NormaTensor

/// What is wrong with a file, thrown by everything that reads or writes one.
///
/// A file is the world's, not the caller's: whatever its bytes say, reading it gives a tensor or
/// this error and never ends the process.
///
///     Tensor(npy:): images.npy is truncated: the header promises shape [60000, 28, 28] of
///     float32 (188160000 bytes) and 1024 bytes follow
public struct FileError: Error, Sendable, Hashable {
  /// The sort of fault, for programs that answer differently to each.
  public enum Kind: String, Sendable, Hashable {
    /// The system refused: no such file, no permission, no space.
    case system
    /// The file ends before what its header promises.
    case truncated
    /// The bytes break the rules of their format.
    case malformed
    /// The file is in order but holds something that Norma does not read or write.
    case unsupported
    /// The file holds no tensor of the name that was asked for.
    case missing
  }

  /// The sort of fault.
  public let kind: Kind

  /// The call that failed: `Tensor(npy:)`.
  public let operation: String

  /// The file, as the caller named it.
  public let path: String

  /// What is wrong: `is truncated`.
  public let problem: String

  /// What was expected and what was found instead.
  public let detail: String
}

extension FileError: CustomStringConvertible {
  /// The call, the file, what is wrong and what was expected, in one line.
  public var description: String { "\(operation): \(path) \(problem): \(detail)" }
}

/// The call and the file that errors are reported for.
struct FileContext: Sendable {
  var operation: String
  var path: String

  func error(_ kind: FileError.Kind, _ problem: String, _ detail: String) -> FileError {
    FileError(kind: kind, operation: operation, path: path, problem: problem, detail: detail)
  }

  func truncated(_ detail: String) -> FileError { error(.truncated, "is truncated", detail) }

  func malformed(_ problem: String, _ detail: String) -> FileError {
    error(.malformed, problem, detail)
  }

  /// Throws for a tensor with more axes than any operation takes.
  func checkAxes(_ shape: [Int]) throws(FileError) {
    guard shape.count > Shape.mostAxes else { return }
    throw unsupported(
      "holds a tensor of \(shape.count) axes", "a tensor has at most \(Shape.mostAxes)")
  }

  func unsupported(_ problem: String, _ detail: String) -> FileError {
    error(.unsupported, problem, detail)
  }

  /// The error for a name that an archive lacks, with the names that it has.
  func missing(_ name: String, among names: [String]) -> FileError {
    let listed = names.prefix(8).map(quoted).joined(separator: ", ")
    let rest = names.count > 8 ? ", ..." : ""
    return error(
      .missing, "has no tensor named \(quoted(name))",
      names.isEmpty ? "it holds none" : "it holds \(names.count): \(listed)\(rest)")
  }

  /// The error for what this build of Norma has no library for.
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

/// A name from a file made safe to print: short, quoted, without control characters.
func quoted(_ name: String) -> String {
  var text = "\""
  for scalar in name.unicodeScalars.prefix(120) {
    text += scalar.properties.generalCategory == .control ? "?" : String(scalar)
  }
  return text + (name.unicodeScalars.count > 120 ? "...\"" : "\"")
}
