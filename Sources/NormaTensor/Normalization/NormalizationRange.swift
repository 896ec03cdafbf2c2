// `float64` values whose squared distances overflow or underflow, such as values of 1e200: their
// variance is infinite, although the normalized result is not. Such slices are normalized from
// values that are scaled by a power of two.

extension Tensor {
  /// For `float64` values whose variance over `axes` is not a normal number, a power of two for
  /// each slice that makes it one, large enough that eps, which is not scaled, remains negligible;
  /// nil if all variances are normal.
  func scaleForNormalization(
    over axes: [Int], variance: Tensor, isCentered: Bool, eps: Double
  ) -> Tensor? {
    guard dtype == .float64, count > 0 else { return nil }
    let variances = variance.detached().array(of: Double.self)
    // Small variances matter only if eps is smaller still.
    let lowest = eps >= 0x1p-800 ? 0 : 0x1p-900
    func isRight(_ variance: Double) -> Bool { variance >= lowest && variance <= 0x1p960 }
    if variances.allSatisfy(isRight) { return nil }
    guard
      let scales = scalesToOne(
        over: axes, for: variances, isCentered: isCentered, unless: isRight)
    else { return nil }
    let far = zip(scales, variances).map { scale, variance in
      if isRight(variance) || scale == 1 { return 1.0 }
      return scale < 1 ? scale * 0x1p300 : scale * 0x1p-300
    }
    return Tensor(far, shape: variance.shape)
  }

  /// Throws if epsilon is NaN. PyTorch's functions for layer, group and RMS norm accept negative
  /// values.
  static func requireEpsilon(_ eps: Double, _ call: String) throws(TensorError) {
    if eps.isNaN { throw TensorError(call, "eps must be a number, got \(eps)") }
  }
}
