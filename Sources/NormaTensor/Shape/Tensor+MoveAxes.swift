// Axes in another order, and with other sizes for the same elements: views.

extension Tensor {
  /// An axis at another place, the others in their order: `x.movedAxis(1, to: -1)` puts channels last.
  ///
  /// A view. PyTorch: `torch.movedim`, `torch.moveaxis`; ``transposed(_:_:file:line:)`` exchanges two
  /// axes as `swapaxes` and `swapdims` do.
  public func movedAxis(
    _ axis: Int, to place: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    movedAxes([axis], to: [place], file: file, line: line)
  }

  /// Axes at other places, the rest in their order. A view.
  /// PyTorch: `torch.movedim(x, source, destination)`.
  public func movedAxes(
    _ axes: [Int], to places: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "movedAxes(_:to:)"
      guard axes.count == places.count else {
        throw TensorError(call, "\(axes.count) axes for \(places.count) places")
      }
      var order = [Int](repeating: -1, count: rank)
      var moved: [Int] = []
      for (axis, place) in zip(axes, places) {
        let from = try Shape.axis(axis, of: shape, call: call)
        let to = try Shape.axis(place, of: shape, call: call)
        if rank == 0 { continue }
        guard !moved.contains(from), order[to] == -1 else {
          throw TensorError(call, "an axis appears twice in \(axes) or in \(places)")
        }
        moved.append(from)
        order[to] = from
      }
      var rest = shape.indices.filter { !moved.contains($0) }.makeIterator()
      for place in order.indices where order[place] == -1 { order[place] = rest.next() ?? place }
      return permuted(order)
    }
  }

  /// An axis as several axes of these sizes, one of which may be -1 and is computed.
  ///
  /// A view. PyTorch: `torch.unflatten(x, dim, sizes)`.
  public func unflattened(
    _ axis: Int, into sizes: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if isPoisoned { return self }
      let call = "unflattened(_:into:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      guard rank > 0, !sizes.isEmpty else {
        throw TensorError(call, "sizes \(sizes) do not unflatten axis \(axis) of shape \(shape)")
      }
      let parts = try Shape.reshape([shape[front]], to: sizes, call: call)
      return reshaped(Array(shape[..<front]) + parts + Array(shape[(front + 1)...]))
    }
  }

  /// With an axis of size 1 where there is none. A view. PyTorch: `torch.atleast_1d`.
  public func atLeast1D() -> Tensor { rank == 0 ? unsqueezed(0) : self }

  /// With axes of size 1 in front of fewer than two. A view. PyTorch: `torch.atleast_2d`.
  public func atLeast2D() -> Tensor { rank < 2 ? atLeast1D().unsqueezed(0) : self }

  /// With axes of size 1 around fewer than three: `[n]` becomes `[1, n, 1]`, `[m, n]` `[m, n, 1]`.
  ///
  /// A view. PyTorch: `torch.atleast_3d`.
  public func atLeast3D() -> Tensor { rank < 3 ? atLeast2D().unsqueezed(-1) : self }

  /// Tensors stretched to the shape in which they all meet. Views. PyTorch: `torch.broadcast_tensors`.
  public static func broadcastTogether(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    do throws(TensorError) {
      var shape: [Int] = []
      for tensor in tensors where !tensor.isPoisoned {
        shape = try Shape.broadcast(shape, tensor.shape, call: "broadcastTogether(_:)")
      }
      return tensors.map { $0.broadcast(to: shape) }
    } catch {
      report(error, file: file, line: line)
      return tensors.map { _ in .poisoned }
    }
  }
}
