import NormaValues

// Whole slices along an axis, picked and put by a list of places. These run at once.

extension Tensor {
  /// The slices along an axis that `indices` lists, in its order.
  ///
  /// - Parameters:
  ///   - axis: the axis along which slices are picked.
  ///   - indices: integers of at most one axis, from 0 on: `x[indices]` takes negative ones.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Cost: one read and one write of what is picked. The gradient adds up slices that were picked
  ///   several times, in `float64` and in order. PyTorch: `torch.index_select`.
  public func indexSelected(
    _ indices: Tensor, over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try alongAxis(axis, indices, "indexSelected(_:over:)") {
        (x, places, _) throws(TensorError) in try x.picked(places)
      }
    }
  }

  /// A copy with the slices of `source` added at `indices` along an axis, times `scale`.
  ///
  /// `source` has this shape but for the axis, where it has as many slices as there are indices (from
  /// 0 on). Sums run in order in `float64`, rounded once; integers wrap. The same bits for any number
  /// of threads. Memory: at most the result once more in `float64`. PyTorch:
  /// `x.index_add(dim, indices, source, alpha=scale)`.
  public func indexAdded(
    _ indices: Tensor, _ source: Tensor, over axis: Int, scale: Double = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let part = scale == 1 ? source : (source * scale).cast(to: source.dtype)
      return try alongAxis(axis, indices, "indexAdded(_:_:over:)", source: part) {
        (x, places, part) throws(TensorError) in try x.added(part, at: places)
      }
    }
  }

  /// A copy with the slices of `source` put at `indices` along an axis (from 0 on); of several at one
  /// place the last stays.
  ///
  /// The gradient reaches what stands in the result: what was not replaced, and of several slices of `source`
  /// at one place the last. PyTorch: `x.index_copy(dim, indices, source)`, which leaves open which of several
  /// stays and gives the gradient to all of them.
  public func indexCopied(
    _ indices: Tensor, _ source: Tensor, over axis: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try alongAxis(axis, indices, "indexCopied(_:_:over:)", source: source) {
        (x, places, part) throws(TensorError) in try x.replaced(by: part, at: places)
      }
    }
  }

  /// A copy with one number in the slices that `indices` lists along an axis; negative indices count
  /// from the end.
  ///
  /// `value` is a number in a tensor without axes; a gradient reaches it.
  /// - PyTorch: `x.index_fill(dim, indices, value)`.
  public func indexFilled(
    _ indices: Tensor, over axis: Int, with value: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "indexFilled(_:over:with:)"
      guard value.rank == 0 else {
        throw TensorError(call, "the value is one number without axes, got shape \(value.shape)")
      }
      let number = value.cast(to: dtype)
      return try alongAxis(axis, indices, call, wraps: true) {
        (x, places, _) throws(TensorError) in
        try x.replaced(by: number.broadcast(to: places.narrow), at: places)
      }
    }
  }

  /// A copy with one number in the slices that `indices` lists along an axis.
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

  /// Runs `body` on `[outer, size, inner]` around the axis, with the places and the source's slices.
  private func alongAxis(
    _ axis: Int, _ indices: Tensor, _ call: String, source: Tensor? = nil, wraps: Bool = false,
    _ body: (Tensor, AxisPlaces, Tensor) throws(TensorError) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned || indices.isPoisoned || source?.isPoisoned ?? false { return .poisoned }
    guard indices.rank <= 1, indices.dtype.isInteger else {
      throw TensorError(
        call, "integer indices of one axis are needed, got \(indices.dtype) \(indices.shape)")
    }
    let front = try Shape.axis(axis, of: shape, call: call)
    let x = atLeast1D()
    if rank == 0 && indices.count != 1 {
      throw TensorError(call, "\(indices.count) indices into a number without axes")
    }
    var expected = x.shape
    expected[front] = indices.count
    // A number without axes counts as one slice.
    let part = source.map { $0.rank == 0 ? $0.unsqueezed(0) : $0 }
    if let part {
      guard part.dtype == dtype else {
        throw TensorError(
          call, "the source holds \(part.dtype), the tensor \(dtype); cast one of them")
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
    let places = AxisPlaces(
      indices.reshaped(1, indices.count, 1),
      narrow: [flat.shape[0], indices.count, flat.shape[2]], size: x.shape[front], wraps: wraps,
      call: call, axis: axis, shape: shape)
    let result = frame.restored(
      try body(flat, places, part.map(frame.flat) ?? flat), like: x.shape)
    return rank == 0 ? result.squeezed(0) : result
  }

  /// The slices along `axis` at places that are known to be inside.
  package func picked(_ axis: Int, _ places: [Int]) -> Tensor {
    indexSelected(Tensor(places), over: axis)
  }
}
