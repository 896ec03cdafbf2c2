import Foundation
import NormaFiles

/// Elements in a file beside the model.
enum ExternalData {
  /// The file and the offset of a tensor's elements.
  ///
  /// The file must lie in the model's folder: no absolute path, no `..`, no link that leads out.
  static func file(
    of tensor: TensorProto, byteCount: Int, folder: String?
  ) throws -> (file: InputFile, offset: Int) {
    let location = tensor.external["location"] ?? ""
    guard let folder else {
      throw tensor.error("has elements in another file", "\(quoted(location)) is not known")
    }
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    guard !location.isEmpty, !location.utf8.contains(0), !location.contains("\\"),
      !parts.contains(""), !parts.contains("..")
    else { throw outside(tensor, location) }
    let root = URL(fileURLWithPath: folder).resolvingSymlinksInPath()
    let path = root.appendingPathComponent(location).resolvingSymlinksInPath()
    guard path.path.hasPrefix(root.path == "/" ? "/" : root.path + "/") else {
      throw outside(tensor, location)
    }
    let file = try InputFile(path: path.path, operation: tensor.source.file.context.operation)
    let offset = try number(tensor, "offset") ?? 0
    let length = try number(tensor, "length") ?? byteCount
    guard length == byteCount, offset <= file.size, length <= file.size - offset else {
      throw tensor.error(
        "does not fit \(quoted(location))",
        "tensor \(quoted(tensor.name)) needs \(byteCount) bytes; \(length) at offset \(offset) are "
          + "named and the file has \(file.size)")
    }
    return (file, offset)
  }

  private static func number(_ tensor: TensorProto, _ key: String) throws -> Int? {
    guard let text = tensor.external[key] else { return nil }
    guard let number = Int(text), number >= 0 else {
      throw tensor.error("is damaged", "\(key) \(quoted(text)) of tensor \(quoted(tensor.name))")
    }
    return number
  }

  private static func outside(_ tensor: TensorProto, _ location: String) -> FileError {
    tensor.error(
      "names a file outside of its folder", "\(quoted(location)) of tensor \(quoted(tensor.name))")
  }
}
