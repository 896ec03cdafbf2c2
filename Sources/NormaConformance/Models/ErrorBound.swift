import NormaTensor

/// A tensor's true values, and how far others may be from them.
struct ErrorBound {
  let truth: Tensor
  let bound: Double

  init(truth: Tensor, bound: Double) { (self.truth, self.bound) = (truth, bound) }

  /// Four times the error of a peer, or 2^-17 of the largest true value if that is more: the rule
  /// by which tolerances were recorded.
  init(truth: Tensor, peer: Tensor) {
    let values = truth.cast(to: .float64).array(of: Double.self)
    let others = peer.cast(to: .float64).array(of: Double.self)
    let worst = zip(values, others).reduce(0) { max($0, ($1.0 - $1.1).magnitude) }
    let scale = values.reduce(0) { max($0, $1.magnitude) }
    self.init(truth: truth, bound: max(4 * worst, 0x1p-17 * scale))
  }

  /// The largest distance from a true value; infinite for NaN or another count.
  func error(of actual: Tensor) -> Double {
    let values = actual.cast(to: .float64).array(of: Double.self)
    let wanted = truth.cast(to: .float64).array(of: Double.self)
    guard values.count == wanted.count else { return .infinity }
    return zip(values, wanted).reduce(0) { worst, pair in
      let error = (pair.0 - pair.1).magnitude
      return error.isNaN && !(pair.0.isNaN && pair.1.isNaN) ? .infinity : max(worst, error)
    }
  }

  /// What is wrong with a result, or nil.
  func complaint(about actual: Tensor) -> String? {
    if actual.shape != truth.shape { return "shape \(actual.shape) instead of \(truth.shape)" }
    let error = error(of: actual)
    return error <= bound ? nil : "error \(error), and at most \(bound) is allowed"
  }
}
