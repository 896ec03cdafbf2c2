// Means and deviations with masks and weights.

extension Tensor {
  /// The variance, or its root.
  func weightedVariance(
    _ axes: [Int], _ correction: Double, _ mask: Tensor?, _ weights: Tensor?, _ keepDims: Bool,
    isRoot: Bool = false, _ call: String
  ) throws(TensorError) -> Tensor {
    try weighted(axes, mask, weights, keepDims, call, isRoot: isRoot) {
      let variance = $0.squares / ($0.count - correction).clamped(min: 0.0)
      if !isRoot { return variance }
      // The square root has no slope at 0; the deviation of equal values gets slope 0.
      return .where(variance .== 0.0, 0.0, Tensor.where(variance .== 0.0, 1.0, variance).sqrt())
    }
  }

  func weighted(
    _ axes: [Int], _ mask: Tensor?, _ weights: Tensor?, _ keepDims: Bool, _ call: String,
    isRoot: Bool = false, _ statistic: ((count: Tensor, mean: Tensor, squares: Tensor)) -> Tensor
  ) throws(TensorError) -> Tensor {
    if isPoisoned || mask?.isPoisoned ?? false || weights?.isPoisoned ?? false { return .poisoned }
    try requireReal(call)
    let front = try Shape.axes(axes, of: shape, call: call)
    let plain = statistic(
      try weightedStatistics(over: front, mask: mask, weights: weights, call: call))
    var result = plain
    if isRoot, dtype == .float64, count > 0 {
      let share = try share(mask: mask, weights: weights, call: call)
      let counted = Tensor.where(share .> 0.0, detached(), 0.0)
      if let scales = counted.scalesToOne(
        over: front, for: plain.detached().array(of: Double.self), isCentered: true,
        unless: TermRange(power: 2).contains)
      {
        let scale = Tensor(scales, shape: Shape.reduced(shape, over: front, keepDims: true))
        let again = try (self * scale).weightedStatistics(
          over: front, mask: mask, weights: weights, call: call)
        result = statistic(again) / scale
      }
    }
    return result.cast(to: dtype).reshaped(Shape.reduced(shape, over: front, keepDims: keepDims))
  }

  /// The variance over `axes`, or over all axes if none are named, ignoring NaN.
  ///
  /// Like `variance(over:)` with a mask. NaN if at most `correction` values are left and all are
  /// equal. Cost: one pass. NumPy: `nanvar` (with `correction: 0`). PyTorch has none.
  public func nanVariance(
    over axes: Int..., correction: Double = 1, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    variance(
      over: named(axes), correction: correction, mask: isNumber, keepDims: keepDims, file: file,
      line: line)
  }

  /// The standard deviation over `axes`, or over all axes if none are named, ignoring NaN; see
  /// ``nanVariance(over:correction:keepDims:file:line:)``. NumPy: `nanstd`.
  public func nanStd(
    over axes: Int..., correction: Double = 1, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    std(
      over: named(axes), correction: correction, mask: isNumber, keepDims: keepDims, file: file,
      line: line)
  }

  /// Where elements are not NaN.
  var isNumber: Tensor { detached() .== detached() }
}
