import NormaValues

// How variables, the rows of a matrix, vary together over observations, its columns.

extension Tensor {
  /// The covariance of rows: Σ w (x - mean x) (y - mean y) / d, a scalar for a single row.
  ///
  /// - Parameters:
  ///   - correction: d is n - `correction`; with weights a, Σ f a - `correction` Σ f a² / Σ f a.
  ///   - frequencies: the number of times each observation counts; non-negative integers.
  ///   - weights: the weight of each observation; non-negative real numbers.
  ///   - file: The caller's file, for error messages.
  ///   - line: The caller's line.
  /// - Edge cases: d is never below 0, so too few observations give NaN or infinity.
  /// - Accuracy: centered, then multiplied, in `float64`; rounded once.
  /// - Cost: three passes and a matrix product in `float64`.
  /// - PyTorch: `torch.cov(fweights, aweights)`.
  public func covariance(
    correction: Double = 1, frequencies: Tensor? = nil, weights: Tensor? = nil,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try wideCovariance(correction, frequencies, weights, "covariance(correction:)")
        .map { $0.cast(to: dtype).withoutSingleRows } ?? .poisoned
    }
  }

  /// The correlation of rows: their covariance divided by both standard deviations, from -1 to 1; a
  /// scalar for a single row.
  ///
  /// NaN for constant rows. Accuracy: in `float64`, rounded once. Cost: as for `covariance`.
  /// PyTorch: `torch.corrcoef`.
  public func correlation(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      guard let covariance = try wideCovariance(1, nil, nil, "correlation()") else {
        return .poisoned
      }
      let size = Tensor.arange(covariance.shape[0])
      let isDiagonal = size .== size.unsqueezed(1)
      let std = Tensor.where(isDiagonal, covariance, 0.0).sum(over: 1).sqrt()
      let ratio = (covariance / std / std.unsqueezed(1)).clamped(min: -1.0, max: 1.0)
      // Exactly 1, or NaN.
      return Tensor.where(isDiagonal, covariance / covariance, ratio).cast(to: dtype)
        .withoutSingleRows
    }
  }

  /// A matrix in `float64`, or nil if this tensor is poisoned.
  private func wideCovariance(
    _ correction: Double, _ frequencies: Tensor?, _ weights: Tensor?, _ call: String
  ) throws(TensorError) -> Tensor? {
    if isPoisoned || frequencies?.isPoisoned ?? false || weights?.isPoisoned ?? false { return nil }
    try requireReal(call)
    try demand(rank <= 2, call, "shape \(shape) has \(rank) axes; rows of observations have two")
    let matrix = rank == 2 ? self : reshaped([1, -1])
    let n = matrix.shape[1]
    try check(frequencies, "frequencies", n, \.isInteger, "integers", call)
    try check(weights, "weights", n, \.isFloatingPoint, "real numbers", call)
    let repeats = frequencies?.detached().cast(to: .float64)
    var share = repeats
    let weights = weights?.cast(to: .float64)
    if let weights {
      share = share.map { $0 * weights } ?? weights
    }
    let wide = matrix.cast(to: .float64)
    let total = share?.sum() ?? Tensor(Double(n))
    let mean = (share.map { wide * $0 } ?? wide).sum(over: 1, keepDims: true) / total
    let rough = wide - mean
    // The rounding error of the mean.
    let rest = (share.map { rough * $0 } ?? rough).sum(over: 1, keepDims: true) / total
    let distance = rough - rest
    var degrees = total - correction
    if let weights, let share {
      degrees = total - correction * (share * weights).sum() / total
    }
    let weighed = share.map { distance * $0 } ?? distance
    return weighed.matmul(distance.transposed()) / degrees.clamped(min: 0.0)
  }

  private func check(
    _ counts: Tensor?, _ name: String, _ n: Int, _ isRight: (DType) -> Bool, _ kind: String,
    _ call: String
  ) throws(TensorError) {
    guard let counts else { return }
    guard isRight(counts.dtype), counts.rank <= 1 else {
      throw TensorError(
        call, "\(name) must be \(kind) with one axis, got \(counts.dtype) \(counts.shape)")
    }
    try demand(counts.count == n, call, "\(counts.count) \(name) for \(n) observations")
    try demand(n == 0 || counts.min().item() >= 0, call, "\(name) must not be negative or NaN")
  }

  /// A 1 by 1 matrix as a scalar.
  private var withoutSingleRows: Tensor { shape == [1, 1] ? reshaped([]) : self }
}
