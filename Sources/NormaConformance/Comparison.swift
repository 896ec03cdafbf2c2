import NormaTensor

/// What PyTorch computed from the same numbers, and how well.
struct ExpectedTensor {
  /// PyTorch's result in the types of the case.
  let recorded: Tensor
  /// The result from the same numbers in `float64`: the truth for `float32`.
  let truth: Tensor?
  /// PyTorch's own worst error, |recorded - truth|.
  let ownError: Double
}

extension ExpectedTensor {
  /// What is wrong with a result, or nil.
  ///
  /// Integers and Booleans must be equal. A real number must be no further from the truth than the
  /// larger of PyTorch's worst error and 2 ulp of the largest true value, or else be exactly
  /// PyTorch's number: NaN and infinity are compared that way.
  func complaint(about actual: Tensor) -> String? {
    if actual.dtype != recorded.dtype {
      return "dtype \(actual.dtype) instead of \(recorded.dtype)"
    }
    if actual.shape != recorded.shape {
      return "shape \(actual.shape) instead of \(recorded.shape)"
    }
    if !actual.dtype.isFloatingPoint {
      let (values, wanted) = (actual.array(of: Int64.self), recorded.array(of: Int64.self))
      return zip(values, wanted).enumerated().first { $1.0 != $1.1 }.map { position, pair in
        "\(pair.0) instead of \(pair.1) at \(position)"
      }
    }
    return realComplaint(
      actual.array(of: Double.self), recorded.array(of: Double.self),
      (truth ?? recorded).array(of: Double.self), dtype: actual.dtype)
  }

  private func realComplaint(
    _ actual: [Double], _ recorded: [Double], _ truth: [Double], dtype: DType
  ) -> String? {
    if actual.count != recorded.count || actual.count != truth.count {
      return "\(actual.count) values instead of \(recorded.count)"
    }
    let scale = truth.lazy.map(\.magnitude).filter(\.isFinite).max() ?? 0
    let bar = max(ownError, 2 * dtype.ulp(at: scale))
    var worst = (error: 0.0, position: -1)
    for (position, value) in actual.enumerated() {
      let isRecorded = value == recorded[position] || value.isNaN && recorded[position].isNaN
      let error = isRecorded ? 0 : (value - truth[position]).magnitude
      if error.isNaN || error > worst.error { worst = (error, position) }
      if error.isNaN { break }
    }
    if worst.error <= bar { return nil }
    let (value, true_) = (actual[worst.position], truth[worst.position])
    return "\(value) instead of \(true_) at \(worst.position): error \(worst.error), bar \(bar)"
  }
}

extension DType {
  /// The distance between neighboring numbers of the type at a value.
  func ulp(at value: Double) -> Double {
    switch self {
    case .float64: value.ulp
    case .float32: Double(Float(value).ulp)
    case .float16: max(value.magnitude.binade * 0x1p-10, 0x1p-24)
    case .bfloat16: Double(Float(value).ulp) * 0x1p16
    default: 0
    }
  }
}
