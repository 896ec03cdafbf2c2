// Views in which an element may occur several times. Their gradients are summed over all
// occurrences.

extension Tensor {
  /// All slices of `size` elements along an axis, `step` apart, as a new last axis: a view.
  ///
  /// The axis has (n - size) / step + 1 elements in the result; a remainder at the end is ignored.
  /// The gradient sums over overlapping slices in `float64`.
  /// PyTorch: `x.unfold(dim, size, step)`; `F.unfold` is
  /// ``Tensor/unfold(_:kernelSize:dilation:padding:stride:file:line:)``.
  public func unfolded(
    over axis: Int, size: Int, step: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "unfolded(over:size:step:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      let length = rank == 0 ? 1 : shape[front]
      guard size >= 0, size <= length, step > 0 else {
        throw TensorError(
          call, "slices of \(size) elements, \(step) apart, do not fit axis \(axis) of \(shape)")
      }
      if rank == 0 { return size == 0 ? unsqueezed(0).narrowed(0, 0, 0) : unsqueezed(0) }
      let windows = (length - size) / step + 1
      var (target, distances) = (shape, strides)
      target[front] = windows
      target.append(size)
      distances.append(strides[front])
      if windows > 1 { distances[front] *= step }
      let indices = SliceIndices(count: windows, size: size, step: step)
      let layout = Layout(
        shape: target, strides: distances, offset: target.contains(0) ? 0 : layout.offset)
      let whole = shape
      return Tensor(node: node, layout: layout).recorded(call, from: [self], runsAtOnce: true) {
        let upstream = $0.upstream.movedAxis(-1, to: front + 1)
          .flattened(from: front, through: front + 1)
        return [
          Tensor(0, dtype: upstream.dtype).broadcast(to: whole)
            .indexAdded(indices.tensor, upstream, over: front)
        ]
      }
    }
  }

  /// A view with other strides into the memory of this tensor.
  ///
  /// The element at i, j, ... is `offset + i * strides[0] + j * strides[1] + ...` elements from the
  /// start of memory; without an offset, from this tensor's first element. Which elements these are
  /// depends on this tensor's layout: make it contiguous first if that matters. The gradient sums
  /// over elements that occur several times; elements that occur several times in this tensor
  /// itself share it evenly.
  /// PyTorch: `torch.as_strided(x, shape, strides, storage_offset)`.
  public func strided(
    _ shape: [Int], strides: [Int], offset: Int? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "strided(_:strides:offset:)"
      _ = try Shape.count(shape, call: call)
      try demand(
        shape.count == strides.count && strides.allSatisfy({ $0 >= 0 }), call,
        "shape \(shape) needs one non-negative stride for each axis, got \(strides)")
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
          "shape \(shape) with strides \(strides), starting at \(start), exceeds the "
            + "\(room) elements of memory")
      }
      let view = Layout(shape: shape, strides: strides, offset: isEmpty ? 0 : start)
      let own = layout
      return Tensor(node: node, layout: view).recorded(call, from: [self], runsAtOnce: true) {
        let upstream = $0.upstream
        let empty = Tensor(0, dtype: upstream.dtype).broadcast(to: [room])
        let memory = empty.putting(view.indices, upstream, accumulating: true)
        let indices = own.indices
        if own.isInjective { return [memory.taken(indices)] }
        // Elements that occur several times in this tensor share their gradient.
        let ones = Tensor.ones(own.shape, dtype: .float64)
        let uses = Tensor(0.0).broadcast(to: [room]).putting(indices, ones, accumulating: true)
        return [(memory / maximum(uses, Tensor(1.0))).taken(indices)]
      }
    }
  }
}

extension Layout {
  /// Whether no element occurs twice, as far as strides that exceed all smaller ones show it.
  fileprivate var isInjective: Bool {
    var reach = 0
    for axis in Layout.order(shape, strides).reversed() where shape[axis] > 1 {
      if strides[axis] <= reach { return false }
      reach += (shape[axis] - 1) * strides[axis]
    }
    return true
  }

  /// The offset in memory of each element.
  fileprivate var indices: Tensor {
    var indices = Tensor(offset).broadcast(to: shape)
    for (axis, size) in shape.enumerated() where size > 1 {
      var column = [Int](repeating: 1, count: shape.count)
      column[axis] = size
      indices = indices + Tensor.arange(size).reshaped(column) * strides[axis]
    }
    return indices
  }
}

/// The indices of the elements of overlapping slices of an axis, slice by slice.
private struct SliceIndices: Sendable {
  let count: Int, size: Int, step: Int

  var tensor: Tensor {
    (Tensor.arange(count).unsqueezed(1) * step + Tensor.arange(size)).flattened()
  }
}
