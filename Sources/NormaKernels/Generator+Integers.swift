import CNormaLoops

extension Generator {
  /// Fills `out` with integers in `low ..< high`, as elements of any type.
  ///
  ///     low + bits % (high - low)
  ///
  /// with 32 bits, or 64 where the range is 2^28 or more. `high` must be above `low`.
  /// Cost: one word of the stream a value, or two. PyTorch: `random_(low, high)`, `randint`.
  package mutating func integers(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, low: Int64, high: Int64
  ) {
    let range = UInt64(bitPattern: high &- low)
    integers(out, count, dtype, low: low, range: range, isWide: range >= 1 << 28)
  }

  /// Fills `out` with integers from `low` to the greatest Int64.
  ///
  /// PyTorch: `random_(low, None)`.
  package mutating func integers(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, from low: Int64
  ) {
    // From the least Int64 on the range is 2^64, which the loop knows as 0, and all bits are taken
    // as they come.
    let range = UInt64(bitPattern: Int64.max &- low) &+ 1
    let isFull = range == 0
    integers(
      out, count, dtype, low: isFull ? 0 : low, range: range, isWide: isFull || range >= 1 << 28)
  }

  /// Fills `out` with integers from zero to the greatest of an integer type, or to the power of
  /// two up to which a real type holds all integers.
  ///
  /// PyTorch: `random_()`.
  package mutating func integers(_ out: UnsafeMutableRawPointer, count: Int, dtype: DType) {
    let range: UInt64 =
      switch dtype {
      case .bool: 2
      case .uint8: 1 << 8
      case .int32: 1 << 31
      case .int64: 1 << 63
      case .float16: 1 << 11 + 1
      case .bfloat16: 1 << 8 + 1
      case .float32: 1 << 24 + 1
      case .float64: 1 << 53 + 1
      }
    integers(out, count, dtype, low: 0, range: range, isWide: dtype.byteCount == 8)
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
