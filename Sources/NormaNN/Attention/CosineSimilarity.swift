import NormaTensor

/// The cosine of the angle between vectors: Σ a b / (max(‖a‖, eps) max(‖b‖, eps)) over an axis.
///
/// Shapes broadcast and types promote. The axis is counted in the broadcast shape and is dropped.
/// The result is 0 if a vector is 0. Computed in `float64` and rounded once, in three passes
/// over memory. PyTorch: `F.cosine_similarity`.
public func cosineSimilarity(
  _ a: Tensor, _ b: Tensor, over axis: Int = 1, eps: Double = 1e-8,
  file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if a.isPoisoned || b.isPoisoned { return .poisoned }
    let call = "cosineSimilarity(_:_:over:)"
    guard a.dtype.isFloatingPoint, b.dtype.isFloatingPoint else {
      throw TensorError(call, "real numbers are needed, got \(a.dtype) and \(b.dtype)")
    }
    try requireEpsilon(eps, call: call)
    let common = DType.promoted(a.dtype, b.dtype)
    let shape = (a + b).shape
    if (a + b).isPoisoned { return .poisoned }
    let front = try Shape.axis(axis, of: shape, call: call)
    let axes = shape.isEmpty ? [] : [front]
    func direction(_ x: Tensor) throws(TensorError) -> Tensor {
      let wide = x.broadcast(to: shape).cast(to: .float64)
      return wide / (try wide.wideNorm(2, over: axes, call: call)).clamped(min: eps)
    }
    let product = try direction(a) * direction(b)
    return product.sum(over: axes).cast(to: common)
  }
}
