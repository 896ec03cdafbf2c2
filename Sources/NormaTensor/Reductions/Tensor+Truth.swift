// Boolean reductions: every nonzero element counts as true, including NaN.

extension Tensor {
  /// Whether any element over `axes`, or over all axes if none are named, is nonzero; false for an
  /// empty tensor.
  ///
  /// `bool` for every type (PyTorch gives `uint8` for `uint8`). NaN is nonzero. Cost: one pass.
  /// PyTorch: `torch.any`.
  public func any(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try truth(.maximum, axes, keepDims, "any(over:)")
    }
  }

  /// `any` over the listed axes, or over all axes if none are given.
  public func any(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    any(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// Whether all elements over `axes`, or over all axes if none are named, are nonzero; true for an
  /// empty tensor.
  ///
  /// `bool` for every type (PyTorch gives `uint8` for `uint8`). NaN is nonzero. Cost: one pass.
  /// PyTorch: `torch.all`.
  public func all(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try truth(.minimum, axes, keepDims, "all(over:)")
    }
  }

  /// `all` over the listed axes, or over all axes if none are given.
  public func all(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    all(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The number of nonzero elements over `axes`, or over all axes if none are named. `int64`.
  ///
  /// NaN is nonzero. Cost: one pass. PyTorch: `torch.count_nonzero`.
  public func countNonZero(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let front = try Shape.axes(axes, of: shape, call: "countNonZero(over:)")
      return (detached() .!= 0).sum(over: front, keepDims: keepDims)
    }
  }

  /// `countNonZero` over the listed axes, or over all axes if none are given.
  public func countNonZero(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    countNonZero(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  private func truth(
    _ result: ReductionGroup.Result, _ axes: [Int], _ keepDims: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let front = try Shape.axes(axes, of: shape, call: call)
    if front.contains(where: { shape[$0] == 0 }) {
      return .full(Shape.reduced(shape, over: front, keepDims: keepDims), result == .minimum)
    }
    let isTrue = dtype == .bool ? detached() : detached() .!= 0
    return isTrue.reduced(result, over: front, keepDims: keepDims, to: .bool)
  }
}
