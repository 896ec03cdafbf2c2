import Foundation
import Norma

/// A tensor given by an option: a file with one tensor, or `file:name` if a file contains several.
struct GivenTensor {
  let path: String
  /// The tensor's name in the file; nil if the option has none.
  let name: String?

  /// The extensions of files that may contain several tensors.
  private static let endings = [".npz", ".safetensors", ".pt", ".pth", ".ckpt", ".bin"]

  init(_ argument: String) {
    for ending in Self.endings {
      guard let range = argument.range(of: ending + ":") else { continue }
      path = String(argument[..<range.lowerBound]) + ending
      name = String(argument[range.upperBound...])
      return
    }
    (path, name) = (argument, nil)
  }

  /// Whether the file contains named tensors.
  var isArchive: Bool { name != nil || Self.endings.contains { path.hasSuffix($0) } }

  /// The tensor as in the file.
  ///
  /// - Parameter count: The number of items to read from an IDX file; others are read completely.
  func read(count: Int? = nil) throws -> Tensor {
    guard isArchive else {
      return path.hasSuffix(".npy") ? try Tensor(npy: path) : try Tensor(idx: path, count: count)
    }
    let file = try StateFile(contentsOf: path)
    if let name { return try file.tensor(near: name, in: path) }
    guard file.keys.count == 1, let only = file.keys.first else {
      let some = file.keys.prefix(12).map { "\(path):\($0)" }.joined(separator: ", ")
      throw DataError(
        file.keys.isEmpty
          ? "\(path) contains no tensor"
          : "\(path) contains \(file.keys.count) tensors; name one of them: \(some)"
            + (file.keys.count > 12 ? ", ..." : ""))
    }
    return try file.tensor(named: only)
  }
}

extension StateFile {
  /// The tensor with a name; if there is none, the error lists the available names.
  func tensor(near name: String, in path: String) throws -> Tensor {
    guard keys.contains(name) else {
      throw DataError("\(path) has no tensor \(name); \(namesInWords(to: name, among: keys))")
    }
    return try tensor(named: name)
  }
}
