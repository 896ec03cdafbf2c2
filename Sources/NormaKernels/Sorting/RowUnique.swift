import CNormaLoops
import NormaValues

/// Different elements, and different slices.
package enum RowUnique {
  /// Leaves the different ones of sorted elements that stood at `places` in `sorted`, with the number
  /// of the own one for each place and how often each is there. Returns how many there are.
  package static func run(
    _ dtype: DType, _ count: Int, sorted: UnsafeMutableRawPointer, places: UnsafePointer<Int64>,
    inverse: UnsafeMutablePointer<Int64>, counts: UnsafeMutablePointer<Int64>
  ) -> Int {
    let count = Int64(count)
    return switch dtype {
    case .float32: Int(norma_runs_f32(count, sorted.bound(), places, inverse, counts))
    case .float64: Int(norma_runs_f64(count, sorted.bound(), places, inverse, counts))
    case .int64: Int(norma_runs_i64(count, sorted.bound(), places, inverse, counts))
    case .int32: Int(norma_runs_i32(count, sorted.bound(), places, inverse, counts))
    case .uint8, .bool: Int(norma_runs_u8(count, sorted.bound(), places, inverse, counts))
    default: fatalError("\(dtype) is sorted as \(dtype.kernelType)")
    }
  }

  /// The different ones of `count` slices of `width` elements in lexicographic order: the number of
  /// the first of each, the number of the own one for each slice, and how often each is there.
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

  /// Sorts with `inverse` as spare memory, and then writes it.
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
