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

  func flipped(_ axes: [Int]) -> NamedTensor {
    let words = axes.map { "\($0)" }.joined(separator: ", ")
    return changed(shape, "axes (\(words)) flipped") { $0.flipped(over: axes) }
  }

  // MARK: Gates of recurrent layers, blocks along the first axis

  /// Equal blocks in another order.
  func ordered(blocks: [Int]) -> NamedTensor {
    if blocks == Array(blocks.indices) { return self }
    let size = (shape.first ?? 0) / blocks.count
    let words = blocks.map { "\($0)" }.joined(separator: ", ")
    return changed(shape, "blocks (\(words))") { tensor in
      .concatenated(blocks.map { tensor.narrowed(over: 0, from: $0 * size, count: size) })
    }
  }

  /// Some of `count` equal blocks.
  func blocks(_ range: Range<Int>, of count: Int) -> NamedTensor {
    if range == 0..<count { return self }
    let size = (shape.first ?? 0) / count
    let words =
      range.count == 1
      ? "block \(range.lowerBound)" : "blocks \(range.lowerBound) to \(range.upperBound - 1)"
    return changed([range.count * size] + shape.dropFirst(), words) {
      $0.narrowed(over: 0, from: range.lowerBound * size, count: range.count * size)
    }
  }

  /// One tensor after the other.
  static func joined(_ parts: [NamedTensor]) -> NamedTensor {
    var result = parts[0]
    if parts.count == 1 { return result }
    let reads = parts.map(\.read)
    result.origins = parts.flatMap(\.origins)
    result.shape[0] = parts.reduce(0) { $0 + $1.shape[0] }
    result.changes = parts.flatMap(\.changes).reduce(into: []) { all, change in
      if !all.contains(change) { all.append(change) }
    }
    result.changes.append("joined")
    result.read = { try catchingTensorErrors { .concatenated(try reads.map { try $0() }) } }
    return result
  }

  /// The sum with another tensor of this shape.
  func adding(_ other: NamedTensor) -> NamedTensor {
    var result = self
    let reads = (read, other.read)
    result.origins += other.origins
    result.changes.append("added")
    result.read = { try catchingTensorErrors { try reads.0() + reads.1() } }
    return result
  }

  /// Zeros of this shape or another, for what a library does not have.
  func zeros(_ reason: String, shape: [Int]? = nil) -> NamedTensor {
    let (shape, dtype) = (shape ?? self.shape, dtype)
    return NamedTensor(
      origins: [], name: name, shape: shape, dtype: dtype, changes: ["zeros: \(reason)"]
    ) { .zeros(shape, dtype: dtype) }
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
