import Foundation
import Norma

/// A tensor that an option names: a file of one tensor, or `file:name` where a file holds several.
struct GivenTensor {
  let path: String
  /// The tensor's name in the file; nil where the option has none.
  let name: String?

  /// What ends the name of a file that holds several tensors.
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

  /// Whether the file holds named tensors.
  var isArchive: Bool { name != nil || Self.endings.contains { path.hasSuffix($0) } }

  /// The tensor as it is in the file.
  ///
  /// - Parameter count: Of IDX files, how many items are read; others are read whole.
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
          ? "\(path) holds no tensor"
          : "\(path) holds \(file.keys.count) tensors; name one of them: \(some)"
            + (file.keys.count > 12 ? ", ..." : ""))
    }
    return try file.tensor(named: only)
  }
}

extension StateFile {
  /// The tensor of a name; where there is none, the message has the names that there are.
  func tensor(near name: String, in path: String) throws -> Tensor {
    guard keys.contains(name) else {
      throw DataError("\(path) has no tensor \(name); \(namesInWords(to: name, among: keys))")
    }
    return try tensor(named: name)
  }
}
