import CNormaLoops
import NormaValues

extension Generator {
  /// Fills `out` with integers in `low ..< high`, as elements of any type.
  ///
  ///     low + bits % (high - low)
  ///
  /// with 32 bits, or 64 where the range is 2^28 or more. `high` must be above `low`.
  /// Cost: one or two words of the stream per value. PyTorch: `random_(low, high)`, `randint`.
  package mutating func integers(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, low: Int64, high: Int64
  ) {
    let range = UInt64(bitPattern: high &- low)
    integers(out, count, dtype, low: low, range: range, isWide: range >= 1 << 28)
  }

  /// Fills `out` with integers from a range of `width` values that starts at `low`, as 64 bits that
  /// wrap; a width of 0 means 2^64, for which the random bits are used as they are.
  package mutating func integers(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, low: Int64, width: UInt64
  ) {
    integers(
      out, count, dtype, low: width == 0 ? 0 : low, range: width,
      isWide: width == 0 || width >= 1 << 28)
  }

  /// Fills `out` with integers from `low` to the greatest Int64.
  ///
  /// PyTorch: `random_(low, None)`.
  package mutating func integers(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, from low: Int64
  ) {
    integers(
      out, count: count, dtype: dtype, low: low,
      width: UInt64(bitPattern: Int64.max &- low) &+ 1)
  }

  /// Fills `out` with integers from zero to the greatest of an integer type, or to the power of two
  /// up to which a real type holds all integers.
  ///
  /// PyTorch: `random_()`.
  package mutating func integers(_ out: UnsafeMutableRawPointer, count: Int, dtype: DType) {
    let range: UInt64 =
      switch dtype {
      case .bool: 2
      case .uint8: 1 << 8
      case .int8: 1 << 7
      case .int16: 1 << 15
      case .uint16: 1 << 16
      case .int32: 1 << 31
      case .uint32: 1 << 32
      // All bits are used as they are.
      case .uint64: 0
      case .int64: 1 << 63
      case .float16: 1 << 11 + 1
      case .bfloat16: 1 << 8 + 1
      case .float32: 1 << 24 + 1
      case .float64: 1 << 53 + 1
      }
    let isWide = dtype.byteCount == 8 || range > UInt64(UInt32.max)
    integers(out, count, dtype, low: 0, range: range, isWide: isWide)
  }

  private mutating func integers(
    _ out: UnsafeMutableRawPointer, _ count: Int, _ dtype: DType,
    low: Int64, range modulus: UInt64, isWide: Bool
  ) {
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: Self.pieceSize) { buffer in
      guard let values = buffer.baseAddress else { return }
      drawTempered(count, wordsEach: isWide ? 2 : 1) { tempered, range in
        if isWide {
          norma_random_integers64(tempered, values, range.count, modulus, low)
        } else {
          norma_random_integers32(tempered, values, range.count, UInt32(modulus), low)
        }
        Self.store(values, out, range, dtype)
      }
    }
  }
}
