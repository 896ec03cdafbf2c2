import NormaKernels

extension Tensor {
  /// The distance of every vector of this tensor from every vector of the other.
  ///
  /// result[..., i, j] = (Σₖ |self[..., i, k] - other[..., j, k]|ᵖ)^(1/p), for p ≥ 0, ∞ included; p = 0
  /// counts the components that differ.
  ///
  /// - Shapes: `[..., P, M]` and `[..., R, M]` give `[..., P, R]`; the axes in front broadcast.
  /// - Edge cases: 0 where M is 0. The gradient is 0 where the distance is.
  /// - Accuracy: differences in the tensors' type, sums in `float64`, rounded once. Never by way of
  ///   |a|² + |b|² - 2ab, which loses near neighbours; so large products of many vectors cost more.
  /// - Cost: P R M differences, computed and summed in one trip at about a nanosecond each; only the
  ///   result is stored.
  /// - PyTorch: `torch.cdist` with `donot_use_mm_for_euclid_dist`.
  public func cdist(
    _ other: Tensor, p: Double = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || other.isPoisoned { return .poisoned }
      let call = "cdist(_:p:)"
      guard rank >= 2, other.rank >= 2, shape[rank - 1] == other.shape[other.rank - 1] else {
        throw TensorError(
          call,
          "shapes \(shape) and \(other.shape) are not [..., P, M] and [..., R, M] with equal M")
      }
      guard p >= 0 else { throw TensorError(call, "p must not be negative, got \(p)") }
      guard dtype == other.dtype, dtype.isFloatingPoint else {
        throw TensorError(
          call, "real numbers of one type are needed, got \(dtype) and \(other.dtype)")
      }
      let difference = unsqueezed(-2) - other.unsqueezed(-3)
      let last = difference.rank - 1
      if difference.isPoisoned { return .poisoned }
      return try difference.wideNorm(p, over: [last], call: call).squeezed(last).cast(to: dtype)
    }
  }
}
