// Distances, and slices brought to a length.

extension Tensor {
  /// The length of the difference, (Σ |a - b|ᵖ)^(1/p), over all elements. Shapes broadcast.
  ///
  /// The gradient is 0 where the distance is. Accuracy: the difference in the tensors' common type, the
  /// norm in `float64`, rounded once. Cost: one trip. PyTorch: `torch.dist`.
  public static func distance(
    _ a: Tensor, _ b: Tensor, p: Double = 2, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let difference = a - b
      if difference.isPoisoned { return .poisoned }
      return difference.reshaped([-1]).norm(p, over: [0], file: file, line: line)
    }
  }
}

extension Tensor {
  /// The tensor with every slice along `axis` that is longer than `maximum` brought to that length.
  ///
  /// slice * maximum / (norm + 1e-7) where norm > maximum, as PyTorch has it, with the `p`-norm of the
  /// slice in `float64`. At least two axes. Cost: two trips. PyTorch: `torch.renorm`.
  public func renormalized(
    _ p: Double = 2, over axis: Int, maximum: Double, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "renormalized(_:over:maximum:)"
      guard rank >= 2 else {
        throw TensorError(call, "shape \(shape) has no slices; at least two axes are needed")
      }
      guard p > 0 else { throw TensorError(call, "p is \(p); a norm with p above 0 is needed") }
      guard maximum >= 0 else { throw TensorError(call, "a length of \(maximum) is negative") }
      let front = try Shape.axis(axis, of: shape, call: call)
      let norm = try wideNorm(p, over: shape.indices.filter { $0 != front }, call: call)
      let factor = Tensor.where(norm .> maximum, maximum / (norm + 1e-7), 1.0)
      return (cast(to: dtype.isHalf ? .float32 : dtype) * factor.cast(to: dtype)).cast(to: dtype)
    }
  }

  /// The sum over whatever axes make the tensor larger than `shape`, which broadcasts to it.
  ///
  /// The opposite of `broadcast(to:)`. Integers give `int64`, unless nothing is summed. Cost: one
  /// trip. PyTorch: `Tensor.sum_to_size`.
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
          "summed(to:)", "shape \(target) does not broadcast to \(shape), so it is no sum of it")
      }
      let axes = shape.indices.filter { $0 < shift || target[$0 - shift] != shape[$0] }
      return sum(over: axes, keepDims: true).reshaped(target)
    }
  }
}
