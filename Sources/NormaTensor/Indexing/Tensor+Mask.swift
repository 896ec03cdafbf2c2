import NormaKernels

// Selection by Boolean masks. The selected elements are counted first, so these run eagerly.

extension Tensor {
  /// The indices of the nonzero elements, one row each, in row-major order: `[n, rank]`, `int64`.
  /// NaN is not zero.
  ///
  /// Cost: two reads of a byte per element, and one write.
  /// PyTorch: `torch.nonzero`, `torch.argwhere`.
  public func nonzero() -> Tensor {
    if isPoisoned { return self }
    let flat = checked { () throws(TensorError) in try trueIndices("nonzero()") }
    if flat.isPoisoned { return flat }
    if rank == 1 { return flat.unsqueezed(1) }
    let (shape, n, threads) = (shape, flat.count, TensorThreads.count)
    return .computed(.int64, Layout(contiguous: [n, rank]), from: [flat]) { at, result in
      if shape.isEmpty { return }
      TrueBytes.unravel(
        at[0].assumingMemoryBound(to: Int64.self), count: n, shape: shape,
        into: result.assumingMemoryBound(to: Int64.self), threads: threads)
    }
  }

  /// The indices of the nonzero elements, one tensor for each axis; a scalar counts as a vector.
  /// PyTorch: `torch.nonzero(x, as_tuple=True)`, `torch.where(x)`.
  public func nonzeroByAxis() -> [Tensor] { atLeast1D().nonzero().unbound(over: 1) }

  /// The row-major indices of the nonzero elements.
  ///
  /// - Throws: if there is no memory for them.
  func trueIndices(_ call: String) throws(TensorError) -> Tensor {
    let bytes = detached().cast(to: .bool).contiguous()
    ExecutionLog.add(.search, "indices of true", [bytes], into: [0], .int64)
    var result: Storage?
    var layout = Layout(contiguous: [0])
    let hasRun: Void? = bytes.withAddress { address in
      TrueBytes.list(
        address.assumingMemoryBound(to: UInt8.self), count: count, threads: TensorThreads.count
      ) { n in
        layout = Layout(contiguous: [n])
        result = try? Storage.room(layout, .int64, call)
        return result?.base.assumingMemoryBound(to: Int64.self)
      }
    }
    if hasRun == nil { throw .memory(shape, .bool, call) }
    guard let result else { throw .memory(layout.shape, .int64, call) }
    return Tensor(stored: result, .int64, layout)
  }

  /// The elements where `mask` is true, in row-major order; both broadcast.
  ///
  /// The gradient is scattered back to them. Cost: one read of the mask, 8 bytes for each selected
  /// element, one read and one write of those.
  /// PyTorch: `torch.masked_select`.
  public func selected(
    where mask: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, mask, file: file, line: line) { () throws(TensorError) in
      let call = "selected(where:)"
      let (x, indices) = try masked(by: mask, call)
      return try x.picked(indices).flattened()
    }
  }

  /// The tensor with the elements of `source`, in row-major order, where `mask` is true; tensor and
  /// mask broadcast, and `source` has at least as many elements as the mask selects.
  ///
  /// The gradient reaches `source` and the elements that were not replaced.
  /// PyTorch: `torch.masked_scatter`.
  public func scattered(
    where mask: Tensor, _ source: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || mask.isPoisoned || source.isPoisoned { return .poisoned }
      let call = "scattered(where:_:)"
      guard source.dtype == dtype else {
        throw TensorError(
          call, "the source is \(source.dtype), the tensor \(dtype); cast one of them")
      }
      let (x, indices) = try masked(by: mask, call)
      let needed = indices.narrow[1]
      guard source.count >= needed else {
        throw TensorError(
          call, "the mask selects \(needed) elements, but the source has \(source.count)")
      }
      let part = source.flattened().narrowed(0, 0, needed).reshaped(1, needed, 1)
      return try x.replaced(by: part, at: indices)
        .reshaped(try Shape.broadcast(shape, mask.shape, call: call))
    }
  }

  /// This tensor as `[1, count, 1]` and the indices where a mask is true, both broadcast.
  private func masked(
    by mask: Tensor, _ call: String
  ) throws(TensorError) -> (Tensor, AxisIndices) {
    try demand(mask.dtype == .bool, call, "the mask is \(mask.dtype), not bool; compare it first")
    let common = try Shape.broadcast(shape, mask.shape, call: call)
    let indices = try mask.broadcast(to: common).trueIndices(call)
    let x = broadcast(to: common)
    return (
      x.reshaped(1, x.count, 1),
      AxisIndices(
        indices.reshaped(1, indices.count, 1), narrow: [1, indices.count, 1], size: x.count,
        wraps: false, call: call, axis: 0, shape: common)
    )
  }

  /// The number in a scalar tensor where `mask` is true, the tensor's element elsewhere. A gradient
  /// reaches both. Pending.
  /// PyTorch: `x.masked_fill(mask, value)`.
  public func filled(
    where mask: Tensor, with value: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try demand(
        value.rank == 0, "filled(where:with:)",
        "the value must be a scalar, got shape \(value.shape); where(_:_:_:) takes any shape")
      return Tensor.where(mask, value.cast(to: dtype), self)
    }
  }
}
