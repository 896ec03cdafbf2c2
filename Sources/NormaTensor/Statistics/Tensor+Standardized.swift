extension Tensor {
  /// The tensor with mean 0 and standard deviation 1 over `axes`, or over all axes if none are
  /// named: (x - mean) / (std + epsilon).
  ///
  /// - Parameters:
  ///   - axes: the axes of the statistics; all if none are named.
  ///   - correction: the variance divides by n - `correction`; 1 by default, as in `std(over:)`.
  ///     Normalization layers divide by n: 0.
  ///   - epsilon: a number added to the standard deviation.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: 0 if all elements are equal; NaN for single elements, whose std is NaN.
  /// - Accuracy: the mean is carried in two numbers, so that data far from zero keep their digits.
  /// - Cost: two reads and one write. scikit-learn: `StandardScaler` (with `correction: 0`).
  ///   PyTorch: `(x - x.mean(dims, True)) / x.std(dims, keepdim=True)`.
  public func standardized(
    over axes: Int..., correction: Double = 1, epsilon: Double = 0, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "standardized(over:)"
      try requireReal(call)
      let front = try Shape.axes(named(axes), of: shape, call: call)
      let std = std(over: front, correction: correction, keepDims: true)
      // Equal elements are 0 instead of 0 / 0.
      return centered(over: front) / Tensor.where(std .== 0, 1, std + epsilon)
    }
  }
}
