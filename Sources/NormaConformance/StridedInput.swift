import NormaTensor

extension Tensor {
  /// The same elements with other strides in memory, as in a recorded input.
  ///
  /// Layouts that permutations, slices and steps of one block can produce are reconstructed, and
  /// broadcast axes are broadcast again; any other layout stays contiguous.
  func laidOut(strides: [Int]) throws -> Tensor {
    guard strides.count == rank, rank > 0, count > 0 else { return self }
    let stretched = shape.indices.filter { strides[$0] == 0 && shape[$0] > 1 }
    if !stretched.isEmpty {
      let one: [any TensorIndex] = shape.indices.map {
        stretched.contains($0) ? AxisSlice(to: 1) : AxisSlice()
      }
      let packed = shape.indices.map { stretched.contains($0) ? 1 : strides[$0] }
      return try taking(one).laidOut(strides: packed).broadcast(to: shape)
    }
    // Axes of one element may be anywhere; put them outermost.
    let order = shape.indices.sorted {
      (shape[$0] == 1 ? Int.max : strides[$0], $1) > (shape[$1] == 1 ? Int.max : strides[$1], $0)
    }
    guard let block = Block(shape: order.map { shape[$0] }, strides: order.map { strides[$0] })
    else { return self }
    var inverse = order
    for (place, axis) in order.enumerated() { inverse[axis] = place }
    return block.filled(with: permuted(order)).permuted(inverse)
  }
}

/// A block of memory in which a slice with steps has given strides, largest first.
private struct Block {
  let shape: [Int]
  let strides: [Int]

  init?(shape: [Int], strides: [Int]) {
    // Axes of one element get the stride that the next axis implies.
    var strides = strides
    for axis in shape.indices.reversed() where shape[axis] == 1 {
      strides[axis] = axis + 1 < shape.count ? strides[axis + 1] * shape[axis + 1] : 1
    }
    for (outer, axis) in zip(strides, shape.indices.dropFirst()) {
      guard strides[axis] > 0, outer % strides[axis] == 0, shape[axis] <= outer / strides[axis]
      else { return nil }
    }
    self.shape = shape
    self.strides = strides
  }

  /// The slice of a fresh block, with the elements of `source`; the rest of the block is noise.
  func filled(with source: Tensor) -> Tensor {
    // An axis has as many positions as fit between two elements of the axis before it.
    let places = zip(strides, strides.dropFirst()).map { $0 / $1 }
    let full = Array(shape.prefix(1)) + places + Array(strides.suffix(1))
    let size = source.dtype.byteCount
    let block = source.withUnsafeBytes { elements in
      Tensor(shape: full, dtype: source.dtype) { bytes in
        for index in bytes.indices { bytes[index] = source.dtype == .bool ? 1 : 0x55 }
        for index in 0..<source.count {
          var (rest, place) = (index, 0)
          for (extent, stride) in zip(shape, strides).reversed() {
            place += rest % extent * stride
            rest /= extent
          }
          for byte in 0..<size { bytes[place * size + byte] = elements[index * size + byte] }
        }
      }
    }
    return block.taking(shape.map { AxisSlice(to: $0) } + [0])
  }
}
