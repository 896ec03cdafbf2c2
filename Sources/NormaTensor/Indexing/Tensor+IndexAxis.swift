import NormaValues

// Gathering and replacing slices along an axis by a list of indices. These run eagerly.

extension Tensor {
  /// The slices along an axis at `indices`, in that order.
  ///
  /// - Parameters:
  ///   - axis: the axis along which to select slices.
  ///   - indices: integers with at most one axis, not negative: `x[indices]` accepts negative ones.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Cost: one read and one write of the selected slices. The gradient sums over slices that were
  ///   selected several times, in `float64` and in order.
  /// - PyTorch: `torch.index_select`.
  public func indexSelected(
    _ indices: Tensor, over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try alongAxis(axis, indices, "indexSelected(_:over:)") {
        (x, axisIndices, _) throws(TensorError) in try x.picked(axisIndices)
      }
    }
  }

  /// A copy with the slices of `source` added at `indices` along an axis, times `scale`.
  ///
  /// `source` has this shape except along the axis, where it has one slice for each index. Indices
  /// are not negative. Sums run in order in `float64`, rounded once; integers wrap. The bits do not
  /// depend on the number of threads. Memory: at most the result once more in `float64`.
  /// PyTorch: `x.index_add(dim, indices, source, alpha=scale)`.
  public func indexAdded(
    _ indices: Tensor, _ source: Tensor, over axis: Int, scale: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let part = scale == 1 ? source : (source * scale).cast(to: source.dtype)
      return try alongAxis(axis, indices, "indexAdded(_:_:over:)", source: part) {
        (x, axisIndices, part) throws(TensorError) in try x.added(part, at: axisIndices)
      }
    }
  }

  /// A copy with the slices of `source` at `indices` (not negative) along an axis; if an index
  /// occurs several times, the last slice is kept.
  ///
  /// The gradient reaches what is in the result: elements that were not replaced, and slices of
  /// `source` that were kept.
  /// PyTorch: `x.index_copy(dim, indices, source)`, which leaves open which slice is kept and gives
  /// the gradient to all of them.
  public func indexCopied(
    _ indices: Tensor, _ source: Tensor, over axis: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try alongAxis(axis, indices, "indexCopied(_:_:over:)", source: source) {
        (x, axisIndices, part) throws(TensorError) in try x.replaced(by: part, at: axisIndices)
      }
    }
  }

  /// A copy with one number in the slices at `indices` along an axis; negative indices count from
  /// the end.
  ///
  /// `value` is a scalar tensor; a gradient reaches it.
  /// PyTorch: `x.index_fill(dim, indices, value)`.
  public func indexFilled(
    _ indices: Tensor, over axis: Int, with value: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "indexFilled(_:over:with:)"
      try demand(value.rank == 0, call, "the value must be a scalar, got shape \(value.shape)")
      let number = value.cast(to: dtype)
      return try alongAxis(axis, indices, call, wraps: true) {
        (x, axisIndices, _) throws(TensorError) in
        try x.replaced(by: number.broadcast(to: axisIndices.narrow), at: axisIndices)
      }
    }
  }

  /// A copy with one number in the slices at `indices` along an axis.
  /// PyTorch: `x.index_fill(dim, indices, value)`.
  public func indexFilled<T: TensorElement>(
    _ indices: Tensor, over axis: Int, with value: T, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if !isPoisoned { try Scalar(value).require(dtype, "indexFilled(_:over:with:)") }
      return indexFilled(indices, over: axis, with: Tensor(value), file: file, line: line)
    }
  }

  /// Runs `body` on `[outer, size, inner]` around the axis, with the indices and the source's
  /// slices.
  private func alongAxis(
    _ axis: Int, _ indices: Tensor, _ call: String, source: Tensor? = nil, wraps: Bool = false,
    _ body: (Tensor, AxisIndices, Tensor) throws(TensorError) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned || indices.isPoisoned || source?.isPoisoned ?? false { return .poisoned }
    guard indices.rank <= 1, indices.dtype.isInteger else {
      throw TensorError(
        call, "expected integer indices with one axis, got \(indices.dtype) \(indices.shape)")
    }
    let front = try Shape.axis(axis, of: shape, call: call)
    let x = atLeast1D()
    if rank == 0 && indices.count != 1 {
      throw TensorError(call, "\(indices.count) indices into a scalar")
    }
    var expected = x.shape
    expected[front] = indices.count
    // A scalar counts as one slice.
    let part = source.map { $0.rank == 0 ? $0.unsqueezed(0) : $0 }
    if let part {
      guard part.dtype == dtype else {
        throw TensorError(
          call, "the source is \(part.dtype), the tensor \(dtype); cast one of them")
      }
      guard part.shape == expected else {
        throw TensorError(
          call,
          "a source of shape \(part.shape) does not fit \(indices.count) indices along axis "
            + "\(axis) of shape \(shape)")
      }
    }
    let frame = AxisFrame(x, front)
    let flat = frame.flat(x)
    let axisIndices = AxisIndices(
      indices.reshaped(1, indices.count, 1),
      narrow: [flat.shape[0], indices.count, flat.shape[2]], size: x.shape[front], wraps: wraps,
      call: call, axis: axis, shape: shape)
    let result = frame.restored(
      try body(flat, axisIndices, part.map(frame.flat) ?? flat), like: x.shape)
    return rank == 0 ? result.squeezed(0) : result
  }

  /// The slices along `axis` at indices that are known to be in range.
  package func picked(_ axis: Int, _ indices: [Int]) -> Tensor {
    indexSelected(Tensor(indices), over: axis)
  }
}
