import CNormaLoops
import NormaValues

/// Cumulative results along one axis of dense `[outer, size, inner]`.
///
/// A value that is independent of any layout. Sums, products and logarithms of real numbers are
/// carried in `Double` and rounded once each; integers wrap.
package struct Scan: Sendable, Hashable {
  /// What is carried from one element to the next.
  package enum Kind: Sendable {
    case sum, product, logSumExp
    /// `y[i] = x[i] + factor[i] * y[i - 1]`.
    case linear

    fileprivate var number: Int32 {
      switch self {
      case .sum: Int32(NORMA_SCAN_SUM.rawValue)
      case .product: Int32(NORMA_SCAN_PRODUCT.rawValue)
      case .logSumExp: Int32(NORMA_SCAN_LOG_SUM_EXP.rawValue)
      case .linear: Int32(NORMA_SCAN_LINEAR.rawValue)
      }
    }
  }

  private let outer: Int, size: Int, inner: Int
  private let backwards: Bool
  private let threads: Int

  /// A scan of `outer` blocks of `size` rows of `inner` elements.
  package init(outer: Int, size: Int, inner: Int, backwards: Bool = false, threads: Int) {
    (self.outer, self.size, self.inner) = (outer, size, inner)
    (self.backwards, self.threads) = (backwards, threads)
  }

  /// Scans `float32`, `float64` or `int64`.
  package func run(
    _ kind: Kind, _ dtype: DType, from input: UnsafeRawPointer, factor: UnsafeRawPointer? = nil,
    into output: UnsafeMutableRawPointer
  ) {
    units(kind.number) { scan, begin, end in
      norma_run_scan(dtype.loops, scan, input, factor, output, begin, end)
    }
  }

  /// The largest or smallest elements so far, and the index of the last of them along the axis.
  package func runExtreme(
    largest: Bool, _ dtype: DType, from input: UnsafeRawPointer,
    into output: UnsafeMutableRawPointer, indices: UnsafeMutablePointer<Int64>
  ) {
    units(0) { scan, begin, end in
      norma_scan_extreme(
        dtype.loops, scan, largest ? 1 : 0, input, output, indices, begin, end)
    }
  }

  private func units(
    _ kind: Int32, _ body: (UnsafePointer<norma_scan>, Int64, Int64) -> Void
  ) {
    let scan = norma_scan(
      kind: kind, backwards: backwards ? 1 : 0, size: Int64(size), inner: Int64(inner))
    withUnsafePointer(to: scan) { scan in
      let count = Int(norma_scan_units(scan, Int64(outer)))
      guard count > 0, size > 0 else { return }
      inParallel(count, work: outer * size * inner, threads: threads) { body(scan, $0, $1) }
    }
  }
}
