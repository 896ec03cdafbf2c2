import Norma

/// A tensor of a file under its new name, with what has to be done to its values.
struct NamedTensor {
  /// The names in the file that it comes from; empty for values that are added.
  var origins: [String]
  var name: String
  var shape: [Int]
  var dtype: DType
  /// What was changed besides the name, in words.
  var changes: [String] = []
  /// Reads the values and changes them.
  var read: () throws -> Tensor

  /// The name of the layer, without the tensor's own.
  var layer: String { name.lastIndex(of: ".").map { String(name[..<$0]) } ?? "" }

  /// The tensor's own name in its layer.
  var last: String {
    name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
  }

  /// Whether the layer's name says that it is a transposed convolution.
  var isTransposedConvolution: Bool {
    let owner = layer.split(separator: ".").last.map { $0.lowercased() } ?? ""
    return owner.contains("transpose") || owner.contains("deconv")
  }

  /// The same under another name in the same layer.
  func named(_ last: String) -> NamedTensor {
    var result = self
    result.name = layer.isEmpty ? last : "\(layer).\(last)"
    return result
  }

  func permuted(_ axes: [Int]) -> NamedTensor {
    if axes == Array(axes.indices) { return self }
    let words = axes.map { "\($0)" }.joined(separator: ", ")
    return changed(axes.map { shape[$0] }, "axes (\(words))") { $0.permuted(axes) }
  }

  func reshaped(_ shape: [Int]) -> NamedTensor {
    if shape == self.shape { return self }
    return changed(shape, "reshaped") { $0.reshaped(shape) }
  }

  /// Equal blocks along the last axis in another order, such as the gates of a recurrent layer.
  func ordered(blocks: [Int]) -> NamedTensor {
    let (axis, size) = (shape.count - 1, (shape.last ?? 0) / blocks.count)
    let words = blocks.map { "\($0)" }.joined(separator: ", ")
    return changed(shape, "blocks (\(words))") { tensor in
      .concatenated(
        blocks.map { tensor.narrowed(over: axis, from: $0 * size, count: size) }, over: axis)
    }
  }

  private func changed(
    _ shape: [Int], _ words: String, _ change: @escaping (Tensor) -> Tensor
  ) -> NamedTensor {
    var result = self
    let read = read
    result.shape = shape
    result.changes.append(words)
    result.read = { try catchingTensorErrors { change(try read()) } }
    return result
  }
}
