import CNormaLoops

/// Softmax over rows of adjacent `float32` values, in one trip over memory: the bits of a largest
/// element, a sum and a quotient taken one after the other.
package enum RowSoftmax {
  /// Longer rows do not stay in cache.
  package static let columns = 1...65536

  /// Writes the softmax of every row; past the caches if it is larger than they are.
  ///
  /// Where `causal` is not 0, row r takes its first r % causal + 1 values alone, and gives 0 for the others.
  package static func run(
    rows: Int, columns: Int, causal: Int, from x: UnsafeRawPointer,
    into result: UnsafeMutableRawPointer, isStreamed: Bool, threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    split(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_softmax(
        Int64(columns), from, Int64(causal), into, isStreamed ? 1 : 0, begin, end)
    }
  }

  /// Writes the gradient for what y is the softmax of: (upstream - Σ(y upstream)) y.
  package static func gradient(
    rows: Int, columns: Int, y: UnsafeRawPointer, upstream: UnsafeRawPointer,
    into result: UnsafeMutableRawPointer, isStreamed: Bool, threads: Int
  ) {
    let y = y.assumingMemoryBound(to: Float.self)
    let upstream = upstream.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    split(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_softmax_gradient(
        Int64(columns), y, upstream, into, isStreamed ? 1 : 0, begin, end)
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

  /// Writes x - log Σ eˣ of every row; past the caches if it is larger than they are.
  package static func log(
    rows: Int, columns: Int, from x: UnsafeRawPointer, into result: UnsafeMutableRawPointer,
    isStreamed: Bool, threads: Int
  ) {
    let from = x.assumingMemoryBound(to: Float.self)
    let into = result.assumingMemoryBound(to: Float.self)
    split(rows, work: rows * columns, threads: threads) { begin, end in
      norma_row_log_softmax(Int64(columns), from, into, isStreamed ? 1 : 0, begin, end)
    }
  }

  /// Rows, and one place in each; a negative place does not count.
  package struct Places {
    let rows: Int, columns: Int
    let x: UnsafePointer<Float>
    let places: UnsafePointer<Int64>
    /// The largest value of each row, and the sum of the powers of the distances from it.
    let highest: UnsafeMutablePointer<Float>, sums: UnsafeMutablePointer<Double>

    package init(
      rows: Int, columns: Int, x: UnsafeRawPointer, places: UnsafeRawPointer,
      highest: UnsafeMutableRawPointer, sums: UnsafeMutableRawPointer
    ) {
      (self.rows, self.columns) = (rows, columns)
      self.x = x.assumingMemoryBound(to: Float.self)
      self.places = places.assumingMemoryBound(to: Int64.self)
      self.highest = highest.assumingMemoryBound(to: Float.self)
      self.sums = sums.assumingMemoryBound(to: Double.self)
    }

    /// Writes x - log Σ eˣ at the place of every row, and the numbers of the rows.
    package func log(into result: UnsafeMutableRawPointer, threads: Int) {
      let into = result.assumingMemoryBound(to: Float.self)
      let all = self
      split(rows, work: rows * columns, threads: threads) { begin, end in
        norma_row_log_softmax_at(
          Int64(all.columns), all.x, all.places, into, all.highest, all.sums, begin, end)
      }
    }

    /// Writes the gradient of that for x.
    package func gradient(
      _ upstream: UnsafeRawPointer, into result: UnsafeMutableRawPointer, isStreamed: Bool,
      threads: Int
    ) {
      let from = upstream.assumingMemoryBound(to: Float.self)
      let into = result.assumingMemoryBound(to: Float.self)
      let all = self
      split(rows, work: rows * columns, threads: threads) { begin, end in
        norma_row_log_softmax_at_gradient(
          Int64(all.columns), all.x, all.places, all.highest, all.sums, from, into,
          isStreamed ? 1 : 0, begin, end)
      }
    }
  }
}
