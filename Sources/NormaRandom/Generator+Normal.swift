import CNormaLoops
import NormaValues

extension Generator {
  /// Fills `out` with normal numbers of the given mean and standard deviation.
  ///
  /// From 16 values on, groups of 16 numbers in `0 ..< 1` are turned into 8 pairs by the Box-Muller
  /// transform,
  ///
  ///     r = sqrt(-2 log(1 - u[j]));  t = 2 pi u[j + 8];  fma(r cos t, std, mean), the same of sin
  ///
  /// in the element type (Float for the 16-bit types); an incomplete last group is drawn again over
  /// the last 16 values. Fewer values, and tensors that are not contiguous, use pairs in Double,
  /// and the second of a pair is kept for the next such call. So the first values of 15 and of 16
  /// have nothing in common, as in PyTorch: `normal_(mean, std)`.
  package mutating func normal(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType, mean: Double = 0, std: Double = 1,
    isContiguous: Bool = true
  ) {
    guard dtype.isFloatingPoint else { unsupported("normal", dtype) }
    guard count >= 16, isContiguous else {
      return drawPairs(count) { piece, range in
        norma_random_affine(piece, range.count, std, mean)
        Self.store(piece, out, range, dtype)
      }
    }
    let last = count % 16 == 0 ? nil : out + (count - 16) * dtype.byteCount
    // The 16-bit types draw complete groups only.
    let drawn = dtype.byteCount == 2 ? count - count % 16 : count
    normalGroups(out, drawn, dtype, mean, std)
    if let last { normalGroups(last, 16, dtype, mean, std) }
  }

  /// Draws `count` numbers in `0 ..< 1` and makes the complete groups of 16 among them normal.
  private mutating func normalGroups(
    _ out: UnsafeMutableRawPointer, _ count: Int, _ dtype: DType, _ mean: Double, _ std: Double
  ) {
    let loops = Self.loops
    switch dtype {
    case .float32:
      let values = out.assumingMemoryBound(to: Float.self)
      draw(count, wordsEach: 1) { words, range in
        let part = values + range.lowerBound
        loops.pointee.unit32(words, part, range.count)
        loops.pointee.normal32(part, range.count / 16, Float(mean), Float(std))
      }
    case .float64:
      let values = out.assumingMemoryBound(to: Double.self)
      draw(count, wordsEach: 2) { words, range in
        let part = values + range.lowerBound
        loops.pointee.unit64(words, part, range.count)
        norma_random_normal64(part, range.count / 16, mean, std)
      }
    default:
      drawUnits32(count) { piece, range in
        loops.pointee.normal32(piece, range.count / 16, Float(mean), Float(std))
        Self.store(piece, out, range, dtype)
      }
    }
  }

  /// Draws standard normal numbers in Double, starting with the one that was kept, if any.
  mutating func drawPairs(
    _ count: Int, _ body: (UnsafeMutablePointer<Double>, Range<Int>) -> Void
  ) {
    guard count > 0 else { return }
    var first = 0
    if var kept = cachedNormal {
      cachedNormal = nil
      body(&kept, 0..<1)
      first = 1
    }
    let pairs = (count - first + 1) / 2
    var left: Double?
    drawUnits64(2 * pairs) { piece, range in
      norma_random_pairs(piece, range.count / 2)
      let part = first + range.lowerBound..<min(first + range.upperBound, count)
      if part.count < range.count { left = piece[part.count] }
      body(piece, part)
    }
    cachedNormal = left
  }
}
