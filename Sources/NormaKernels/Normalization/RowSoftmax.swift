import CNormaLoops

/// Softmax over rows of adjacent `float32` values, in one pass over memory: with the same bits as a
/// maximum, a sum and a quotient computed one after the other.
package enum RowSoftmax {
  /// Longer rows do not stay in cache.
  package static let columns = 1...65536

  /// Writes the softmax of every row; bypasses the caches if the result is larger than they are.
  ///
  /// If `causal` is not 0, row r uses only its first r % causal + 1 values, and the others give 0.
  package static func run(
    rows: Int, columns: Int, causal: Int, from x: UnsafeRawPointer,
    into result: UnsafeMutableRawPointer, isStreamed: Bool, threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    inParallel(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_softmax(
        Int64(columns), from, Int64(causal), into, isStreamed ? 1 : 0, begin, end)
    }
  }

  /// Writes the gradient with respect to the operand of the softmax y: (upstream - Σ(y upstream))
  /// y.
  package static func gradient(
    rows: Int, columns: Int, y: UnsafeRawPointer, upstream: UnsafeRawPointer,
    into result: UnsafeMutableRawPointer, isStreamed: Bool, threads: Int
  ) {
    let y = y.assumingMemoryBound(to: Float.self)
    let upstream = upstream.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    inParallel(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_softmax_gradient(
        Int64(columns), y, upstream, into, isStreamed ? 1 : 0, begin, end)
    }
  }

  /// Writes log Σ eˣ of every row; -∞ for a row of -∞.
  package static func logSumExp(
    rows: Int, columns: Int, from x: UnsafeRawPointer, into result: UnsafeMutableRawPointer,
    threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    inParallel(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_log_sum_exp(Int64(columns), from, into, begin, end)
    }
  }

  /// Writes x - log Σ eˣ of every row; bypasses the caches if the result is larger than they are.
  package static func log(
    rows: Int, columns: Int, from x: UnsafeRawPointer, into result: UnsafeMutableRawPointer,
    isStreamed: Bool, threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    inParallel(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_log_softmax(Int64(columns), from, into, isStreamed ? 1 : 0, begin, end)
    }
  }

  /// Rows, and one index in each; rows with a negative index are skipped.
  package struct Indices {
    let rows: Int, columns: Int
    let x: UnsafePointer<Float>
    let indices: UnsafePointer<Int64>
    /// The largest value of each row, and the sum of the powers of the distances from it.
    let highest: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Double>

    package init(
      rows: Int, columns: Int, x: UnsafeRawPointer, indices: UnsafeRawPointer,
      highest: UnsafeMutableRawPointer, sums: UnsafeMutableRawPointer
    ) {
      (self.rows, self.columns) = (rows, columns)
      self.x = x.assumingMemoryBound(to: Float.self)
      self.indices = indices.assumingMemoryBound(to: Int64.self)
      self.highest = highest.assumingMemoryBound(to: Float.self)
      self.sums = sums.assumingMemoryBound(to: Double.self)
    }

    /// Writes x - log Σ eˣ at the index of every row, and `highest` and `sums`.
    package func log(into result: UnsafeMutableRawPointer, threads: Int) {
      let into = result.assumingMemoryBound(to: Float.self)
      let all = self
      inParallel(rows, work: rows * columns, threads: threads) { begin, end in
        norma_row_log_softmax_at(
          Int64(all.columns), all.x, all.indices, into, all.highest, all.sums, begin, end)
      }
    }

    /// Writes the gradient of that with respect to x.
    package func gradient(
      _ upstream: UnsafeRawPointer, into result: UnsafeMutableRawPointer, isStreamed: Bool,
      threads: Int
    ) {
      let from = upstream.assumingMemoryBound(to: Float.self)
      let into = result.assumingMemoryBound(to: Float.self)
      let all = self
      inParallel(rows, work: rows * columns, threads: threads) { begin, end in
        norma_row_log_softmax_at_gradient(
          Int64(all.columns), all.x, all.indices, all.highest, all.sums, from, into,
          isStreamed ? 1 : 0, begin, end)
      }
    }
  }
}
