import NormaKernels

// Elements in reverse order, rotated by right angles, or rolled around an axis.

extension Tensor {
  /// The elements in reverse order along some axes; along all if none are named.
  ///
  /// A copy, because strides are never negative; it is pending and fuses with what follows. Cost:
  /// one read and one write.
  /// PyTorch: `torch.flip(x, dims)`, which flips nothing if no axis is named.
  public func flipped(
    over axes: Int..., file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    flipped(over: named(axes), file: file, line: line)
  }

  /// The elements in reverse order along an array of axes; nothing changes if it is empty.
  /// PyTorch: `torch.flip(x, dims)`.
  public func flipped(
    over axes: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || axes.isEmpty { return self }
      return flipped(try Shape.axes(axes, of: shape, call: "flipped(over:)"))
    }
  }

  private func flipped(_ axes: [Int]) -> Tensor {
    let long = axes.filter { shape[$0] > 1 }
    if long.isEmpty || count == 0 { return self }
    var (strides, offset) = (strides, layout.offset)
    for axis in long {
      offset += (shape[axis] - 1) * strides[axis]
      strides[axis] = -strides[axis]
    }
    // Only the program that copies ever sees these strides.
    let turned = Tensor(node: node, layout: Layout(shape: shape, strides: strides, offset: offset))
    return turned.copied(to: layout.denseTwin(of: shape))
      .recorded("flipped(over:)", from: [self]) { [$0.upstream.flipped(long)] }
  }

  /// The columns in reverse order: axis 1. PyTorch: `torch.fliplr`.
  public func flippedLeftRight(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      guard rank >= 2 || isPoisoned else {
        throw TensorError(
          "flippedLeftRight()", "shape \(shape) has no axis 1; flipped(over:) accepts any axis")
      }
      return flipped(over: [1])
    }
  }

  /// The rows in reverse order: axis 0. PyTorch: `torch.flipud`.
  public func flippedUpDown(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try demand(rank >= 1 || isPoisoned, "flippedUpDown()", "a scalar cannot be flipped")
      return flipped(over: [0])
    }
  }

  /// Rotated by `times` right angles in the plane of two axes, from the first towards the second.
  ///
  /// Twice flips both axes; once and three times flip one axis and swap the two. Negative numbers
  /// rotate the other way. PyTorch: `torch.rot90(x, k, dims)`.
  public func rotated90(
    _ times: Int = 1, axes: (Int, Int) = (0, 1), file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let (first, second) = try Shape.pair(axes, of: shape, call: "rotated90(_:axes:)")
      switch ((times % 4) + 4) % 4 {
      case 1: return flipped([second]).transposed(first, second)
      case 2: return flipped([first, second].sorted())
      case 3: return flipped([first]).transposed(first, second)
      default: return self
      }
    }
  }

  /// The elements moved along axes, wrapping around at the ends: the element at i goes to (i +
  /// shift) modulo the size.
  ///
  /// Runs eagerly. Cost: one read and one write for each axis.
  /// PyTorch: `torch.roll(x, shifts, dims)`.
  public func rolled(
    by shifts: [Int], over axes: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "rolled(by:over:)"
      guard shifts.count == axes.count, !shifts.isEmpty else {
        throw TensorError(call, "\(shifts.count) shifts for \(axes.count) axes; pass one for each")
      }
      try demand(rank > 0, call, "a scalar cannot be rolled")
      var result = self
      for (shift, axis) in zip(shifts, axes) {
        let front = try Shape.axis(axis, of: shape, call: call)
        result = result.rolled(front, shift)
      }
      return result
    }
  }

  /// The elements in row-major order moved by `shift`, in the same shape. PyTorch:
  /// `torch.roll(x, n)`.
  public func rolled(
    by shift: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      isPoisoned || count == 0 ? self : flattened().rolled(0, shift).reshaped(shape)
    }
  }

  private func rolled(_ axis: Int, _ shift: Int) -> Tensor {
    let size = shape[axis]
    if count == 0 { return self }
    let start = ((shift % size) + size) % size
    if start == 0 { return self }
    let whole = layout.denseTwin(of: shape)
    guard let storage = Storage.roomOrReport(whole, dtype) else { return .poisoned }
    let parts = [(from: size - start, to: 0, count: start), (0, start, size - start)]
    let isShifted = shiftsWhole(into: storage, whole, axis, by: start)
    for (from, to, count) in parts where !isShifted || count * 2 < size {
      var part = shape
      part[axis] = count
      let source = Layout(
        shape: part, strides: strides, offset: layout.offset + from * strides[axis])
      let target = Layout(shape: part, strides: whole.strides, offset: to * whole.strides[axis])
      Tensor(node: node, layout: source).write(into: storage, target, as: dtype)
    }
    return Tensor(stored: storage, dtype, whole)
      .recorded("rolled(by:over:)", from: [self]) { [$0.upstream.rolled(axis, -start)] }
  }

  /// Shifts all elements as if they were one row, if that puts only few of them wrong, those of the
  /// smaller part: rows that are not multiples of cache lines are slow to copy one by one.
  private func shiftsWhole(
    into storage: Storage, _ whole: Layout, _ axis: Int, by start: Int
  ) -> Bool {
    let size = shape[axis]
    guard !node.isPending, axis > 0, Swift.min(start, size - start) * 16 <= size,
      layout.strides == whole.strides
    else { return false }
    let step = whole.strides[axis] * dtype.byteCount
    let (ahead, back) = start * 2 < size ? (start * step, 0) : (0, (size - start) * step)
    withAddress { from in
      copyBytes(
        from: from + back, to: storage.base + ahead,
        count: count * dtype.byteCount - ahead - back, threads: TensorThreads.count)
    }
    return true
  }
}
