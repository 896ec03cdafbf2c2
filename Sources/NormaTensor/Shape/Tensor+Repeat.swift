// Repeated elements, in memory of their own.

extension Tensor {
  /// The whole tensor repeated `counts` times along each axis; more counts than axes add axes in
  /// front.
  ///
  /// Pending, and read through a broadcast. Cost: one read and one write.
  /// PyTorch: `x.repeat(counts)`.
  public func repeated(
    _ counts: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try repeated(counts, call: "repeated(_:)")
    }
  }

  /// The whole tensor repeated `counts` times along the last axes: with fewer counts than axes, the
  /// first axes do not change. PyTorch: `torch.tile(x, counts)`.
  public func tiled(
    _ counts: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let missing = [Int](repeating: 1, count: Swift.max(rank - counts.count, 0))
      return try repeated(missing + counts, call: "tiled(_:)")
    }
  }

  private func repeated(_ counts: [Int], call: String) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    try demand(
      counts.count >= rank, call,
      "\(counts.count) counts for shape \(shape), which has \(rank) axes; tiled(_:) takes fewer")
    if let negative = counts.first(where: { $0 < 0 }) {
      throw TensorError(call, "a count must not be negative, got \(negative)")
    }
    let own = [Int](repeating: 1, count: counts.count - rank) + shape
    var (inner, outer, target): ([Int], [Int], [Int]) = ([], [], [])
    for (size, count) in zip(own, counts) {
      inner += [1, size]
      outer += [count, size]
      target.append(size.multipliedReportingOverflow(by: count).partialValue)
    }
    _ = try Shape.count(outer, call: call)
    if counts.allSatisfy({ $0 == 1 }) { return reshaped(own) }
    return reshaped(inner).broadcast(to: outer).reshaped(target)
  }

  /// Each element repeated `count` times along an axis; without an axis, all elements in row-major
  /// order.
  ///
  /// Pending. Cost: one read and one write. PyTorch: `torch.repeat_interleave(x, count, dim)`.
  public func repeatedInterleaved(
    _ count: Int, over axis: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "repeatedInterleaved(_:over:)"
      guard count >= 0 else { throw TensorError(call, "count must not be negative, got \(count)") }
      let source = axis == nil ? flattened() : atLeast1D()
      let front = try Shape.axis(axis ?? 0, of: source.shape, call: call)
      var shape = source.shape
      shape.insert(count, at: front + 1)
      _ = try Shape.count(shape, call: call)
      return source.unsqueezed(front + 1).broadcast(to: shape)
        .flattened(from: front, through: front + 1)
    }
  }

  /// Each element along an axis repeated as often as `counts` says.
  ///
  /// - Parameters:
  ///   - counts: integers with one axis, one for each element along the axis, or a single one for
  ///     all.
  ///   - axis: the axis; nil for all elements in row-major order.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Cost: runs eagerly; one read and one write of the result, and 8 bytes for each of its
  ///   elements along the axis.
  /// - PyTorch: `torch.repeat_interleave(x, counts, dim)`.
  public func repeatedInterleaved(
    _ counts: Tensor, over axis: Int? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, counts, file: file, line: line) { () throws(TensorError) in
      let call = "repeatedInterleaved(_:over:)"
      let source = axis == nil ? flattened() : atLeast1D()
      let front = try Shape.axis(axis ?? 0, of: source.shape, call: call)
      let size = source.shape[front]
      guard counts.rank <= 1, counts.dtype.isInteger, counts.count == size || counts.count == 1
      else {
        throw TensorError(
          call,
          "expected \(size) integers with one axis, one for each element, got \(counts.dtype) "
            + "\(counts.shape)")
      }
      let numbers = counts.asPositions.array(of: Int.self)
      if let negative = numbers.first(where: { $0 < 0 }) {
        throw TensorError(call, "a count must not be negative, got \(negative)")
      }
      let all = numbers.count == size ? numbers : [Int](repeating: numbers[0], count: size)
      var indices: [Int] = []
      let total = try Shape.sum(all, call: call)
      try Shape.room([total], .int64, call: call)
      indices.reserveCapacity(total)
      for (index, count) in all.enumerated() { indices += repeatElement(index, count: count) }
      return source.picked(front, indices)
    }
  }
}
