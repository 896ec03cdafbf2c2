// NumPy's names for joining along certain axes.

extension Tensor {
  /// Joins horizontally: along axis 1, vectors along axis 0. PyTorch: `torch.hstack`.
  public static func hstacked(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    let all = tensors.map { $0.atLeast1D() }
    return concatenated(all, over: all.first?.rank == 1 ? 0 : 1, file: file, line: line)
  }

  /// Joins vertically: along axis 0, vectors as rows. PyTorch: `torch.vstack`.
  public static func vstacked(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    concatenated(tensors.map { $0.atLeast2D() }, over: 0, file: file, line: line)
  }

  /// Joins along axis 2, which is added if missing. PyTorch: `torch.dstack`.
  public static func dstacked(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    concatenated(tensors.map { $0.atLeast3D() }, over: 2, file: file, line: line)
  }

  /// Vectors as the columns of a matrix, matrices joined horizontally. PyTorch:
  /// `torch.column_stack`.
  public static func columnStacked(
    _ tensors: [Tensor], file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    hstacked(
      tensors.map { $0.rank < 2 ? $0.reshaped($0.count, 1) : $0 }, file: file, line: line)
  }
}
