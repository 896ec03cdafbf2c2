extension Tensor {
  /// Differences of adjacent elements along an axis, `order` times: y[i] = x[i + 1] - x[i].
  ///
  /// - Parameters:
  ///   - order: how many times; 0 gives the tensor itself. Each time the axis becomes one element
  ///     shorter.
  ///   - axis: the axis along which to take differences.
  ///   - prepend: elements to insert before the tensor along the axis, with the same other sizes.
  ///   - append: elements to insert after it.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Types: Booleans differ where they are not equal. A scalar has no differences and is not
  ///   allowed.
  /// - Cost: pending; one instruction for each order. PyTorch: `torch.diff`.
  public func difference(
    _ order: Int = 1, over axis: Int = -1, prepending prepend: Tensor? = nil,
    appending append: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "difference(_:over:)"
      guard order >= 0 else { throw TensorError(call, "order must not be negative, got \(order)") }
      guard rank > 0 else {
        throw TensorError(call, "a scalar has no adjacent elements; reshape it to [1]")
      }
      let front = try Shape.axis(axis, of: shape, call: call)
      for part in [prepend, append].compactMap({ $0 }) {
        guard part.rank == rank,
          shape.indices.allSatisfy({ $0 == front || part.shape[$0] == shape[$0] })
        else {
          throw TensorError(
            call,
            "shape \(part.shape) cannot be joined to \(shape) along axis \(axis): all other sizes "
              + "must be equal")
        }
      }
      let parts = [prepend, self, append].compactMap { $0 }
      var result = parts.count == 1 ? self : .concatenated(parts, over: front)
      for _ in 0..<Swift.min(order, result.shape[front]) {
        let left = result.shape[front] - 1
        let (after, before) = (
          result.narrowed(over: front, from: 1, count: left),
          result.narrowed(over: front, from: 0, count: left)
        )
        result = result.dtype == .bool ? after .!= before : after - before
      }
      return result
    }
  }
}
