// Elements by their numbers in row-major order. These run at once.

extension Tensor {
  /// The elements with these numbers in row-major order, in the shape of `indices`; negative ones
  /// count from the end. PyTorch: `torch.take`.
  public func taken(
    _ indices: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || indices.isPoisoned { return .poisoned }
      let places = try flatPlaces(indices, "taken(_:)")
      return try reshaped(1, count, 1).picked(places).reshaped(indices.shape)
    }
  }

  /// A copy with `source` at these numbers in row-major order; of several the last stays, or all are
  /// added to what is there.
  ///
  /// - Parameters:
  ///   - indices: the numbers; negative ones count from the end.
  ///   - source: as many elements as there are indices, taken in row-major order.
  ///   - accumulating: whether to add, in order in `float64`.
  ///   - file: The caller's file, for the text of a mistake.
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
            + "numbers and types must be equal")
      }
      let places = try flatPlaces(indices, call)
      let (x, part) = (reshaped(1, count, 1), source.reshaped(1, source.count, 1))
      let result = try accumulating ? x.added(part, at: places) : x.replaced(by: part, at: places)
      return result.reshaped(shape)
    }
  }

  private func flatPlaces(_ indices: Tensor, _ call: String) throws(TensorError) -> AxisPlaces {
    try AxisPlaces.integers(indices, call)
    return AxisPlaces(
      indices.reshaped(1, indices.count, 1), narrow: [1, indices.count, 1], size: count,
      wraps: true, call: call, axis: 0, shape: [count])
  }
}
