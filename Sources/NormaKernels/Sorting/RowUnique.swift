import CNormaLoops
import NormaValues

/// Distinct elements, and distinct slices.
package enum RowUnique {
  /// Moves the distinct elements of `sorted` to its front and returns their number. Writes how
  /// often each occurs, and to `inverse`, for every element in its original order (`indices` are
  /// the original indices of the sorted elements), the index of its value among the distinct ones.
  package static func run(
    _ dtype: DType, _ count: Int, sorted: UnsafeMutableRawPointer, indices: UnsafePointer<Int64>,
    inverse: UnsafeMutablePointer<Int64>, counts: UnsafeMutablePointer<Int64>
  ) -> Int {
    Int(norma_runs(dtype.loops, Int64(count), sorted, indices, inverse, counts))
  }

  /// The distinct slices of `count` slices of `width` elements, in lexicographic order: the index
  /// of the first occurrence of each; for each slice, the index of its value among them; and the
  /// counts.
  package static func slices(
    _ dtype: DType, _ count: Int, width: Int, _ x: UnsafeRawPointer
  ) -> (firsts: [Int64], inverse: [Int64], counts: [Int64]) {
    var order = [Int64](repeating: 0, count: count)
    var (inverse, counts) = (order, order)
    var found = 0
    order.withUnsafeMutableBufferPointer { order in
      inverse.withUnsafeMutableBufferPointer { inverse in
        counts.withUnsafeMutableBufferPointer { counts in
          guard let order = order.baseAddress, let inverse = inverse.baseAddress,
            let counts = counts.baseAddress
          else { return }
          // `inverse` is scratch memory at first.
          let (n, width) = (Int64(count), Int64(width))
          norma_order_slices(dtype.loops, n, width, x, order, inverse)
          found = Int(norma_slice_runs(dtype.loops, n, width, x, order, inverse, counts))
        }
      }
    }
    return (Array(order.prefix(found)), inverse, Array(counts.prefix(found)))
  }
}
