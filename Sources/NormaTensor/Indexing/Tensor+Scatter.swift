import NormaValues

// Elements put along an axis by a tensor of places with as many axes. These run at once, with the
// same bits for any number of threads.

extension Tensor {
  /// The tensor with `source` put at `indices` along an axis; of several at one place the last stays.
  ///
  /// y[i, indices[i, j, k], k] = source[i, j, k] for axis 1. `indices` are from 0 on and have as many
  /// axes as the tensor, none but `axis` longer; `source` is at least as large as they are. The
  /// gradient reaches `source` and what was not replaced. PyTorch: `torch.scatter`.
  public func scattered(
    _ indices: Tensor, _ source: Tensor, over axis: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try scattered(axis, indices, source, "scattered(_:_:over:)") {
        (x, part, places) throws(TensorError) in try x.replaced(by: part, at: places)
      }
    }
  }

  /// The tensor with one number at `indices` along an axis.
  /// PyTorch: `x.scatter(dim, indices, value)`.
  public func scattered<T: TensorElement>(
    _ indices: Tensor, _ value: T, over axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if !isPoisoned { try Scalar(value).require(dtype, "scattered(_:_:over:)") }
      return scattered(
        indices, Tensor(value).cast(to: dtype).broadcast(to: indices.shape), over: axis, file: file,
        line: line)
    }
  }

  /// The tensor with `source` added at `indices` along an axis, sums in order in `float64`.
  ///
  /// Memory: at most the result once more in `float64`. PyTorch: `torch.scatter_add`.
  public func scatteredAdding(
    _ indices: Tensor, _ source: Tensor, over axis: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try scattered(axis, indices, source, "scatteredAdding(_:_:over:)") {
        (x, part, places) throws(TensorError) in try x.added(part, at: places)
      }
    }
  }

  /// The tensor with `source` reduced into it at `indices` along an axis: sums, products, means,
  /// smallest or largest elements of what is there and all that comes.
  ///
  /// - Parameters:
  ///   - axis: the axis along which places count.
  ///   - indices: places from 0 on, as for ``scattered(_:_:over:file:line:)-(_,Tensor,_,_,_)``.
  ///   - source: what comes; at least as large as `indices`.
  ///   - reduction: how it comes together.
  ///   - includingSelf: whether what is there counts; if not, it is replaced where something comes.
  ///   - file: The caller's file, for the text of a mistake.
  ///   - line: The caller's line.
  /// - Edge cases: NaN wins over smaller and larger. Means of integers are rounded down.
  /// - Accuracy: in order in `float64`, rounded once; integers wrap.
  /// - Gradient: equal smallest or largest elements share it.
  /// - Cost: at most memory of the result once more in `float64`, for means and gradients a few of them.
  ///   PyTorch: `x.scatter_reduce(dim, indices, source, reduce, include_self)`.
  public func scattered(
    _ indices: Tensor, _ source: Tensor, over axis: Int, reducing reduction: ScatterReduction,
    includingSelf: Bool = true, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try scattered(axis, indices, source, "scattered(_:_:over:reducing:)") {
        (x, part, places) throws(TensorError) in
        try x.scattered(part, at: places, reduction, includingSelf)
      }
    }
  }

  /// Runs `body` on the part that indices can reach, and puts its result in that part's place.
  private func scattered(
    _ axis: Int, _ indices: Tensor, _ source: Tensor, _ call: String,
    _ body: (Tensor, Tensor, AxisPlaces) throws(TensorError) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned || indices.isPoisoned || source.isPoisoned { return .poisoned }
    guard source.dtype == dtype else {
      throw TensorError(
        call, "the source holds \(source.dtype), the tensor \(dtype); cast one of them")
    }
    if indices.count == 0 {
      try AxisPlaces.integers(indices, call)
      _ = try Shape.axis(axis, of: shape, call: call)
      return self
    }
    let frame = try GatherFrame(self, axis, indices, call)
    let given = indices.shape
    guard source.rank == given.count, zip(source.shape, given).allSatisfy({ $0 >= $1 }) else {
      throw TensorError(
        call, "a source of shape \(source.shape) is too small for indices of \(given)")
    }
    let part = source.shape == given ? source : source.taking(given.map { AxisSlice(to: $0) })
    let result = try body(frame.wide(self), part.reshaped(frame.places.narrow), frame.places)
      .reshaped(frame.region)
    if rank == 0 { return result.squeezed(0) }
    if frame.region == shape { return result }
    let slices = frame.slices.map(\.axisIndex)
    return try replacing(
      { (whole: Layout) throws(TensorError) in try whole.taking(slices, call) }, with: result, call)
  }
}
