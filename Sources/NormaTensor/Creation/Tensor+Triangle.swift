import NormaKernels
import NormaValues

// Identity matrices, and triangular parts of matrices.

extension Tensor {
  /// Matrices with ones on the diagonal and zeros elsewhere; square unless `columns` is given.
  /// PyTorch: `torch.eye`.
  public static func eye(
    _ rows: Int, _ columns: Int? = nil, dtype: DType = .float32, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let shape = [rows, columns ?? rows]
      _ = try Shape.count(shape, call: "eye(_:_:)")
      return zeros(shape, dtype: dtype).replacingDiagonal(with: Tensor(1))
    }
  }

  /// The lower triangle: matrices with zeros above a diagonal, which begins `diagonal` columns
  /// further right.
  ///
  /// Runs eagerly. Cost: one read and one write. PyTorch: `torch.tril`.
  public func tril(
    _ diagonal: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try triangle(diagonal, isUpper: false, "tril(_:)")
    }
  }

  /// The upper triangle: matrices with zeros below a diagonal, which begins `diagonal` columns
  /// further right.
  ///
  /// Runs eagerly. Cost: one read and one write. PyTorch: `torch.triu`.
  public func triu(
    _ diagonal: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try triangle(diagonal, isUpper: true, "triu(_:)")
    }
  }

  private func triangle(
    _ diagonal: Int, isUpper: Bool, _ call: String
  ) throws(TensorError) -> Tensor {
    if isPoisoned { return self }
    try demand(rank >= 2, call, "expected matrices, got shape \(shape)")
    let source = contiguous()
    let (rows, columns) = (shape[rank - 2], shape[rank - 1])
    // Diagonals further out make no difference.
    let diagonal = Swift.max(Swift.min(diagonal, columns), -rows)
    let triangle = Triangle(rows: rows, columns: columns, diagonal: diagonal, isUpper: isUpper)
    let matrices = shape.dropLast(2).reduce(1, *)
    let storage = source.node.materialize()
    if storage.isMissing { return .poisoned }
    let width = dtype.byteCount
    let result = withExtendedLifetime(storage) {
      Tensor(shape: shape, dtype: dtype) { bytes in
        guard let to = bytes.baseAddress else { return }
        ExecutionLog.add(.copy, "triangle", [source], into: shape, dtype)
        triangle.copy(
          matrices, width: width, from: storage.base + source.layout.offset * width, to: to,
          threads: TensorThreads.count)
      }
    }
    return result.recorded(call, from: [self], runsAtOnce: true) {
      [isUpper ? $0.upstream.triu(diagonal) : $0.upstream.tril(diagonal)]
    }
  }

  /// The rows and columns of the elements on and below a diagonal, in row-major order: `[2, n]`.
  ///
  /// Cost: two bytes for every element of the matrix in addition to the result.
  /// PyTorch: `torch.tril_indices`.
  public static func trilIndices(
    _ rows: Int, _ columns: Int, offset: Int = 0, dtype: DType = .int64,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    triangleIndices(rows, columns, dtype, "trilIndices(_:_:)", file, line) { $0.tril(offset) }
  }

  /// The rows and columns of the elements on and above a diagonal, in row-major order: `[2, n]`.
  ///
  /// Cost: two bytes for every element of the matrix in addition to the result.
  /// PyTorch: `torch.triu_indices`.
  public static func triuIndices(
    _ rows: Int, _ columns: Int, offset: Int = 0, dtype: DType = .int64,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    triangleIndices(rows, columns, dtype, "triuIndices(_:_:)", file, line) { $0.triu(offset) }
  }

  private static func triangleIndices(
    _ rows: Int, _ columns: Int, _ dtype: DType, _ call: String, _ file: StaticString,
    _ line: UInt, _ half: (Tensor) -> Tensor
  ) -> Tensor {
    checked(file: file, line: line, call: call) { () throws(TensorError) in
      let shape = [rows, columns]
      _ = try Shape.count(shape, call: call)
      try demand(dtype.isInteger, call, "indices are integers, got \(dtype)")
      let all = ones(shape, dtype: .bool)
      return half(all).nonzero().cast(to: dtype).transposed().contiguous()
    }
  }
}
