extension Tensor {
  /// The axis of the grid along which the first tensor runs.
  public enum MeshIndexing: Sendable, Hashable {
    /// The first axis: rows, columns. PyTorch's default.
    case ij
    /// The second axis: x, y. NumPy's default.
    case xy
  }

  /// The coordinates of a grid: for each tensor of at most one axis, a tensor of the grid's shape.
  ///
  /// Views: nothing is copied. PyTorch: `torch.meshgrid(tensors, indexing=)`.
  public static func meshgrid(
    _ tensors: [Tensor], indexing: MeshIndexing = .ij, file: StaticString = #fileID,
    line: UInt = #line
  ) -> [Tensor] {
    let call = "meshgrid(_:indexing:)"
    return checked(
      file: file, line: line, call: call, else: tensors.map { _ in .poisoned }
    ) { () throws(TensorError) in
      if tensors.contains(where: \.isPoisoned) { return tensors.map { _ in .poisoned } }
      guard let first = tensors.first else { throw TensorError(call, "there are no tensors") }
      for tensor in tensors {
        guard tensor.rank <= 1, tensor.dtype == first.dtype else {
          throw TensorError(
            call,
            "expected tensors of one type and at most one axis, got \(tensor.dtype) "
              + "\(tensor.shape)")
        }
      }
      var axes = Array(tensors.indices)
      if indexing == .xy && axes.count > 1 { axes.swapAt(0, 1) }
      var shape = tensors.map { _ in 1 }
      for (tensor, axis) in zip(tensors, axes) { shape[axis] = tensor.count }
      _ = try Shape.count(shape, call: call)
      return zip(tensors, axes).map { tensor, axis in
        var column = tensors.map { _ in 1 }
        column[axis] = tensor.count
        return tensor.reshaped(column).broadcast(to: shape)
      }
    }
  }
}
