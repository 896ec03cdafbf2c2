// The shape of a distribution beyond mean and variance, from centered data.

extension Tensor {
  /// The skewness over `axes`, or over all axes if none are named: m₃ / m₂^1.5, with
  /// mₖ = Σ (x - mean)ᵏ / n.
  ///
  /// - Parameters:
  ///   - axes: the axes to reduce; all if none are named.
  ///   - biased: whether to use the moments of the sample unchanged, as SciPy does by default;
  ///     otherwise times √(n (n - 1)) / (n - 2), as pandas does.
  ///   - keepDims: whether to keep reduced axes with size 1.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: NaN if all elements are equal, and for fewer than three if not `biased`.
  /// - Accuracy: in `float64` from the mean, which is subtracted twice: the accuracy does not
  ///   depend on how far from zero the data are. Rounded once.
  /// - Cost: four passes.
  /// - SciPy: `scipy.stats.skew`. PyTorch has none.
  public func skewness(
    over axes: Int..., biased: Bool = true, keepDims: Bool = false, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let (distance, front, n) = try wideDistance(named(axes), "skewness(over:)")
      let second = distance.squared().mean(over: front, keepDims: true)
      let third = (distance.squared() * distance).mean(over: front, keepDims: true)
      let factor: Double = n < 3 ? .nan : (n * (n - 1)).squareRoot() / (n - 2)
      var result = third / (second * second.sqrt())
      if !biased { result = result * factor }
      return result.cast(to: dtype).reshaped(Shape.reduced(shape, over: front, keepDims: keepDims))
    }
  }

  /// The kurtosis over `axes`, or over all axes if none are named: m₄ / m₂² - 3, with
  /// mₖ = Σ (x - mean)ᵏ / n.
  ///
  /// - Parameters:
  ///   - axes: the axes to reduce; all if none are named.
  ///   - excess: whether 3, the kurtosis of a normal distribution, is subtracted.
  ///   - biased: whether to use the moments of the sample unchanged, as SciPy does by default;
  ///     otherwise (n - 1) / ((n - 2) (n - 3)) ((n + 1) k + 6) of the excess k, as pandas does.
  ///   - keepDims: whether to keep reduced axes with size 1.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: NaN if all elements are equal, and for fewer than four if not `biased`.
  /// - Accuracy: in `float64` from the mean, which is subtracted twice: the accuracy does not
  ///   depend on how far from zero the data are. Rounded once.
  /// - Cost: four passes.
  /// - SciPy: `scipy.stats.kurtosis`. PyTorch has none.
  public func kurtosis(
    over axes: Int..., excess: Bool = true, biased: Bool = true, keepDims: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let (distance, front, n) = try wideDistance(named(axes), "kurtosis(over:)")
      let squares = distance.squared()
      let second = squares.mean(over: front, keepDims: true)
      let fourth = squares.squared().mean(over: front, keepDims: true)
      var result = fourth / second.squared() - 3
      if !biased {
        let factor: Double = n < 4 ? .nan : (n - 1) / ((n - 2) * (n - 3))
        result = (result * (n + 1) + 6.0) * factor
      }
      if !excess { result = result + 3 }
      return result.cast(to: dtype).reshaped(Shape.reduced(shape, over: front, keepDims: keepDims))
    }
  }

  /// The distances from the mean in `float64`, the reduced axes from the front, and their count.
  private func wideDistance(
    _ axes: [Int], _ call: String
  ) throws(TensorError) -> (Tensor, axes: [Int], count: Double) {
    try requireReal(call)
    let front = try Shape.axes(axes, of: shape, call: call)
    let wide = cast(to: .float64)
    if rank == 0 { return (wide - wide, [], 1) }
    let rough = wide - wide.mean(over: front, keepDims: true)
    let distance = rough - rough.mean(over: front, keepDims: true)
    return (distance, front, Double(front.reduce(1) { $0 * shape[$1] }))
  }
}
