import CNormaLoops

/// The upper or lower triangle of consecutive matrices.
package struct Triangle: Sendable {
  package let rows: Int, columns: Int
  /// The number of columns by which the diagonal is shifted to the right.
  package let diagonal: Int
  /// Whether elements on and above the diagonal are kept, or those on and below it.
  package let isUpper: Bool

  package init(rows: Int, columns: Int, diagonal: Int, isUpper: Bool) {
    (self.rows, self.columns) = (rows, columns)
    // Diagonals further out make no difference.
    self.diagonal = min(max(diagonal, -rows - 1), columns + 1)
    self.isUpper = isUpper
  }

  /// Copies `matrices` matrices, with zeros in the other triangle.
  package func copy(
    _ matrices: Int, width: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    threads: Int
  ) {
    guard columns > 0, rows > 0 else { return }
    inParallel(matrices * rows, work: matrices * rows * columns, threads: threads) { begin, end in
      norma_triangle(
        Int32(width), Int64(rows), Int64(columns), Int64(diagonal), isUpper ? 1 : 0, source, target,
        begin, end)
    }
  }
}
