import CNormaLoops
import NormaValues
import Synchronization

/// Integers that can be counted in a table, because their range is small.
package struct NumberCounts {
  private let dtype: DType, count: Int, x: UnsafeRawPointer, threads: Int

  /// `count` integers or Booleans, which must outlive this value.
  package init(_ dtype: DType, _ count: Int, _ x: UnsafeRawPointer, threads: Int) {
    (self.dtype, self.count, self.x, self.threads) = (dtype, count, x, threads)
  }

  /// The smallest and the largest number, of at least one.
  package var range: ClosedRange<Int> {
    let low = Atomic(Int64.max)
    let high = Atomic(Int64.min)
    inParallel(count, work: count / 4, threads: threads) { begin, end in
      let start = x + Int(begin) * dtype.byteCount
      var (least, most) = (Int64(0), Int64(0))
      norma_range(dtype.loops, end - begin, start, &least, &most)
      low.min(least, ordering: .relaxed)
      high.max(most, ordering: .relaxed)
    }
    return Int(low.load(ordering: .relaxed))...Int(high.load(ordering: .relaxed))
  }

  /// Adds the number of occurrences of each number to its table entry; the first entry is for
  /// `low`.
  package func add(from low: Int, to counts: UnsafeMutablePointer<Int64>) {
    norma_count(dtype.loops, Int64(count), x, Int64(low), counts)
  }

  /// The number of distinct numbers in such a table.
  package static func different(_ table: UnsafeMutableBufferPointer<Int64>) -> Int {
    table.baseAddress.map { Int(norma_count_counted(Int64(table.count), $0)) } ?? 0
  }

  /// Lists the numbers in such a table, in ascending order, and their counts. Each entry of the
  /// table is then replaced by the index of its number in that list.
  package func list(
    _ table: UnsafeMutableBufferPointer<Int64>, from low: Int,
    into values: UnsafeMutableRawPointer, counts: UnsafeMutablePointer<Int64>
  ) {
    guard let base = table.baseAddress else { return }
    norma_list_counted(dtype.loops, Int64(table.count), Int64(low), base, values, counts)
  }

  /// Reads the table entry of each number.
  package func lookUp(
    in table: UnsafePointer<Int64>, from low: Int, into out: UnsafeMutablePointer<Int64>
  ) {
    let low = Int64(low)
    inParallel(count, work: count, threads: threads) { begin, end in
      norma_look_up(dtype.loops, table, low, x, out, begin, end)
    }
  }

  /// Adds the weight of each `int64` number to its table entry.
  package func add(_ weights: UnsafePointer<Double>, to sums: UnsafeMutablePointer<Double>) {
    norma_add_weights(Int64(count), x.bound(), weights, sums)
  }
}
