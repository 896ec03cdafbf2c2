import CNormaLoops
import NormaValues

/// Searches values in sorted rows, and counts values in bins.
package enum RowSearch {
  /// For each value, the index of the first element that is not less than it; with `right`, of the
  /// first that is greater.
  package static func run(
    _ dtype: DType, values count: Int, perRow: Int, size: Int, isShared: Bool, right: Bool,
    in sorted: UnsafeRawPointer, sorter: UnsafePointer<Int64>?, of values: UnsafeRawPointer,
    into indices: UnsafeMutablePointer<Int64>, threads: Int
  ) {
    let search = norma_search(
      size: Int64(size), per_row: Int64(perRow), shared: isShared ? 1 : 0, right: right ? 1 : 0)
    withUnsafePointer(to: search) { search in
      inParallel(count, work: count * 8, threads: threads) { begin, end in
        norma_run_search(
          dtype.loops, search, sorted, sorter, values, indices, begin, end)
      }
    }
  }

  /// The number of `count` values, or their total weight, in each bin between `edges`.
  ///
  /// - Parameter isExact: whether bins of equal width compare with their edges, or rely on a
  ///   division in the type of the values.
  package static func histogram(
    _ dtype: DType, count: Int, _ x: UnsafeRawPointer, weights: UnsafePointer<Double>?,
    edges: [Double], isUniform: Bool, isExact: Bool, threads: Int
  ) -> [Double] {
    let bins = edges.count - 1
    // Counts may be added in any order, weights may not. Many bins are not worth sums for each
    // thread.
    let parts = weights == nil ? max(min(threads, count / max(1 << 16, bins)), 1) : 1
    var sums = [Double](repeating: 0, count: bins * parts)
    edges.withUnsafeBufferPointer { edges in
      sums.withUnsafeMutableBufferPointer { sums in
        guard let edges = edges.baseAddress, let base = sums.baseAddress else { return }
        let form = norma_bins(
          bins: Int64(bins), edges: edges, uniform: isUniform ? 1 : 0, exact: isExact ? 1 : 0)
        // Each part adds to its own sums.
        nonisolated(unsafe) let own = base
        withUnsafePointer(to: form) { form in
          inParallel(parts, work: parts > 1 ? count : 0, threads: threads) { begin, end in
            for part in Int(begin)..<Int(end) {
              let (from, to) = (count * part / parts, count * (part + 1) / parts)
              let start = x + from * dtype.byteCount
              norma_histogram(
                dtype.loops, form, Int64(to - from), start, weights, own + part * bins)
            }
          }
        }
      }
    }
    if parts == 1 { return sums }
    return (0..<bins).map { bin in
      (0..<parts).reduce(0) { $0 + sums[$1 * bins + bin] }
    }
  }
}
