// Parts along one axis, and copies with a part replaced.

extension Tensor {
  /// The elements at one index of an axis, which is dropped. A view. PyTorch: `torch.select`.
  public func selected(
    over axis: Int, at index: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "selected(over:at:)"
      return try seen(through: window(axis, .element(index), call), call)
    }
  }

  /// Every `by`-th element of an axis from `from` up to `to`, clamped as in Python. A view.
  /// PyTorch: `x[from:to:by]` along `axis`, `torch.ops.aten.slice`.
  public func sliced(
    over axis: Int, from: Int? = nil, to: Int? = nil, by step: Int = 1,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "sliced(over:from:to:by:)"
      return try seen(through: window(axis, .slice(from: from, upTo: to, by: step), call), call)
    }
  }

  /// A copy with other elements at one index of an axis; they broadcast to the part.
  ///
  /// The gradient reaches the elements that were not replaced, and `part`.
  /// PyTorch: `torch.select_scatter`, which does not broadcast.
  public func replacing(
    over axis: Int, at index: Int, with part: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "replacing(over:at:with:)"
      return try replacing(window(axis, .element(index), call), with: part, call)
    }
  }

  /// A copy with other elements in a slice of an axis; they broadcast to the part.
  ///
  /// The gradient reaches the elements that were not replaced, and `part`.
  /// PyTorch: `torch.slice_scatter`, which does not broadcast.
  public func replacing(
    over axis: Int, from: Int? = nil, to: Int? = nil, by step: Int = 1, with part: Tensor,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "replacing(over:from:to:by:with:)"
      return try replacing(
        window(axis, .slice(from: from, upTo: to, by: step), call), with: part, call)
    }
  }

  private func window(
    _ axis: Int, _ index: Tensor.AxisIndex, _ call: String
  ) throws(TensorError) -> Window {
    let front = try Shape.axis(axis, of: shape, call: call)
    try demand(rank > 0 || isPoisoned, call, "a scalar has no parts")
    let indices =
      (0..<front).map { _ in Tensor.AxisIndex.slice(from: nil, upTo: nil, by: 1) } + [index]
    return { (whole: Layout) throws(TensorError) in try whole.taking(indices, call) }
  }

  /// `count` elements of an axis starting at the integer in a scalar tensor.
  ///
  /// A view; the start is read immediately. PyTorch: `torch.narrow(x, dim, start_tensor, length)`.
  public func narrowed(
    over axis: Int, from start: Tensor, count: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, start, file: file, line: line) { () throws(TensorError) in
      try demand(
        start.rank == 0 && start.dtype.isInteger, "narrowed(over:from:count:)",
        "the start must be an integer scalar, got \(start.dtype) \(start.shape)")
      return narrowed(over: axis, from: start.asPositions.item(as: Int.self), count: count)
    }
  }

  /// `count` views of about equal size along an axis, the first ones longer by one if it does not
  /// divide evenly.
  /// PyTorch: `torch.tensor_split(x, count, dim)`; ``chunked(_:over:file:line:)`` makes the last
  /// one shorter.
  public func split(
    into count: Int, over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    if isPoisoned { return poisonedParts(count) }
    return parts(file: file, line: line) { () throws(TensorError) in
      let call = "split(into:over:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      try Shape.parts(count, call: call)
      guard rank > 0, count > 0 else {
        throw TensorError(call, "shape \(shape) has no \(count) parts along axis \(axis)")
      }
      let (small, longer) = shape[front].quotientAndRemainder(dividingBy: count)
      return (front, (0..<count).map { $0 < longer ? small + 1 : small })
    }
  }

  /// Views of an axis split at these indices, clamped as in Python: one more than there are
  /// indices.
  /// PyTorch: `torch.tensor_split(x, indices, dim)`.
  public func split(
    at indices: [Int], over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    if isPoisoned { return indices.map { _ in self } + [self] }
    let call = "split(at:over:)"
    return checked(
      file: file, line: line, call: call, else: [.poisoned]
    ) { () throws(TensorError) in
      let front = try Shape.axis(axis, of: shape, call: call)
      guard rank > 0 else { throw TensorError(call, "a scalar cannot be split") }
      return zip([nil] + indices, indices.map { $0 } + [nil]).map { from, to in
        sliced(over: front, from: from, to: to)
      }
    }
  }

  /// ``split(into:over:file:line:)`` along the columns: axis 1, or axis 0 of a vector; the size
  /// must be divisible. PyTorch: `torch.hsplit`.
  public func hsplit(
    into count: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    evenly(count, over: rank == 1 ? 0 : 1, call: "hsplit(into:)", file, line)
  }

  /// ``split(at:over:file:line:)`` along the columns: axis 1, or axis 0 of a vector.
  /// PyTorch: `torch.hsplit`.
  public func hsplit(
    at indices: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    split(at: indices, over: rank == 1 ? 0 : 1, file: file, line: line)
  }

  /// ``split(into:over:file:line:)`` along the rows of a matrix; the size must be divisible.
  /// PyTorch: `torch.vsplit`.
  public func vsplit(
    into count: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    evenly(count, over: 0, call: "vsplit(into:)", file, line)
  }

  /// ``split(at:over:file:line:)`` along the rows. PyTorch: `torch.vsplit`.
  public func vsplit(
    at indices: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    split(at: indices, over: 0, file: file, line: line)
  }

  private func evenly(
    _ count: Int, over axis: Int, call: String, _ file: StaticString, _ line: UInt
  ) -> [Tensor] {
    if isPoisoned { return poisonedParts(count) }
    return parts(file: file, line: line) { () throws(TensorError) in
      try Shape.parts(count, call: call)
      guard axis < rank, count > 0, shape[axis] % count == 0 else {
        throw TensorError(
          call, "axis \(axis) of shape \(shape) does not divide into \(count) equal parts")
      }
      return (axis, [Int](repeating: shape[axis] / count, count: count))
    }
  }
}
