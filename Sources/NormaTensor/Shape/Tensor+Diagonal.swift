// Diagonals of two axes. They are views; operations that write one write the whole tensor once.

extension Tensor {
  /// The elements whose positions along two axes differ by `offset`, as a new last axis: a view.
  ///
  /// `y[..., k]` is the element at k and k + offset along the axes `axes.0` and `axes.1`; a
  /// negative offset shifts the first of them. Empty if the offset is too large.
  /// PyTorch: `torch.diagonal(x, offset, dim1, dim2)`.
  public func diagonal(
    offset: Int = 0, axes: (Int, Int) = (0, 1), file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "diagonal(offset:axes:)"
      return try seen(through: Shape.diagonal(of: shape, offset, axes, call), call)
    }
  }

  /// A copy with other elements on a diagonal, in the shape of ``diagonal(offset:axes:file:line:)``
  /// or one that broadcasts to it.
  ///
  /// The gradient reaches the elements that were not replaced, and `elements`.
  /// PyTorch: `torch.diagonal_scatter`, which does not broadcast.
  public func replacingDiagonal(
    with elements: Tensor, offset: Int = 0, axes: (Int, Int) = (0, 1),
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "replacingDiagonal(with:offset:axes:)"
      return try replacing(Shape.diagonal(of: shape, offset, axes, call), with: elements, call)
    }
  }

  /// For a vector, a square matrix of zeros with it on the diagonal; for a matrix, its diagonal as
  /// a view.
  ///
  /// PyTorch: `torch.diag(x, offset)`.
  public func diag(
    _ offset: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      guard rank == 1 || rank == 2 else {
        throw TensorError(
          "diag(_:)",
          "expected a vector or a matrix, got shape \(shape); for more axes use "
            + "diagEmbedded() or diagonal()")
      }
      return rank == 1 ? diagEmbedded(offset: offset) : diagonal(offset: offset)
    }
  }

  /// The last axis as the diagonal of square matrices of zeros, which take the axes `axes` of the
  /// result.
  ///
  /// `[..., n]` becomes `[..., n + |offset|, n + |offset|]`. Runs eagerly. Cost: one write.
  /// PyTorch: `torch.diag_embed(x, offset, dim1, dim2)`.
  public func diagEmbedded(
    offset: Int = 0, axes: (Int, Int) = (-2, -1), file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "diagEmbedded(offset:axes:)"
      guard let length = shape.last else {
        throw TensorError(call, "a scalar has no diagonal; use unsqueezed(0)")
      }
      let frame = [Int](repeating: 0, count: rank + 1)
      let (first, second) = try Shape.pair(axes, of: frame, call: call)
      var target = Array(shape.dropLast())
      guard offset.magnitude < UInt(Int.max / 16) else {
        throw TensorError(call, "offset \(offset) makes matrices larger than memory")
      }
      let size = length + Swift.abs(offset)
      for axis in [Swift.min(first, second), Swift.max(first, second)] {
        target.insert(size, at: axis)
      }
      _ = try Shape.count(target, call: call)
      return try spread(over: target, Shape.diagonal(of: target, offset, axes, call), call)
    }
  }

  /// The sum of the diagonal of a matrix, in `float64` and rounded once; integers give `int64`,
  /// `uint64` stays `uint64`.
  ///
  /// PyTorch: `torch.trace`.
  public func trace(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      try demand(rank == 2, "trace()", "expected a matrix, got shape \(shape); sum a diagonal()")
      return widened.diagonal().sum()
    }
  }
}

extension Shape {
  /// Two different axes, counted from the front.
  static func pair(
    _ axes: (Int, Int), of shape: [Int], call: String
  ) throws(TensorError) -> (Int, Int) {
    try demand(shape.count >= 2, call, "two axes are needed, but shape \(shape) has \(shape.count)")
    let first = try axis(axes.0, of: shape, call: call)
    let second = try axis(axes.1, of: shape, call: call)
    guard first != second else {
      throw TensorError(call, "axes \(axes.0) and \(axes.1) are the same axis of shape \(shape)")
    }
    return (first, second)
  }

  /// The window of a diagonal of two axes, as the last axis.
  fileprivate static func diagonal(
    of shape: [Int], _ offset: Int, _ axes: (Int, Int), _ call: String
  ) throws(TensorError) -> Window {
    let (first, second) = try pair(axes, of: shape, call: call)
    guard (-Int.max...Int.max).contains(offset) else {
      throw TensorError(call, "offset \(offset) is out of range for shape \(shape)")
    }
    let (down, right) = (Swift.max(-offset, 0), Swift.max(offset, 0))
    let length = Swift.max(Swift.min(shape[first] - down, shape[second] - right), 0)
    let kept = shape.indices.filter { $0 != first && $0 != second }
    return { (whole: Layout) throws(TensorError) in
      let isEmpty = length == 0 || whole.count == 0
      let shift = isEmpty ? 0 : down * whole.strides[first] + right * whole.strides[second]
      return Layout(
        shape: kept.map { whole.shape[$0] } + [length],
        strides: kept.map { whole.strides[$0] } + [whole.strides[first] + whole.strides[second]],
        offset: isEmpty ? 0 : whole.offset + shift)
    }
  }
}
