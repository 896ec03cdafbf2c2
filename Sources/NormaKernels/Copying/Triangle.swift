import CNormaLoops

/// One half of matrices that lie one after the other.
package struct Triangle: Sendable {
  package let rows: Int, columns: Int
  /// How many columns further right than usual the diagonal begins.
  package let diagonal: Int
  /// What is kept: on and above the diagonal, or on and under it.
  package let isUpper: Bool

  package init(rows: Int, columns: Int, diagonal: Int, isUpper: Bool) {
    (self.rows, self.columns) = (rows, columns)
    // Further away there is nothing left to change.
    self.diagonal = min(max(diagonal, -rows - 1), columns + 1)
    self.isUpper = isUpper
  }

  /// Copies `matrices` of them, with zeros in the other half.
  package func copy(
    _ matrices: Int, width: Int, from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer,
    threads: Int
  ) {
    guard columns > 0, rows > 0 else { return }
    split(matrices * rows, work: matrices * rows * columns, threads: threads) { begin, end in
      norma_triangle(
        Int32(width), Int64(rows), Int64(columns), Int64(diagonal), isUpper ? 1 : 0, source, target,
        begin, end)
    }
  }
}
