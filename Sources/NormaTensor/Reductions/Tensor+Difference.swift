extension Tensor {
  /// Differences of neighbours along an axis, `order` times: y[i] = x[i + 1] - x[i].
  ///
  /// - Parameters:
  ///   - order: how often; 0 gives the tensor itself. Each time the axis is one element shorter.
  ///   - axis: the axis along which neighbours are.
  ///   - prepend: what stands before the tensor along the axis, of the same other sizes.
  ///   - append: what stands behind it.
  ///   - file: the caller's file, for the text of a mistake.
  ///   - line: the caller's line.
  /// - Truth values differ where they are not equal. A number without axes is refused.
  /// - Cost: pending; one instruction for each order. PyTorch: `torch.diff`.
  public func difference(
    _ order: Int = 1, over axis: Int = -1, prepending prepend: Tensor? = nil,
    appending append: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "difference(_:over:)"
      guard order >= 0 else { throw TensorError(call, "order \(order) is negative") }
      guard rank > 0 else {
        throw TensorError(call, "a number without axes has no neighbours; reshape it to [1]")
      }
      let front = try Shape.axis(axis, of: shape, call: call)
      for part in [prepend, append].compactMap({ $0 }) {
        guard part.rank == rank,
          shape.indices.allSatisfy({ $0 == front || part.shape[$0] == shape[$0] })
        else {
          throw TensorError(
            call,
            "shape \(part.shape) does not go beside \(shape) along axis \(axis): all other sizes "
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
