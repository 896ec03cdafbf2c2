// Axes in another order, and axes split or added: views.

extension Tensor {
  /// An axis moved to another position, the others in their order: `x.movedAxis(1, to: -1)` puts
  /// channels last.
  ///
  /// A view. PyTorch: `torch.movedim`, `torch.moveaxis`; ``transposed(_:_:file:line:)`` swaps two
  /// axes as `swapaxes` and `swapdims` do.
  public func movedAxis(
    _ axis: Int, to destination: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    movedAxes([axis], to: [destination], file: file, line: line)
  }

  /// Axes moved to other positions, the rest in their order. A view.
  /// PyTorch: `torch.movedim(x, source, destination)`.
  public func movedAxes(
    _ axes: [Int], to destinations: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "movedAxes(_:to:)"
      guard axes.count == destinations.count else {
        throw TensorError(call, "\(axes.count) axes for \(destinations.count) positions")
      }
      var order = [Int](repeating: -1, count: rank)
      var moved: [Int] = []
      for (axis, destination) in zip(axes, destinations) {
        let from = try Shape.axis(axis, of: shape, call: call)
        let to = try Shape.axis(destination, of: shape, call: call)
        if rank == 0 { continue }
        guard !moved.contains(from), order[to] == -1 else {
          throw TensorError(call, "an axis appears twice in \(axes) or in \(destinations)")
        }
        moved.append(from)
        order[to] = from
      }
      var rest = shape.indices.filter { !moved.contains($0) }.makeIterator()
      for destination in order.indices where order[destination] == -1 {
        order[destination] = rest.next() ?? destination
      }
      return permuted(order)
    }
  }

  /// An axis split into several axes of these sizes, one of which may be -1 and is computed.
  ///
  /// A view. PyTorch: `torch.unflatten(x, dim, sizes)`.
  public func unflattened(
    _ axis: Int, into sizes: [Int], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let call = "unflattened(_:into:)"
      let front = try Shape.axis(axis, of: shape, call: call)
      guard rank > 0, !sizes.isEmpty else {
        throw TensorError(call, "sizes \(sizes) do not unflatten axis \(axis) of shape \(shape)")
      }
      let parts = try Shape.reshape([shape[front]], to: sizes, call: call)
      return reshaped(Array(shape[..<front]) + parts + Array(shape[(front + 1)...]))
    }
  }

  /// A scalar gets an axis of size 1. A view. PyTorch: `torch.atleast_1d`.
  public func atLeast1D() -> Tensor { rank == 0 ? unsqueezed(0) : self }

  /// Axes of size 1 are added in front up to two axes. A view. PyTorch: `torch.atleast_2d`.
  public func atLeast2D() -> Tensor { rank < 2 ? atLeast1D().unsqueezed(0) : self }

  /// Axes of size 1 are added up to three axes: `[n]` becomes `[1, n, 1]`, `[m, n]` `[m, n, 1]`.
  ///
  /// A view. PyTorch: `torch.atleast_3d`.
  public func atLeast3D() -> Tensor { rank < 3 ? atLeast2D().unsqueezed(-1) : self }

  /// Tensors broadcast to their common shape. Views.
  /// PyTorch: `torch.broadcast_tensors`.
  public static func broadcastTogether(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> [Tensor] {
    let call = "broadcastTogether(_:)"
    return checked(
      file: file, line: line, call: call, else: tensors.map { _ in .poisoned }
    ) { () throws(TensorError) in
      var shape: [Int] = []
      for tensor in tensors where !tensor.isPoisoned {
        shape = try Shape.broadcast(shape, tensor.shape, call: call)
      }
      return tensors.map { $0.broadcast(to: shape) }
    }
  }
}
