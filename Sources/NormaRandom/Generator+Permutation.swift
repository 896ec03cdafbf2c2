import CNormaLoops
import NormaValues

extension Generator {
  /// From this length on a 32-bit word is too short to choose an index fairly.
  private static let longPermutation = Int(UInt32.max) / 20

  /// Fills `out` with the integers `0 ..< count` in random order.
  ///
  /// Fisher-Yates: element `i` is swapped with one of `i ..< count`. `dtype` must hold `count - 1`.
  /// Cost: one word of the stream per value.
  /// PyTorch: `randperm(count)`.
  package mutating func permutation(
    _ out: UnsafeMutableRawPointer, count: Int, dtype: DType = .int64
  ) {
    if dtype == .int64 {
      return permutation(
        out.assumingMemoryBound(to: Int64.self), count: count,
        isLong: count >= Self.longPermutation)
    }
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: max(count, 1)) { buffer in
      guard let values = buffer.baseAddress else { return }
      permutation(values, count: count, isLong: count >= Self.longPermutation)
      Self.store(values, out, 0..<count, dtype)
    }
  }

  /// The two ways to permute; the one for long permutations uses two words per value.
  package mutating func permutation(
    _ values: UnsafeMutablePointer<Int64>, count: Int, isLong: Bool
  ) {
    if isLong {
      return drawTempered(count, wordsEach: 2) { tempered, range in
        norma_random_grow(tempered, values, range.lowerBound, range.count)
      }
    }
    for index in 0..<count { values[index] = Int64(index) }
    drawTempered(count - 1, wordsEach: 1) { tempered, range in
      norma_random_shuffle(tempered, values, range.lowerBound, range.count, count)
    }
  }
}
