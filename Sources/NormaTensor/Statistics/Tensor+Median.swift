import NormaKernels

// Medians: for an even number of elements the lower of the two in the middle, as in PyTorch.

extension Tensor {
  /// The median over `axes`, or over all axes if none are named: the lower of two in the middle.
  ///
  /// NaN if any element is NaN, or if there are none. NumPy, Keras and pandas take the mean of the
  /// two in the middle: `quantile(0.5)`. Exact, in the tensor's type. The gradient is shared evenly
  /// by all elements that equal the result. Reducing an empty axis is an error, unless all axes are
  /// reduced. Cost: three or four passes over a row, without sorting long ones.
  /// PyTorch: `torch.median`.
  public func median(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try middle(named(axes), keepDims, .wins, "median(over:)")
    }
  }

  /// The median over `axes`, or over all axes if none are named, ignoring NaN; NaN if nothing is
  /// left. See ``median(over:keepDims:file:line:)``. PyTorch: `torch.nanmedian`.
  public func nanMedian(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try middle(named(axes), keepDims, .ignored, "nanMedian(over:)")
    }
  }

  /// The medians along an axis, and their indices; the first NaN if there is one.
  ///
  /// The gradient goes to these elements. See ``median(over:keepDims:file:line:)``.
  /// PyTorch: `torch.median(x, dim)`.
  public func medianWithIndices(
    over axis: Int, keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    middleWithIndices(axis, keepDims, .wins, "medianWithIndices(over:)", file, line)
  }

  /// The medians along an axis, ignoring NaN, and their indices.
  /// PyTorch: `torch.nanmedian(x, dim)`.
  public func nanMedianWithIndices(
    over axis: Int, keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> (values: Tensor, indices: Tensor) {
    middleWithIndices(axis, keepDims, .ignored, "nanMedianWithIndices(over:)", file, line)
  }

  private func middle(
    _ axes: [Int], _ keepDims: Bool, _ rule: RowRanks.NaNRule, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    let front = try Shape.axes(axes, of: shape, call: call)
    let target = Shape.reduced(shape, over: front, keepDims: keepDims)
    guard !front.contains(where: { shape[$0] == 0 }) else {
      if front.count == rank && dtype.isFloatingPoint {
        return .full(target, Double.nan, dtype: dtype)
      }
      throw TensorError(call, "shape \(shape) has no elements over axes \(front) to choose from")
    }
    let rows = detached().joinedLast(front)
    let ranks = RowRanks(fractions: [0.5], .lower, nan: rule)
    return rows.element(ranks, rows.rank - 1, call).values.reshaped(target)
      .sharedEvenly(from: self, over: front, call: call)
  }

  private func middleWithIndices(
    _ axis: Int, _ keepDims: Bool, _ rule: RowRanks.NaNRule, _ call: String, _ file: StaticString,
    _ line: UInt
  ) -> (values: Tensor, indices: Tensor) {
    pairs(
      axis, keepDims: keepDims, call: call, file: file, line: line
    ) { (x, axis) throws(TensorError) in
      try demand(x.shape[axis] > 0, call, "axis \(axis) of shape \(self.shape) has no elements")
      return x.element(RowRanks(fractions: [0.5], .lower, nan: rule), axis, call)
    }
  }
}
