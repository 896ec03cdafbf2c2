extension Tensor {
  /// Σ over the last `axes` axes of this tensor and the first of the other, in their order.
  ///
  /// The result has the axes that are left of both, one after the other; with 0 it holds all products.
  /// One type. Cost: one matrix product, and copies of operands whose summed axes do not lie
  /// together. PyTorch: `torch.tensordot(a, b, dims=axes)`.
  public func tensordot(
    _ other: Tensor, axes: Int = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || other.isPoisoned { return .poisoned }
      let call = "tensordot(_:axes:)"
      guard axes >= 0, axes <= Swift.min(rank, other.rank) else {
        throw TensorError(
          call, "\(axes) axes are not there in both of shapes \(shape) and \(other.shape)")
      }
      return try contracted(
        Array((rank - axes)..<rank), with: other, over: Array(0..<axes), call: call)
    }
  }

  /// Σ over pairs of axes: axis `over[i]` of this tensor runs with axis `and[i]` of the other.
  ///
  /// An axis of size 1 runs with any other. The result has the axes that are left of both, one after
  /// the other. PyTorch: `torch.tensordot(a, b, dims=(over, and))`.
  public func tensordot(
    _ other: Tensor, over axes: [Int], and otherAxes: [Int], file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || other.isPoisoned { return .poisoned }
      let call = "tensordot(_:over:and:)"
      guard axes.count == otherAxes.count else {
        throw TensorError(
          call, "\(axes) and \(otherAxes) do not name as many axes of both tensors")
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
        throw TensorError(call, "\(axes) are not different axes of shape \(shape)")
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
    // What meets an axis of size 1 is summed beforehand.
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

  /// The product of two matrices; of a row and a column by one sum in `float64`.
  private func matmulOrSum(_ other: Tensor) -> Tensor {
    shape[0] == 1 && other.shape[1] == 1
      ? squeezed(0).matmul(other.squeezed(1)) : matmul(other)
  }
}
