extension ReferenceTensor {
  /// The matrix product over the last two axes, the axes before them broadcast.
  ///
  /// A vector on the left is a row, a vector on the right a column; its axis is dropped.
  package func matmul(_ other: ReferenceTensor) -> ReferenceTensor {
    if rank == 1 {
      let row = reshaped([1] + shape).matmul(other)
      let axis = other.rank == 1 ? 0 : row.rank - 2
      return row.reshaped(row.shape.enumerated().filter { $0.offset != axis }.map(\.element))
    }
    if other.rank == 1 {
      let column = matmul(other.reshaped(other.shape + [1]))
      return column.reshaped(Array(column.shape.dropLast()))
    }
    let inner = shape[rank - 1]
    demand(inner == other.shape[other.rank - 2], "\(shape) times \(other.shape)")
    let batch = broadcastShape(Array(shape.dropLast(2)), Array(other.shape.dropLast(2)))
    let a = broadcast(to: batch + shape.suffix(2))
    let b = other.broadcast(to: batch + other.shape.suffix(2))
    let result = batch + [shape[rank - 2], other.shape[other.rank - 1]]
    return ReferenceTensor(shape: result) { index in
      let batch = Array(index.dropLast(2))
      let (row, column) = (index[index.count - 2], index[index.count - 1])
      return compensatedSum((0..<inner).map { a[batch + [row, $0]] * b[batch + [$0, column]] })
    }
  }
}
