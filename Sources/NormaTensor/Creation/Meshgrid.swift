extension Tensor {
  /// Which axis of a grid the first tensor lies along.
  public enum MeshIndexing: Sendable, Hashable {
    /// The first one: rows, columns. PyTorch's default.
    case ij
    /// The second one: x, y. NumPy's default.
    case xy
  }
}

extension Tensor {
  /// The coordinates of a grid: one tensor of the grid's shape for each tensor of at most one axis.
  ///
  /// Views: nothing is copied. PyTorch: `torch.meshgrid(tensors, indexing=)`.
  public static func meshgrid(
    _ tensors: [Tensor], indexing: MeshIndexing = .ij, file: StaticString = #fileID,
    line: UInt = #line
  ) -> [Tensor] {
    do throws(TensorError) {
      let call = "meshgrid(_:indexing:)"
      if tensors.contains(where: \.isPoisoned) { return tensors.map { _ in .poisoned } }
      guard let first = tensors.first else { throw TensorError(call, "there are no tensors") }
      for tensor in tensors {
        guard tensor.rank <= 1, tensor.dtype == first.dtype else {
          throw TensorError(
            call,
            "tensors of one type and at most one axis are needed, got \(tensor.dtype) "
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
    } catch {
      report(error, file: file, line: line)
      return tensors.map { _ in .poisoned }
    }
  }
}
