import NormaKernels

// Where the largest and smallest elements are.

extension Tensor {
  /// The place of the largest element along an axis, or in row-major order if no axis is named; the
  /// first of several, and the first NaN if there is one. `int64`. PyTorch: `torch.argmax`.
  public func argmax(
    over axis: Int? = nil, keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try place(axis, keepDims, "argmax(over:)") { $0.max(over: $1, keepDims: true) }
    }
  }

  /// The place of the smallest element; see ``argmax(over:keepDims:file:line:)``.
  /// PyTorch: `torch.argmin`.
  public func argmin(
    over axis: Int? = nil, keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try place(axis, keepDims, "argmin(over:)") { $0.min(over: $1, keepDims: true) }
    }
  }

  private func place(
    _ axis: Int?, _ keepDims: Bool, _ call: String, _ extreme: (Tensor, [Int]) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    guard let axis else {
      let flat = try detached().flattened().place(0, false, call, extreme)
      return keepDims ? flat.reshaped([Int](repeating: 1, count: rank)) : flat
    }
    let front = try Shape.axis(axis, of: shape, call: call)
    if rank == 0 { return Tensor(0, dtype: .int64) }
    guard shape[front] > 0 else {
      throw TensorError(call, "axis \(axis) of shape \(shape) has no elements to choose from")
    }
    let x = detached()
    let size = shape[front]
    let numbers = Tensor.arange(size).reshaped(
      [-1] + [Int](repeating: 1, count: rank - front - 1))
    let isChosen = (x .== extreme(x, [front])) + (x .!= x)
    return Tensor.where(isChosen, numbers, size).min(over: [front], keepDims: keepDims)
  }
}
