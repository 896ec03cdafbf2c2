// Reductions over no, one, several or all axes. They run eagerly for few elements; otherwise they
// are pending, and siblings over the same tensor and axes share one pass over memory. Sums are
// carried in `float64` or `int64`, and their order depends only on shape and layout.

extension Tensor {
  /// The sum over `axes`, or over all axes if none are named; 0 of an empty tensor.
  ///
  /// Real numbers are added in `float64` (`float64` itself with compensation for rounding errors)
  /// and rounded once to the tensor's type; integers and Booleans give `int64`, `uint64` stays
  /// `uint64`; these wrap. NaN if any element is. Cost: one pass, shared with other reductions over
  /// the same axes. PyTorch: `torch.sum`.
  public func sum(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try reducedSum(axes, keepDims)
    }
  }

  /// `sum` over the listed axes, or over all axes if none are given.
  public func sum(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    sum(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The arithmetic mean over `axes`, or over all axes if none are named; NaN of an empty tensor.
  ///
  /// mean = Σ x / n, in `float64`, rounded once to the tensor's type. Integers are not allowed;
  /// cast them first. Cost: one pass, shared with other reductions over the same axes. PyTorch:
  /// `torch.mean`.
  ///
  /// With a `mask`, nonzero where a value counts, or `weights`, how many times it counts, both of
  /// which broadcast to the shape: Σ w x / Σ w, in one pass. Values that do not count have no
  /// influence, even NaN. Weights are not negative and get no gradient.
  public func mean(
    over axes: [Int], mask: Tensor? = nil, weights: Tensor? = nil, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      mask == nil && weights == nil
        ? try reducedMean(axes, keepDims)
        : try weighted(axes, mask, weights, keepDims, "mean(over:)") { $0.mean }
    }
  }

  /// `mean` over the listed axes, or over all axes if none are given.
  public func mean(
    over axes: Int..., mask: Tensor? = nil, weights: Tensor? = nil, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    mean(
      over: named(axes), mask: mask, weights: weights, keepDims: keepDims, file: file, line: line)
  }

  /// The variance over `axes`, or over all axes if none are named.
  ///
  /// variance = Σ (x - mean)² / (n - correction), with n the number of elements and the mean of the
  /// same elements. The default divides by n - 1, as in PyTorch; NumPy, Keras and Flax divide by n:
  /// `correction: 0`. If n <= correction, it is NaN if all values are equal (such as a single
  /// value, by default) and infinite otherwise. A constant gives exactly 0. Accuracy: mean first,
  /// then centered squares, merged in `float64`. At any distance from zero at most 6 ulp in
  /// `float32`, 0.51 in half types, 12 in `float64`. Cost: one pass, shared with `mean`. PyTorch:
  /// `torch.var`.
  ///
  /// With a `mask` or `weights`, as in `mean`, n is the sum of weights, which count as repetitions.
  public func variance(
    over axes: [Int], correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      mask == nil && weights == nil
        ? try reducedVariance(axes, correction, keepDims, isRoot: false, "variance(over:)")
        : try weightedVariance(axes, correction, mask, weights, keepDims, "variance(over:)")
    }
  }

  /// `variance` over the listed axes, or over all axes if none are given.
  public func variance(
    over axes: Int..., correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    variance(
      over: named(axes), correction: correction, mask: mask, weights: weights, keepDims: keepDims,
      file: file, line: line)
  }

  /// The standard deviation over `axes`, or over all axes if none are named.
  ///
  /// std = √(Σ (x - mean)² / (n - correction)), with n the number of elements and the mean of the
  /// same elements. The default divides by n - 1, as in PyTorch; NumPy, Keras and Flax divide by n:
  /// `correction: 0`. If n <= correction, it is NaN if all values are equal (such as a single
  /// value, by default) and infinite otherwise. A constant gives exactly 0. Accuracy: mean first,
  /// then centered squares, merged in `float64`. At any distance from zero at most 6 ulp in
  /// `float32`, 0.51 in half types, 12 in `float64`. Cost: one pass, shared with `mean`. PyTorch:
  /// `torch.std`.
  ///
  /// With a `mask` or `weights`, as in `mean`, n is the sum of weights, which count as repetitions.
  public func std(
    over axes: [Int], correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      mask == nil && weights == nil
        ? try reducedVariance(axes, correction, keepDims, isRoot: true, "std(over:)")
        : try weightedVariance(
          axes, correction, mask, weights, keepDims, isRoot: true, "std(over:)")
    }
  }

  /// `std` over the listed axes, or over all axes if none are given.
  public func std(
    over axes: Int..., correction: Double = 1, mask: Tensor? = nil, weights: Tensor? = nil,
    keepDims: Bool = false, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    std(
      over: named(axes), correction: correction, mask: mask, weights: weights, keepDims: keepDims,
      file: file, line: line)
  }

  /// The smallest element over `axes`, or over all axes if none are named; NaN if any element is.
  ///
  /// Exact, in the tensor's type. An empty tensor has no smallest element: reducing one is not
  /// allowed. Cost: one pass, shared with other reductions over the same axes. PyTorch:
  /// `torch.amin`.
  public func min(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try extreme(.minimum, axes, keepDims, "min(over:)")
    }
  }

  /// `min` over the listed axes, or over all axes if none are given.
  public func min(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    min(over: named(axes), keepDims: keepDims, file: file, line: line)
  }

  /// The largest element over `axes`, or over all axes if none are named; NaN if any element is.
  ///
  /// Exact, in the tensor's type. An empty tensor has no largest element: reducing one is not
  /// allowed. Cost: one pass, shared with other reductions over the same axes. PyTorch:
  /// `torch.amax`.
  public func max(
    over axes: [Int], keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try extreme(.maximum, axes, keepDims, "max(over:)")
    }
  }

  /// `max` over the listed axes, or over all axes if none are given.
  public func max(
    over axes: Int..., keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    max(over: named(axes), keepDims: keepDims, file: file, line: line)
  }
}
