import NormaKernels

// Indices of the largest and smallest elements: finds the value in one pass, then its first index.

extension Tensor {
  /// The index of the largest element along an axis, or in row-major order if no axis is named.
  ///
  /// The first of several, and the first NaN if there is one. `int64`. An empty axis is not
  /// allowed. Cost: one pass, and one more up to the index. PyTorch: `torch.argmax`.
  public func argmax(
    over axis: Int? = nil, keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try index(axis, keepDims, "argmax(over:)") { $0.max(over: $1, keepDims: true) }
    }
  }

  /// The index of the smallest element; see ``argmax(over:keepDims:file:line:)``.
  /// PyTorch: `torch.argmin`.
  public func argmin(
    over axis: Int? = nil, keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try index(axis, keepDims, "argmin(over:)") { $0.min(over: $1, keepDims: true) }
    }
  }

  /// The largest elements along an axis, and their indices.
  ///
  /// Exact, in the tensor's type; the first of equal elements, or the first NaN if there is one.
  /// Indices are `int64`. The gradient goes to the element at the index, while that of `max(over:)`
  /// is shared by all equal elements. Cost: one pass, and one more up to the index.
  /// PyTorch: `torch.max(x, dim)`.
  public func maxWithIndices(
    over axis: Int, keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    extremeWithIndices(axis, keepDims, "maxWithIndices(over:)", file, line) {
      $0.max(over: $1, keepDims: true)
    }
  }

  /// The smallest elements along an axis, and their indices; see
  /// ``maxWithIndices(over:keepDims:file:line:)``. PyTorch: `torch.min(x, dim)`.
  public func minWithIndices(
    over axis: Int, keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    extremeWithIndices(axis, keepDims, "minWithIndices(over:)", file, line) {
      $0.min(over: $1, keepDims: true)
    }
  }

  /// The smallest and the largest element over `axes`, or over all axes if none are named.
  ///
  /// Equals `min(over:)` and `max(over:)`, both in one pass. PyTorch: `torch.aminmax`.
  public func minMax(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> (min: Tensor, max: Tensor) {
    (
      min(over: named(axes), keepDims: keepDims, file: file, line: line),
      max(over: named(axes), keepDims: keepDims, file: file, line: line)
    )
  }

  private func extremeWithIndices(
    _ axis: Int, _ keepDims: Bool, _ call: String, _ file: StaticString, _ line: UInt,
    _ extreme: (Tensor, [Int]) -> Tensor
  ) -> (values: Tensor, indices: Tensor) {
    pairs(
      axis, keepDims: keepDims, call: call, file: file, line: line
    ) { (x, axis) throws(TensorError) in
      let indices = try x.index(axis, true, call, extreme)
      let values = extreme(x.detached(), [axis]).picked(from: x, axis, at: indices, call: call)
      return (values, indices)
    }
  }

  private func index(
    _ axis: Int?, _ keepDims: Bool, _ call: String, _ extreme: (Tensor, [Int]) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    guard let axis else {
      let flat = try detached().flattened().index(0, false, call, extreme)
      return keepDims ? flat.reshaped([Int](repeating: 1, count: rank)) : flat
    }
    let front = try Shape.axis(axis, of: shape, call: call)
    if rank == 0 { return Tensor(0, dtype: .int64) }
    guard shape[front] > 0 else {
      throw TensorError(call, "axis \(axis) of shape \(shape) has no elements to choose from")
    }
    let x = detached().inKernelType
    let runs = AxisRuns(x, front)
    let best = AxisRuns(extreme(x, [front]), front, order: runs.order)
    let search = FirstIndices(
      outer: runs.outer, size: runs.size, inner: runs.inner, threads: runs.threads)
    ExecutionLog.add(.search, "first indices", [x], into: [runs.outer, runs.inner], .int64)
    let result = withExtendedLifetime(best) {
      runs.result(.int64, size: 1) {
        search.run(
          x.dtype, in: runs.base, values: best.base, into: $0.assumingMemoryBound(to: Int64.self))
      }
    }
    return keepDims ? result : result.squeezed(front)
  }
}
