import CNormaLoops

/// Reductions of rows of adjacent values that fit a tile: the bits of a program, without one.
package struct RowReduction {
  /// Shorter rows are reduced side by side, longer ones in several tiles.
  package static let columns = 16...Int(NORMA_BLOCK)

  private var form: norma_row_reductions

  /// Rows of `columns` values of a block type, by its number in C.
  package init(columns: Int, type: Int32) {
    form = norma_row_reductions(
      columns: Int64(columns), type: type, sums: nil, products: nil, squares: nil, minimum: nil,
      maximum: nil)
  }

  /// Where the results go, one a row; nil for those that nobody wants.
  package mutating func into(
    sums: UnsafeMutableRawPointer?, squares: UnsafeMutableRawPointer?,
    products: UnsafeMutableRawPointer?, minimum: UnsafeMutableRawPointer?,
    maximum: UnsafeMutableRawPointer?
  ) {
    (form.sums, form.products) = (sums, products)
    form.squares = squares?.assumingMemoryBound(to: Double.self)
    (form.minimum, form.maximum) = (minimum, maximum)
  }

  /// Reduces `rows` rows.
  package func run(rows: Int, from values: UnsafeRawPointer, threads: Int) {
    withUnsafePointer(to: form) { form in
      split(rows, work: rows * Int(form.pointee.columns), threads: threads) { begin, end in
        norma_reduce_rows(form, values, begin, end)
      }
    }
  }
}
