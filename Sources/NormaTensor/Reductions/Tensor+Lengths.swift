// Distances, and slices scaled to a maximum norm.

extension Tensor {
  /// The norm of the difference, (Σ |a - b|ᵖ)^(1/p), over all elements. Shapes broadcast.
  ///
  /// The gradient is 0 where the distance is. Accuracy: the difference in the tensors' common type,
  /// the norm in `float64`, rounded once. Cost: one pass. PyTorch: `torch.dist`.
  public static func distance(
    _ a: Tensor, _ b: Tensor, p: Double = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let difference = a - b
      if difference.isPoisoned { return .poisoned }
      return difference.reshaped([-1]).norm(p, over: [0], file: file, line: line)
    }
  }

  /// The tensor with every slice along `axis` whose norm exceeds `maximum` scaled down to it.
  ///
  /// slice * maximum / (norm + 1e-7) where norm > maximum, as in PyTorch, with the `p`-norm of the
  /// slice in `float64`. At least two axes. Cost: two passes. PyTorch: `torch.renorm`.
  public func renormalized(
    _ p: Double = 2, over axis: Int, maximum: Double, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "renormalized(_:over:maximum:)"
      try demand(rank >= 2, call, "shape \(shape) has no slices; at least two axes are needed")
      guard p > 0 else { throw TensorError(call, "p must be positive, got \(p)") }
      guard maximum >= 0 else {
        throw TensorError(call, "maximum must not be negative, got \(maximum)")
      }
      let front = try Shape.axis(axis, of: shape, call: call)
      let norm = try wideNorm(p, over: shape.indices.filter { $0 != front }, call: call)
      let factor = Tensor.where(norm .> maximum, maximum / (norm + 1e-7), 1.0)
      return (cast(to: dtype.isHalf ? .float32 : dtype) * factor.cast(to: dtype)).cast(to: dtype)
    }
  }

  /// The sum over all axes that make the tensor larger than `shape`, which broadcasts to it.
  ///
  /// The inverse of `broadcast(to:)`. Integers give `int64`, unless nothing is summed. Cost: one
  /// pass.
  /// PyTorch: `Tensor.sum_to_size`.
  public func summed(
    to target: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || shape == target { return self }
      let shift = rank - target.count
      guard shift >= 0,
        target.indices.allSatisfy({ target[$0] == 1 || target[$0] == shape[$0 + shift] })
      else {
        throw TensorError(
          "summed(to:)", "shape \(target) does not broadcast to \(shape), so it is not a sum of it")
      }
      let axes = shape.indices.filter { $0 < shift || target[$0 - shift] != shape[$0] }
      return sum(over: axes, keepDims: true).reshaped(target)
    }
  }
}
