extension Tensor {
  /// The tensor with mean 0 and standard deviation 1 over `axes`, or over all axes if none are named:
  /// (x - mean) / (std + epsilon).
  ///
  /// - Parameters:
  ///   - axes: the axes over which statistics are taken; all if none.
  ///   - correction: the variance divides by n - `correction`; 1, as `std(over:)` does. A
  ///     normalization layer divides by n: 0.
  ///   - epsilon: what is added to the standard deviation.
  ///   - file: the caller's file, for the text of a mistake.
  ///   - line: the caller's line.
  /// - Edge cases: 0 where all elements are equal; NaN of single elements, whose std is NaN.
  /// - Accuracy: the mean in two numbers, so that the digits of data far from zero are kept.
  /// - Cost: two reads and one write. scikit-learn: `StandardScaler` (with `correction: 0`).
  ///   PyTorch: `(x - x.mean(dims, True)) / x.std(dims, keepdim=True)`.
  public func standardized(
    over axes: Int..., correction: Double = 1, epsilon: Double = 0, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "standardized(over:)"
      try requireReal(call)
      let front = try Shape.axes(named(axes), of: shape, call: call)
      let std = std(over: front, correction: correction, keepDims: true)
      // Nothing is spread by nothing.
      return centered(over: front) / Tensor.where(std .== 0, 1, std + epsilon)
    }
  }
}
