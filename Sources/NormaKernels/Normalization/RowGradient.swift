import CNormaLoops

/// The gradients of a normalization of rows whose weight varies along them, in one pass over
/// memory.
///
/// Rows are added to the sums of weight and bias in chunks, whose number depends only on the shape,
/// and chunks in order: the bits do not depend on the number of threads.
package struct RowGradient {
  /// The number of rows, and of values in each.
  package let rows: Int, columns: Int

  /// Longer rows would need more memory for the sums of their chunks than they occupy themselves.
  package static let mostColumns = 1 << 16

  package init(rows: Int, columns: Int) { (self.rows, self.columns) = (rows, columns) }

  /// The number of parts of the rows with sums of their own: enough for many threads, in at most 8
  /// MiB.
  package var chunks: Int { max(min(64, rows / 8, (1 << 19) / max(columns, 1)), 1) }

  /// Bytes for the sums of weight and bias of all chunks, which `run` needs.
  package var sumBytes: Int { 2 * chunks * columns * 8 }

  /// The dense operands: values and upstream gradients, one row of weights, and mean and variance
  /// of each row.
  package struct Operands {
    let x: UnsafeRawPointer, upstream: UnsafeRawPointer, weight: UnsafeRawPointer
    let mean: UnsafeRawPointer, variance: UnsafeRawPointer
    let epsilon: Double

    package init(
      x: UnsafeRawPointer, upstream: UnsafeRawPointer, weight: UnsafeRawPointer,
      mean: UnsafeRawPointer, variance: UnsafeRawPointer, epsilon: Double
    ) {
      (self.x, self.upstream, self.weight) = (x, upstream, weight)
      (self.mean, self.variance, self.epsilon) = (mean, variance, epsilon)
    }
  }

  /// Writes the gradient of the values, unless that is nil, and those of weight and bias, one row
  /// each. `sums` has `sumBytes` bytes. `ownMeans` says whether the means are those of the values,
  /// rather than given.
  package func run(
    _ operands: Operands, gradient: UnsafeMutableRawPointer?,
    weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
    sums: UnsafeMutableRawPointer, ownMeans: Bool, threads: Int
  ) {
    var form = norma_row_gradient(
      columns: Int64(columns), x: operands.x.assumingMemoryBound(to: Float.self),
      upstream: operands.upstream.assumingMemoryBound(to: Float.self),
      weight: operands.weight.assumingMemoryBound(to: Float.self),
      mean: operands.mean.assumingMemoryBound(to: Double.self),
      variance: operands.variance.assumingMemoryBound(to: Double.self), eps: operands.epsilon,
      gradient: gradient?.assumingMemoryBound(to: Float.self), mean_share: ownMeans ? 1 : 0)
    sums.initializeMemory(as: UInt8.self, repeating: 0, count: sumBytes)
    let weightSums = sums.assumingMemoryBound(to: Double.self)
    let biasSums = weightSums + chunks * columns
    inParallel(chunks, work: rows * columns, threads: threads) { begin, end in
      for chunk in Int(begin)..<Int(end) {
        norma_row_gradient_f32(
          &form, Int64(rows * chunk / chunks), Int64(rows * (chunk + 1) / chunks),
          weightSums + chunk * columns, biasSums + chunk * columns)
      }
    }
    norma_add_rows(weightSums, Int64(chunks), Int64(columns), weight)
    norma_add_rows(biasSums, Int64(chunks), Int64(columns), bias)
  }
}
