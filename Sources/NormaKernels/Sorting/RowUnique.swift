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
    let count = Int64(count)
    return switch dtype {
    case .float32: Int(norma_runs_f32(count, sorted.bound(), indices, inverse, counts))
    case .float64: Int(norma_runs_f64(count, sorted.bound(), indices, inverse, counts))
    case .int64: Int(norma_runs_i64(count, sorted.bound(), indices, inverse, counts))
    case .int32: Int(norma_runs_i32(count, sorted.bound(), indices, inverse, counts))
    case .uint8, .bool: Int(norma_runs_u8(count, sorted.bound(), indices, inverse, counts))
    default: fatalError("\(dtype) is sorted as \(dtype.kernelType)")
    }
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
          found = slices(dtype, count, width: width, x, order, inverse, counts)
        }
      }
    }
    return (Array(order.prefix(found)), inverse, Array(counts.prefix(found)))
  }

  /// Sorts, using `inverse` as scratch memory, and then writes it.
  private static func slices(
    _ dtype: DType, _ count: Int, width: Int, _ x: UnsafeRawPointer,
    _ order: UnsafeMutablePointer<Int64>, _ inverse: UnsafeMutablePointer<Int64>,
    _ counts: UnsafeMutablePointer<Int64>
  ) -> Int {
    let (n, width) = (Int64(count), Int64(width))
    switch dtype {
    case .float32:
      norma_order_slices_f32(n, width, x.bound(), order, inverse)
      return Int(norma_slice_runs_f32(n, width, x.bound(), order, inverse, counts))
    case .float64:
      norma_order_slices_f64(n, width, x.bound(), order, inverse)
      return Int(norma_slice_runs_f64(n, width, x.bound(), order, inverse, counts))
    case .int64:
      norma_order_slices_i64(n, width, x.bound(), order, inverse)
      return Int(norma_slice_runs_i64(n, width, x.bound(), order, inverse, counts))
    case .int32:
      norma_order_slices_i32(n, width, x.bound(), order, inverse)
      return Int(norma_slice_runs_i32(n, width, x.bound(), order, inverse, counts))
    case .uint8, .bool:
      norma_order_slices_u8(n, width, x.bound(), order, inverse)
      return Int(norma_slice_runs_u8(n, width, x.bound(), order, inverse, counts))
    default: fatalError("\(dtype) is sorted as \(dtype.kernelType)")
    }
  }
}
