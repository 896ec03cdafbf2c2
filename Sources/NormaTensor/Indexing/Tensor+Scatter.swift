import NormaValues

// Scattering along an axis by a tensor of indices with as many axes. These run eagerly; the bits do
// not depend on the number of threads.

extension Tensor {
  /// The tensor with the elements of `source` at `indices` along an axis; if an index occurs
  /// several times, the last one is kept.
  ///
  /// y[i, indices[i, j, k], k] = source[i, j, k] for axis 1. `indices` are not negative and have as
  /// many axes as the tensor, none but `axis` longer; `source` is at least as large as `indices`.
  /// The gradient reaches `source` and the elements that were not replaced.
  /// PyTorch: `torch.scatter`.
  public func scattered(
    _ indices: Tensor, _ source: Tensor, over axis: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try scattered(axis, indices, source, "scattered(_:_:over:)") {
        (x, part, axisIndices) throws(TensorError) in try x.replaced(by: part, at: axisIndices)
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

  /// The tensor with `source` added at `indices` along an axis; sums run in order in `float64`.
  ///
  /// Memory: at most the result once more in `float64`. PyTorch: `torch.scatter_add`.
  public func scatteredAdding(
    _ indices: Tensor, _ source: Tensor, over axis: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try scattered(axis, indices, source, "scatteredAdding(_:_:over:)") {
        (x, part, axisIndices) throws(TensorError) in try x.added(part, at: axisIndices)
      }
    }
  }

  /// The tensor with `source` reduced into it at `indices` along an axis: sums, products, means,
  /// minima or maxima of the existing element and all new ones.
  ///
  /// - Parameters:
  ///   - axis: the axis along which indices count.
  ///   - indices: indices that are not negative, as for
  ///     ``scattered(_:_:over:file:line:)-(_,Tensor,_,_,_)``.
  ///   - source: the new elements; at least as large as `indices`.
  ///   - reduction: how elements with the same index are combined.
  ///   - includingSelf: whether the existing element counts; otherwise it is replaced if there is a
  ///     new one.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: NaN wins over smaller and larger elements. Means of integers are rounded down.
  /// - Accuracy: in order in `float64`, rounded once; integers wrap.
  /// - Gradient: equal minima or maxima share it.
  /// - Cost: memory of at most the result once more in `float64`, a few times that for means and
  ///   gradients.
  /// - PyTorch: `x.scatter_reduce(dim, indices, source, reduce, include_self)`.
  public func scattered(
    _ indices: Tensor, _ source: Tensor, over axis: Int, reducing reduction: ScatterReduction,
    includingSelf: Bool = true, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try scattered(axis, indices, source, "scattered(_:_:over:reducing:)") {
        (x, part, axisIndices) throws(TensorError) in
        try x.scattered(part, at: axisIndices, reduction, includingSelf)
      }
    }
  }

  /// Runs `body` on the part that indices can reach, and replaces that part by the result.
  private func scattered(
    _ axis: Int, _ indices: Tensor, _ source: Tensor, _ call: String,
    _ body: (Tensor, Tensor, AxisIndices) throws(TensorError) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned || indices.isPoisoned || source.isPoisoned { return .poisoned }
    guard source.dtype == dtype else {
      throw TensorError(
        call, "the source is \(source.dtype), the tensor \(dtype); cast one of them")
    }
    if indices.count == 0 {
      try AxisIndices.integers(indices, call)
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
    let result = try body(
      frame.wide(self), part.reshaped(frame.axisIndices.narrow), frame.axisIndices
    )
    .reshaped(frame.region)
    if rank == 0 { return result.squeezed(0) }
    if frame.region == shape { return result }
    let slices = frame.slices.map(\.axisIndex)
    return try replacing(
      { (whole: Layout) throws(TensorError) in try whole.taking(slices, call) }, with: result, call)
  }
}
