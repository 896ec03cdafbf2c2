import CNormaLoops

/// Softmax over rows of adjacent `float32` values, in one trip over memory: the bits of a largest
/// element, a sum and a quotient taken one after the other.
package enum RowSoftmax {
  /// Longer rows do not stay in cache.
  package static let columns = 1...65536

  /// Writes the softmax of every row; past the caches if it is larger than they are.
  package static func run(
    rows: Int, columns: Int, from x: UnsafeRawPointer, into result: UnsafeMutableRawPointer,
    isStreamed: Bool, threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    split(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_softmax(Int64(columns), from, into, isStreamed ? 1 : 0, begin, end)
    }
  }

  /// Writes log Σ eˣ of every row; -∞ of a row of -∞.
  package static func logSumExp(
    rows: Int, columns: Int, from x: UnsafeRawPointer, into result: UnsafeMutableRawPointer,
    threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    split(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_log_sum_exp(Int64(columns), from, into, begin, end)
    }
  }
}
