import NormaTensor

extension Tensor {
  /// Divides vectors along an axis by their length: y = x / max(‖x‖ₚ, eps).
  ///
  /// - Shapes: the result has the input's shape. Real types.
  /// - Edge cases: vectors shorter than `eps` are divided by `eps`, so zeros give zeros; the
  ///   gradient through the length of a zero vector is 0.
  /// - Accuracy: computed in `float64` and rounded once.
  /// - Cost: two reads and one write; one read if vectors are contiguous in memory.
  /// - PyTorch: `torch.nn.functional.normalize(x, p, dim, eps)`, whose `dim` is 1 by default, too.
  public static func normalize(
    _ x: Tensor, p: Double = 2, axis: Int = 1, eps: Double = 1e-12, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if x.isPoisoned { return x }
      let call = "normalize(_:p:axis:)"
      try requireReal(x, call: call)
      try requireEpsilon(eps, call: call)
      let axes = [try Shape.axis(axis, of: x.shape, call: call)].filter { $0 < x.rank }
      let wide = x.cast(to: .float64)
      let length = try wide.wideNorm(p, over: axes, call: call)
      return (wide / length.clamped(min: eps)).cast(to: x.dtype)
    }
  }
}
