import CNormaLoops
import NormaValues

/// The first indices of known values along one axis of dense `[outer, size, inner]`.
package struct FirstIndices: Sendable {
  private let outer: Int, size: Int, inner: Int, threads: Int

  /// Long single rows are searched in pieces of this many elements.
  private static let piece = 1 << 16

  /// A search in `outer` blocks of `size` rows of `inner` elements; `size` is not 0.
  package init(outer: Int, size: Int, inner: Int, threads: Int) {
    (self.outer, self.size, self.inner, self.threads) = (outer, size, inner, threads)
  }

  /// For each chain, the first index of an element that equals its value, or of a NaN.
  package func run(
    _ dtype: DType, in input: UnsafeRawPointer, values: UnsafeRawPointer,
    into indices: UnsafeMutablePointer<Int64>
  ) {
    let chains = outer * inner
    guard chains < threads, inner == 1, size > FirstIndices.piece else {
      inParallel(chains, work: chains * size, threads: threads) { begin, end in
        search(dtype, input, values, 0, size, indices, begin, end)
      }
      return
    }
    let pieces = (size + FirstIndices.piece - 1) / FirstIndices.piece
    var found = [Int64](repeating: Int64(size), count: pieces)
    for chain in 0..<chains {
      let row = input + chain * size * dtype.byteCount
      let value = values + chain * dtype.byteCount
      found.withUnsafeMutableBufferPointer { found in
        guard let found = found.baseAddress else { return }
        // Each piece writes its own result.
        nonisolated(unsafe) let own = found
        inParallel(pieces, work: size, threads: threads) { begin, end in
          for piece in Int(begin)..<Int(end) {
            let from = piece * FirstIndices.piece
            let to = min(from + FirstIndices.piece, size)
            search(dtype, row, value, from, to, own + piece, 0, 1)
            if own[piece] < Int64(size) { break }
          }
        }
      }
      indices[chain] = found.first { $0 < Int64(size) } ?? Int64(size - 1)
      for piece in found.indices { found[piece] = Int64(size) }
    }
  }

  private func search(
    _ dtype: DType, _ input: UnsafeRawPointer, _ values: UnsafeRawPointer, _ from: Int, _ to: Int,
    _ indices: UnsafeMutablePointer<Int64>, _ begin: Int64, _ end: Int64
  ) {
    norma_first_indices(
      dtype.loops, Int64(size), Int64(inner), Int64(from), Int64(to), input, values, indices, begin,
      end)
  }
}
