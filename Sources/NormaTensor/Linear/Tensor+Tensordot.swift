extension Tensor {
  /// Σ over the last `axes` axes of this tensor and the first ones of the other, in their order.
  ///
  /// The result has the remaining axes of both, this tensor's first; with 0 it holds all products.
  /// Equal types. Cost: one matrix product, and copies of operands whose summed axes are not
  /// adjacent.
  /// PyTorch: `torch.tensordot(a, b, dims=axes)`.
  public func tensordot(
    _ other: Tensor, axes: Int = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      let call = "tensordot(_:axes:)"
      guard axes >= 0, axes <= Swift.min(rank, other.rank) else {
        throw TensorError(
          call, "shapes \(shape) and \(other.shape) do not both have \(axes) axes")
      }
      return try contracted(
        Array((rank - axes)..<rank), with: other, over: Array(0..<axes), call: call)
    }
  }

  /// Σ over pairs of axes: axis `over[i]` of this tensor is paired with axis `and[i]` of the other.
  ///
  /// An axis of size 1 matches any other. The result has the remaining axes of both, this tensor's
  /// first. PyTorch: `torch.tensordot(a, b, dims=(over, and))`.
  public func tensordot(
    _ other: Tensor, over axes: [Int], and otherAxes: [Int], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      let call = "tensordot(_:over:and:)"
      guard axes.count == otherAxes.count else {
        throw TensorError(
          call, "\(axes) and \(otherAxes) name different numbers of axes")
      }
      let own = try Tensor.distinct(axes, of: shape, call: call)
      let theirs = try Tensor.distinct(otherAxes, of: other.shape, call: call)
      return try contracted(own, with: other, over: theirs, call: call)
    }
  }

  private static func distinct(
    _ axes: [Int], of shape: [Int], call: String
  ) throws(TensorError) -> [Int] {
    var result: [Int] = []
    for axis in axes {
      let front = try Shape.axis(axis, of: shape, call: call)
      guard front < shape.count, !result.contains(front) else {
        throw TensorError(call, "\(axes) are not distinct axes of shape \(shape)")
      }
      result.append(front)
    }
    return result
  }

  /// Σ over pairs of axes, counted from the front.
  func contracted(
    _ axes: [Int], with other: Tensor, over otherAxes: [Int], call: String
  ) throws(TensorError) -> Tensor {
    try Tensor.requireFactors(self, other, call: call)
    var (a, b) = (self, other)
    // An axis paired with one of size 1 is summed beforehand.
    for (own, their) in zip(axes, otherAxes) where a.shape[own] != b.shape[their] {
      if a.shape[own] == 1 {
        b = b.sum(over: their, keepDims: true).cast(to: dtype)
      } else if b.shape[their] == 1 {
        a = a.sum(over: own, keepDims: true).cast(to: dtype)
      } else {
        throw TensorError(
          call,
          "axis \(own) of shape \(shape) and axis \(their) of shape \(other.shape) have different "
            + "sizes")
      }
    }
    let left = a.shape.indices.filter { !axes.contains($0) }
    let right = b.shape.indices.filter { !otherAxes.contains($0) }
    let shape = left.map { a.shape[$0] } + right.map { b.shape[$0] }
    let count = axes.reduce(1) { $0 * a.shape[$1] }
    let rows = a.permuted(left + axes).reshaped(left.reduce(1) { $0 * a.shape[$1] }, count)
    let columns = b.permuted(otherAxes + right)
      .reshaped(count, right.reduce(1) { $0 * b.shape[$1] })
    return rows.matmulOrSum(columns).reshaped(shape)
  }

  /// The product of two matrices; for a row and a column, one sum in `float64`.
  private func matmulOrSum(_ other: Tensor) -> Tensor {
    shape[0] == 1 && other.shape[1] == 1
      ? squeezed(0).matmul(other.squeezed(1)) : matmul(other)
  }
}
