import NormaFiles
import NormaTensor

/// The elements of a graph's large tensors in a file beside the model, as protocol buffers hold at
/// most 2 GB.
struct ExportedData {
  /// Tensors of fewer bytes stay in the model's file.
  static let smallest = 1024
  /// Elements begin at multiples of this, so that they can be mapped.
  static let alignment = 64

  /// The name of the file in the model's folder.
  var location: String
  /// Where each tensor's elements begin.
  let offsets: [String: Int]

  /// Nil if the tensors have at most `limit` bytes, so that one file is enough.
  init?(_ graph: ExportedGraph, location: String, limit: Int) {
    guard graph.tensors.reduce(0, { $0 + $1.tensor.byteSize }) > limit else { return nil }
    self.location = location
    var (offsets, end) = ([String: Int](), 0)
    for (name, tensor) in graph.tensors where tensor.byteSize >= Self.smallest {
      offsets[name] = end
      end += (tensor.byteSize + Self.alignment - 1) / Self.alignment * Self.alignment
    }
    self.offsets = offsets
  }

  /// Writes the file.
  func write(_ graph: ExportedGraph, to path: String, operation: String) throws {
    let tensors = graph.tensors.filter { offsets[$0.name] != nil }
    let parts = tensors.lazy.map { name, tensor in
      tensor.withUnsafeBytes { bytes in
        [UInt8](bytes) + [UInt8](repeating: 0, count: -bytes.count & (Self.alignment - 1))
      }
    }
    try writeBytes(parts: parts, to: path, operation: operation)
  }
}

extension Tensor {
  /// The number of bytes of all elements.
  var byteSize: Int { count * dtype.byteCount }
}
