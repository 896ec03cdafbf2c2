// Views: other shapes and orders of the same elements. They copy nothing, except when a reshape
// needs elements in an order other than that in memory.

extension Tensor {
  /// The same elements with another layout; `rule` computes the gradient.
  func view(
    _ layout: Layout, _ call: String, _ rule: @escaping @Sendable (Backward) -> [Tensor?]
  ) -> Tensor {
    isPoisoned
      ? self : Tensor(node: node, layout: layout).recorded(call, from: [self], rule)
  }

  /// A view with the same elements in row-major order.
  private func reshapedView(_ layout: Layout, _ call: String) -> Tensor {
    let shape = shape
    return view(layout, call) { [$0.upstream.reshaped(shape)] }
  }

  /// The elements in row-major order in another shape; one size may be -1 and is computed.
  ///
  /// A view if the strides allow it, otherwise a copy. PyTorch: `reshape`.
  public func reshaped(
    _ shape: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned || shape == self.shape { return self }
      let target = try Shape.reshape(self.shape, to: shape, call: "reshaped(_:)")
      if let layout = layout.reshaped(target) { return reshapedView(layout, "reshaped(_:)") }
      let (copy, own) = (copied(), self.shape)
      return Tensor(node: copy.node, layout: Layout(contiguous: target))
        .recorded("reshaped(_:)", from: [self]) { [$0.upstream.reshaped(own)] }
    }
  }

  /// The elements in row-major order in another shape: `x.reshaped(64, -1)`.
  public func reshaped(
    _ shape: Int..., file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    reshaped(shape, file: file, line: line)
  }

  /// All axes, or the axes `from ... through`, merged into one. PyTorch: `flatten`.
  public func flattened(
    from: Int = 0, through: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      if rank == 0 { return reshaped([1]) }
      let first = try Shape.axis(from, of: shape, call: "flattened(from:through:)")
      let last = try Shape.axis(through, of: shape, call: "flattened(from:through:)")
      guard first <= last else {
        throw TensorError("flattened(from:through:)", "axis \(from) comes after axis \(through)")
      }
      let size = shape[first...last].reduce(1, *)
      return reshaped(Array(shape[..<first]) + [size] + Array(shape[(last + 1)...]))
    }
  }

  /// The axes in another order: axis `k` of the result is axis `axes[k]`. PyTorch: `permute`.
  public func permuted(
    _ axes: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      guard axes.count == rank else {
        throw TensorError(
          "permuted(_:)", "\(axes) names \(axes.count) axes, but shape \(shape) has \(rank)")
      }
      var order: [Int] = []
      for axis in axes {
        let front = try Shape.axis(axis, of: shape, call: "permuted(_:)")
        if order.contains(front) {
          throw TensorError("permuted(_:)", "axis \(axis) appears twice in \(axes)")
        }
        order.append(front)
      }
      let layout = Layout(
        shape: order.map { shape[$0] }, strides: order.map { strides[$0] }, offset: layout.offset)
      let back = order.indices.map { axis in order.firstIndex(of: axis) ?? axis }
      return view(layout, "permuted(_:)") { [$0.upstream.permuted(back)] }
    }
  }

  /// The axes in another order: `x.permuted(1, 0, 2, 3)`. PyTorch: `permute`.
  public func permuted(
    _ axes: Int..., file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    permuted(axes, file: file, line: line)
  }

  /// Two axes swapped; the last two by default. PyTorch: `transpose`, `mT`.
  public func transposed(
    _ a: Int = -2, _ b: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let first = try Shape.axis(a, of: shape, call: "transposed(_:_:)")
      let second = try Shape.axis(b, of: shape, call: "transposed(_:_:)")
      if rank == 0 { return self }
      var axes = Array(shape.indices)
      axes.swapAt(first, second)
      return permuted(axes)
    }
  }

  /// Without the axes of size 1, or only without those of `axes` that have size 1. PyTorch:
  /// `squeeze`.
  public func squeezed(
    _ axes: Int..., file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let chosen = try Shape.axes(named(axes), of: shape, call: "squeezed(_:)")
      let left = shape.indices.filter { !(shape[$0] == 1 && chosen.contains($0)) }
      return reshapedView(
        Layout(
          shape: left.map { shape[$0] }, strides: left.map { strides[$0] },
          offset: layout.offset), "squeezed(_:)")
    }
  }

  /// With a new axis of size 1 before `axis`; -1 appends it. PyTorch: `unsqueeze`.
  public func unsqueezed(
    _ axis: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      try demand(
        axis >= -rank - 1 && axis <= rank, "unsqueezed(_:)",
        "axis \(axis) is out of range for shape \(shape); valid axes are \(-rank - 1) ... \(rank)")
      guard rank < Shape.mostAxes else {
        throw TensorError(
          "unsqueezed(_:)", "\(rank + 1) axes; a tensor has at most \(Shape.mostAxes)")
      }
      let index = axis < 0 ? axis + rank + 1 : axis
      var (shape, strides) = (shape, strides)
      strides.insert(index < rank ? strides[index] * shape[index] : 1, at: index)
      shape.insert(1, at: index)
      return reshapedView(
        Layout(shape: shape, strides: strides, offset: layout.offset), "unsqueezed(_:)")
    }
  }

  /// Broadcasts axes of size 1, and missing axes in front, to a shape without a copy; -1 keeps a
  /// size. PyTorch: `expand`, `broadcast_to`.
  public func broadcast(
    to target: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "broadcast(to:)"
      let shift = target.count - rank
      try demand(shift >= 0, call, "shape \(shape) has more axes than \(target)")
      var sizes = target
      for (axis, size) in target.enumerated() {
        let own = axis < shift ? nil : shape[axis - shift]
        if size == -1, let own { sizes[axis] = own }
        guard sizes[axis] >= 0, own == nil || own == 1 || own == sizes[axis] else {
          throw TensorError(
            call, "shape \(shape) does not broadcast to \(target): axis \(axis) has the wrong size")
        }
      }
      _ = try Shape.count(sizes, call: call)
      return view(layout.broadcast(to: sizes), call) { [$0.upstream] }
    }
  }
}

extension Layout {
  /// The same elements in another shape with equal count; nil if strides cannot express it.
  func reshaped(_ target: [Int]) -> Layout? {
    if isContiguous {
      let plain = Layout(contiguous: target)
      return offset == 0 ? plain : Layout(shape: target, strides: plain.strides, offset: offset)
    }
    if count == 0 { return Layout(contiguous: target) }
    // Runs of old axes that are contiguous in each other correspond to runs of new axes of the same
    // size.
    var strides = [Int](repeating: 1, count: target.count)
    var new = target.count - 1
    var axis = shape.count - 1
    while axis >= 0 {
      let stride = self.strides[axis]
      var size = shape[axis]
      while axis > 0, shape[axis - 1] == 1 || self.strides[axis - 1] == size * stride {
        size *= shape[axis - 1]
        axis -= 1
      }
      var step = stride
      var left = size
      while new >= 0, left > 1 || target[new] == 1 {
        guard left % target[new] == 0 else { return nil }
        strides[new] = step
        step *= target[new]
        left /= target[new]
        new -= 1
      }
      if left != 1 { return nil }
      axis -= 1
    }
    return Layout(shape: target, strides: strides, offset: offset)
  }
}
