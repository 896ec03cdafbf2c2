import NormaValues

// Joining and splitting tensors. Joining writes every part once, pending ones directly; the parts
// of a split are views.

extension Tensor {
  /// Concatenates tensors along an axis; the other axes are equal.
  ///
  /// Types are promoted; an empty tensor with one axis matches any shape, as in PyTorch. Runs
  /// eagerly. Cost: one read and one write.
  /// PyTorch: `torch.cat`.
  public static func concatenated(
    _ tensors: [Tensor], over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try join(tensors, axis, call: "concatenated(_:over:)")
    }
  }

  /// Stacks tensors of the same shape along a new axis. PyTorch: `torch.stack`.
  public static func stacked(
    _ tensors: [Tensor], over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "stacked(_:over:)"
      guard let first = tensors.first else { throw TensorError(call, "there are no tensors") }
      if let other = tensors.first(where: { $0.shape != first.shape && !$0.isPoisoned }) {
        throw TensorError(call, "shapes \(first.shape) and \(other.shape) differ")
      }
      guard axis >= -first.rank - 1 && axis <= first.rank else {
        throw TensorError(
          call,
          "axis \(axis) is out of range; valid axes are \(-first.rank - 1) ... \(first.rank)")
      }
      return try join(tensors.map { $0.unsqueezed(axis) }, axis, call: call)
    }
  }

  private static func join(
    _ tensors: [Tensor], _ axis: Int, call: String
  ) throws(TensorError) -> Tensor {
    if tensors.contains(where: \.isPoisoned) { return .poisoned }
    let all = tensors
    let tensors = all.filter { $0.shape != [0] }
    guard let first = tensors.first ?? all.first else {
      throw TensorError(call, "there are no tensors")
    }
    try demand(first.rank > 0, call, "scalars cannot be concatenated; stack them")
    let dtype = all.dropFirst().reduce(all[0].dtype) { DType.promoted($0, $1.dtype) }
    try Tensor.refuseMixedSigns(all.map(\.dtype), call)
    let front = try Shape.axis(axis, of: first.shape, call: call)
    var shape = first.shape
    var sizes: [Int] = []
    for tensor in tensors {
      var expected = first.shape
      if tensor.rank == first.rank { expected[front] = tensor.shape[front] }
      guard tensor.shape == expected else {
        throw TensorError(
          call, "shapes \(first.shape) and \(tensor.shape) differ outside of axis \(axis)")
      }
      sizes.append(tensor.shape[front])
    }
    shape[front] = try Shape.sum(sizes, call: call)
    _ = try Shape.count(shape, call: call)
    let whole = first.layout.denseTwin(of: shape)
    let storage = try Storage.room(whole, dtype, call)
    var start = 0
    for tensor in tensors where tensor.count > 0 {
      let target = Layout(
        shape: tensor.shape, strides: whole.strides, offset: start * whole.strides[front])
      tensor.write(into: storage, target, as: dtype)
      start += tensor.shape[front]
    }
    let (joined, lengths) = (front, sizes)
    // Empty vectors match any shape and keep their histories, but contribute nothing to the result.
    let isPart = all.map { $0.shape != [0] }
    return Tensor(stored: storage, dtype, whole)
      .noted(.concatenation(axis: joined), tensors)
      .recorded(call, from: all) { rule in
        var (start, next) = (0, 0)
        return isPart.enumerated().map { index, isPart in
          guard isPart else {
            return rule.whenNeeded(index) { .zeros(0, dtype: rule.upstream.dtype) }
          }
          let size = lengths[next]
          defer { (start, next) = (start + size, next + 1) }
          return rule.whenNeeded(index) { rule.upstream.narrowed(joined, start, size) }
        }
      }
  }

  /// `count` elements of an axis starting at `start`, as a view; a negative start counts from the
  /// end.
  /// PyTorch: `torch.narrow`.
  public func narrowed(
    over axis: Int, from start: Int, count: Int, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "narrowed(over:from:count:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      let size = rank == 0 ? 0 : shape[front]
      let first = start < 0 ? start + size : start
      guard rank > 0, first >= 0, first <= size, count >= 0, count <= size - first else {
        throw TensorError(
          call,
          "\(count) elements starting at \(start) are out of range for axis \(axis) of "
            + "shape \(shape)")
      }
      return narrowed(front, first, count)
    }
  }

  /// `size` elements of an axis starting at `start`, for checked numbers.
  func narrowed(_ axis: Int, _ start: Int, _ size: Int) -> Tensor {
    guard isRecording else {
      var shape = layout.shape
      shape[axis] = size
      let offset = shape.contains(0) ? 0 : layout.offset + start * layout.strides[axis]
      return Tensor(
        node: node, layout: Layout(shape: shape, strides: layout.strides, offset: offset))
    }
    return taking((0..<axis).map { _ in AxisSlice() as any TensorIndex } + [start..<(start + size)])
  }

  /// Views of parts with these sizes along an axis; the sizes must add up. PyTorch: `torch.split`.
  public func split(
    _ sizes: [Int], over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    if isPoisoned { return poisonedParts(sizes.count) }
    return parts(file: file, line: line) { () throws(TensorError) in
      let call = "split(_:over:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      guard rank > 0, sizes.allSatisfy({ $0 >= 0 }),
        try Shape.sum(sizes, call: call) == shape[front]
      else {
        throw TensorError(call, "sizes \(sizes) do not add up to axis \(axis) of shape \(shape)")
      }
      return (front, sizes)
    }
  }

  /// Views of parts of `size` elements along an axis; the last may be smaller.
  /// PyTorch: `torch.split`.
  public func split(
    every size: Int, over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    parts(file: file, line: line) { () throws(TensorError) in
      let call = "split(every:over:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      guard rank > 0, size > 0 || size == 0 && shape[front] == 0 else {
        throw TensorError(call, "size \(size) does not divide axis \(axis) of shape \(shape)")
      }
      if shape[front] == 0 { return (front, [0]) }
      let count = (shape[front] - 1) / size + 1
      return (front, (0..<count).map { Swift.min(size, shape[front] - $0 * size) })
    }
  }

  /// At most `count` views of equal size along an axis; the last may be smaller.
  /// PyTorch: `torch.chunk`.
  public func chunked(
    _ count: Int, over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    if isPoisoned { return poisonedParts(count) }
    guard count > 0, rank > 0, axis >= -rank, axis < rank else {
      return parts(file: file, line: line) { () throws(TensorError) in
        throw TensorError(
          "chunked(_:over:)", "shape \(shape) has no \(count) chunks along axis \(axis)")
      }
    }
    let size = shape[axis < 0 ? axis + rank : axis]
    if size == 0 {
      return parts(file: file, line: line) { () throws(TensorError) in
        try Shape.parts(count, call: "chunked(_:over:)")
        return (Swift.max(axis, axis + rank) % rank, [Int](repeating: 0, count: count))
      }
    }
    return split(every: (size - 1) / count + 1, over: axis, file: file, line: line)
  }

  /// Views of the slices along an axis, without that axis. PyTorch: `torch.unbind`.
  public func unbound(
    over axis: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    guard rank > 0, axis >= -rank, axis < rank else {
      return parts(file: file, line: line) { () throws(TensorError) in
        throw TensorError("unbound(over:)", "shape \(shape) has no axis \(axis)")
      }
    }
    let front = axis < 0 ? axis + rank : axis
    let before = (0..<front).map { _ in AxisSlice() as any TensorIndex }
    return (0..<shape[front]).map { taking(before + [$0]) }
  }

  /// As many parts of a poisoned tensor as were requested, so that accessing one does not end the
  /// process.
  func poisonedParts(_ count: Int) -> [Tensor] {
    [Tensor](repeating: self, count: Swift.min(Swift.max(count, 1), 1 << 16))
  }

  /// Views of parts along an axis, with the sizes that a rule returns.
  func parts(
    file: StaticString, line: UInt, _ rule: () throws(TensorError) -> (axis: Int, sizes: [Int])
  ) -> [Tensor] {
    if isPoisoned { return [self] }
    do throws(TensorError) {
      let (axis, sizes) = try rule()
      var start = 0
      return sizes.map { size in
        defer { start += size }
        return narrowed(axis, start, size)
      }
    } catch {
      report(error, file: file, line: line)
      return [.poisoned]
    }
  }
}
