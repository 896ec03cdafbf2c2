// Views that may see an element several times. Their gradients add up what goes back to it.

extension Tensor {
  /// All slices of `size` elements along an axis, `step` apart, as a new last axis: a view.
  ///
  /// The axis has (n - size) / step + 1 elements in the result; what is left over at the end is not
  /// seen. The gradient adds up overlapping slices in `float64`.
  /// PyTorch: `x.unfold(dim, size, step)`; `F.unfold` is ``Tensor/unfold(_:kernelSize:dilation:padding:stride:file:line:)``.
  public func unfolded(
    over axis: Int, size: Int, step: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "unfolded(over:size:step:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      let length = rank == 0 ? 1 : shape[front]
      guard size >= 0, size <= length, step > 0 else {
        throw TensorError(
          call, "slices of \(size) elements, \(step) apart, are not in axis \(axis) of \(shape)")
      }
      if rank == 0 { return size == 0 ? unsqueezed(0).narrowed(0, 0, 0) : unsqueezed(0) }
      let windows = (length - size) / step + 1
      var (target, distances) = (shape, strides)
      target[front] = windows
      target.append(size)
      distances.append(strides[front])
      if windows > 1 { distances[front] *= step }
      let places = SlicePlaces(count: windows, size: size, step: step)
      let layout = Layout(
        shape: target, strides: distances, offset: target.contains(0) ? 0 : layout.offset)
      let whole = shape
      return Tensor(node: node, layout: layout).recorded(call, from: [self], runsAtOnce: true) {
        let upstream = $0.upstream.movedAxis(-1, to: front + 1)
          .flattened(from: front, through: front + 1)
        return [
          Tensor(0, dtype: upstream.dtype).broadcast(to: whole)
            .indexAdded(places.tensor, upstream, over: front)
        ]
      }
    }
  }

  /// Elements at other distances in memory: a view of the memory that this tensor lies in.
  ///
  /// The element at i, j, ... is `offset + i * strides[0] + j * strides[1] + ...` elements from the
  /// beginning of memory; without an offset, from this tensor's first element. Which elements these are
  /// depends on how the tensor lies there: make it row-major first if that matters. The gradient adds up
  /// what is seen several times; elements that this tensor itself sees several times share it evenly.
  /// PyTorch: `torch.as_strided(x, shape, strides, storage_offset)`.
  public func strided(
    _ shape: [Int], strides: [Int], offset: Int? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "strided(_:strides:offset:)"
      _ = try Shape.count(shape, call: call)
      guard shape.count == strides.count, strides.allSatisfy({ $0 >= 0 }) else {
        throw TensorError(
          call,
          "shape \(shape) needs one stride for each axis, none of them negative, got \(strides)")
      }
      let start = offset ?? layout.offset
      let isEmpty = shape.contains(0)
      var last = start
      var isInside = start >= 0
      for (size, stride) in zip(shape, strides) where !isEmpty {
        let (reach, overflow) = (size - 1).multipliedReportingOverflow(by: stride)
        let (end, carried) = last.addingReportingOverflow(reach)
        isInside = isInside && !overflow && !carried
        last = end
      }
      let room = node.layout.count
      guard isEmpty || isInside && last < room else {
        throw TensorError(
          call,
          "shape \(shape) with strides \(strides) from \(start) on leads outside of the "
            + "\(room) elements of memory")
      }
      let view = Layout(shape: shape, strides: strides, offset: isEmpty ? 0 : start)
      let own = layout
      return Tensor(node: node, layout: view).recorded(call, from: [self], runsAtOnce: true) {
        let upstream = $0.upstream
        let empty = Tensor(0, dtype: upstream.dtype).broadcast(to: [room])
        let memory = empty.putting(view.places, upstream, accumulating: true)
        let places = own.places
        if own.isInjective { return [memory.taken(places)] }
        // Elements that this tensor sees several times share what goes to their place.
        let ones = Tensor.ones(own.shape, dtype: .float64)
        let uses = Tensor(0.0).broadcast(to: [room]).putting(places, ones, accumulating: true)
        return [(memory / maximum(uses, Tensor(1.0))).taken(places)]
      }
    }
  }
}

extension Layout {
  /// Whether no element is seen twice, as far as steps that go beyond all smaller ones show it.
  fileprivate var isInjective: Bool {
    var reach = 0
    for axis in Layout.order(shape, strides).reversed() where shape[axis] > 1 {
      if strides[axis] <= reach { return false }
      reach += (shape[axis] - 1) * strides[axis]
    }
    return true
  }

  /// The place in memory of each element.
  fileprivate var places: Tensor {
    var places = Tensor(offset).broadcast(to: shape)
    for (axis, size) in shape.enumerated() where size > 1 {
      var column = [Int](repeating: 1, count: shape.count)
      column[axis] = size
      places = places + Tensor.arange(size).reshaped(column) * strides[axis]
    }
    return places
  }
}

/// The elements of overlapping slices of an axis, one slice after the other.
private struct SlicePlaces: Sendable {
  let count: Int, size: Int, step: Int

  var tensor: Tensor {
    (Tensor.arange(count).unsqueezed(1) * step + Tensor.arange(size)).flattened()
  }
}
