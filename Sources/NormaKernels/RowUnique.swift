import CNormaLoops

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
    case .float16, .bfloat16: fatalError("\(dtype) is sorted as float32")
    }
  }

  /// The numbers of `count` slices of `width` elements in lexicographic order.
  package static func order(
    _ dtype: DType, _ count: Int, width: Int, _ x: UnsafeRawPointer
  ) -> [Int64] {
    var order = [Int64](repeating: 0, count: count)
    var spare = order
    order.withUnsafeMutableBufferPointer { order in
      spare.withUnsafeMutableBufferPointer { spare in
        guard let order = order.baseAddress, let spare = spare.baseAddress else { return }
        let (count, width) = (Int64(count), Int64(width))
        switch dtype {
        case .float32: norma_order_slices_f32(count, width, x.bound(), order, spare)
        case .float64: norma_order_slices_f64(count, width, x.bound(), order, spare)
        case .int64: norma_order_slices_i64(count, width, x.bound(), order, spare)
        case .int32: norma_order_slices_i32(count, width, x.bound(), order, spare)
        case .uint8, .bool: norma_order_slices_u8(count, width, x.bound(), order, spare)
        case .float16, .bfloat16: fatalError("\(dtype) is sorted as float32")
        }
      }
    }
    return order
  }

  /// Whether two slices hold equal elements.
  package static func areEqual(
    _ dtype: DType, width: Int, _ a: UnsafeRawPointer, _ b: UnsafeRawPointer
  ) -> Bool {
    let width = Int64(width)
    return switch dtype {
    case .float32: norma_equal_slices_f32(width, a.bound(), b.bound()) != 0
    case .float64: norma_equal_slices_f64(width, a.bound(), b.bound()) != 0
    case .int64: norma_equal_slices_i64(width, a.bound(), b.bound()) != 0
    case .int32: norma_equal_slices_i32(width, a.bound(), b.bound()) != 0
    case .uint8, .bool: norma_equal_slices_u8(width, a.bound(), b.bound()) != 0
    case .float16, .bfloat16: fatalError("\(dtype) is sorted as float32")
    }
  }
}
