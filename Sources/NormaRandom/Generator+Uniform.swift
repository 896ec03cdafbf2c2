import CNormaLoops
import NormaValues

extension Generator {
  /// Fills `out` with numbers in `low ..< high`.
  ///
  ///     x = bits * 2^-24 (float64: 2^-53);  y = fma(x, high - low, low);  y == high -> low
  ///
  /// `dtype` is a real type. The 16-bit types are computed in Float and rounded last. Cost: one
  /// word of the stream per value, two for `float64`. PyTorch: `uniform_(low, high)`.
  package mutating func uniform(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, low: Double = 0, high: Double = 1
  ) {
    let loops = Self.loops
    let isUnit = low == 0 && high == 1
    switch dtype {
    case .float32:
      let values = out.assumingMemoryBound(to: Float.self)
      draw(count, wordsEach: 1) { words, range in
        let part = values + range.lowerBound
        loops.pointee.unit32(words, part, range.count)
        if !isUnit { loops.pointee.scale32(part, range.count, Float(low), Float(high)) }
      }
    case .float64:
      let values = out.assumingMemoryBound(to: Double.self)
      draw(count, wordsEach: 2) { words, range in
        let part = values + range.lowerBound
        loops.pointee.unit64(words, part, range.count)
        if !isUnit { loops.pointee.scale64(part, range.count, low, high) }
      }
    case .float16, .bfloat16:
      let values = out.assumingMemoryBound(to: UInt16.self)
      var ends: [UInt16] = [0, 0]
      Self.store([Float(low), Float(high)], &ends, 0..<2, dtype)
      drawUnits32(count) { piece, range in
        if !isUnit { loops.pointee.scale32(piece, range.count, Float(low), Float(high)) }
        Self.store(piece, out, range, dtype)
        norma_random_replace16(values + range.lowerBound, range.count, ends[1], ends[0])
      }
    default:
      unsupported("uniform", dtype)
    }
  }
}

/// Ends the process: callers check element types first.
func unsupported(_ operation: String, _ dtype: DType) -> Never {
  fatalError("\(operation): no random numbers of type \(dtype)")
}
