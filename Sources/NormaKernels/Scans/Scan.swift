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
      switch dtype {
      case .float32:
        norma_scan_f32(
          scan, input.assumingMemoryBound(to: Float.self),
          factor?.assumingMemoryBound(to: Float.self),
          output.assumingMemoryBound(to: Float.self), begin, end)
      case .float64:
        norma_scan_f64(
          scan, input.assumingMemoryBound(to: Double.self),
          factor?.assumingMemoryBound(to: Double.self),
          output.assumingMemoryBound(to: Double.self), begin, end)
      case .int64:
        norma_scan_i64(
          scan, input.assumingMemoryBound(to: Int64.self), nil,
          output.assumingMemoryBound(to: Int64.self), begin, end)
      default: fatalError("there is no scan of \(dtype)")
      }
    }
  }

  /// The largest or smallest elements so far, and the index of the last of them along the axis.
  package func runExtreme(
    largest: Bool, _ dtype: DType, from input: UnsafeRawPointer,
    into output: UnsafeMutableRawPointer, indices: UnsafeMutablePointer<Int64>
  ) {
    let sign: Int32 = largest ? 1 : 0
    units(0) { scan, begin, end in
      switch dtype {
      case .float32:
        norma_scan_extreme_f32(
          scan, sign, input.assumingMemoryBound(to: Float.self),
          output.assumingMemoryBound(to: Float.self), indices, begin, end)
      case .float64:
        norma_scan_extreme_f64(
          scan, sign, input.assumingMemoryBound(to: Double.self),
          output.assumingMemoryBound(to: Double.self), indices, begin, end)
      case .int64:
        norma_scan_extreme_i64(
          scan, sign, input.assumingMemoryBound(to: Int64.self),
          output.assumingMemoryBound(to: Int64.self), indices, begin, end)
      case .int32:
        norma_scan_extreme_i32(
          scan, sign, input.assumingMemoryBound(to: Int32.self),
          output.assumingMemoryBound(to: Int32.self), indices, begin, end)
      case .uint8, .bool:
        norma_scan_extreme_u8(
          scan, sign, input.assumingMemoryBound(to: UInt8.self),
          output.assumingMemoryBound(to: UInt8.self), indices, begin, end)
      default: fatalError("there is no scan of \(dtype)")
      }
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
