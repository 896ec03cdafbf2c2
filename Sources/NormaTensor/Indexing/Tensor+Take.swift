// Elements by their row-major index. These run eagerly.

extension Tensor {
  /// The elements at these row-major indices, in the shape of `indices`; negative ones count from
  /// the end. PyTorch: `torch.take`.
  public func taken(
    _ indices: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, indices, file: file, line: line) { () throws(TensorError) in
      let axisIndices = try flatIndices(indices, "taken(_:)")
      return try reshaped(1, count, 1).picked(axisIndices).reshaped(indices.shape)
    }
  }

  /// A copy with `source` at these row-major indices; if an index occurs several times, the last
  /// one is kept, or all are added.
  ///
  /// - Parameters:
  ///   - indices: row-major indices; negative ones count from the end.
  ///   - source: as many elements as there are indices, in row-major order.
  ///   - accumulating: whether to add, in order in `float64`.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - PyTorch: `x.put(indices, source, accumulate)`.
  public func putting(
    _ indices: Tensor, _ source: Tensor, accumulating: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || indices.isPoisoned || source.isPoisoned { return .poisoned }
      let call = "putting(_:_:)"
      guard source.dtype == dtype, source.count == indices.count else {
        throw TensorError(
          call,
          "\(source.count) elements of \(source.dtype) for \(indices.count) indices into \(dtype); "
            + "counts and types must be equal")
      }
      let axisIndices = try flatIndices(indices, call)
      let (x, part) = (reshaped(1, count, 1), source.reshaped(1, source.count, 1))
      let result =
        try accumulating ? x.added(part, at: axisIndices) : x.replaced(by: part, at: axisIndices)
      return result.reshaped(shape)
    }
  }

  private func flatIndices(_ indices: Tensor, _ call: String) throws(TensorError) -> AxisIndices {
    try AxisIndices.integers(indices, call)
    return AxisIndices(
      indices.reshaped(1, indices.count, 1), narrow: [1, indices.count, 1], size: count,
      wraps: true, call: call, axis: 0, shape: [count])
  }
}
