import CNormaLoops
import NormaValues

/// Sorting within contiguous rows of `size` elements. A value that is independent of any layout;
/// half types and Booleans are converted to the type in which they are computed.
package struct RowSort: Sendable {
  private let rows: Int, size: Int, threads: Int

  /// Rows of 32-bit types have less than 2³² elements.
  package init(rows: Int, size: Int, threads: Int) {
    (self.rows, self.size, self.threads) = (rows, size, threads)
  }

  /// Runs `body` over parts of the rows, each with scratch memory: 16 bytes per element of a row,
  /// 32 for 64-bit types.
  private func parts(
    _ dtype: DType, _ body: (Int64, Int64, UnsafeMutableRawPointer) -> Void
  ) {
    guard rows > 0, size > 0 else { return }
    let byteCount = Int(norma_sort_scratch(Int64(dtype.byteCount), Int64(size)))
    inParallel(rows, work: rows * size * 4, threads: threads) { begin, end in
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
      defer { scratch.deallocate() }
      body(begin, end, scratch)
    }
  }

  /// The first `wanted` elements of each row in order, and their indices.
  package func run(
    _ dtype: DType, first wanted: Int, descending: Bool, from x: UnsafeRawPointer,
    into values: UnsafeMutableRawPointer, indices: UnsafeMutablePointer<Int64>
  ) {
    let order = norma_order(
      size: Int64(size), wanted: Int64(wanted), descending: descending ? 1 : 0)
    withUnsafePointer(to: order) { order in
      parts(dtype) { begin, end, scratch in
        norma_sort_rows(dtype.loops, order, x, values, indices, scratch, begin, end)
      }
    }
  }

  /// The most frequent element of each row, the smallest if there are several, and its last index.
  package func runMode(
    _ dtype: DType, from x: UnsafeRawPointer, into values: UnsafeMutableRawPointer,
    indices: UnsafeMutablePointer<Int64>
  ) {
    let size = Int64(size)
    parts(dtype) { begin, end, scratch in
      norma_mode_rows(dtype.loops, size, x, values, indices, scratch, begin, end)
    }
  }

  /// For each rank, the elements below and above it, their indices, and the weight of the upper
  /// one.
  package func runSelection(
    _ ranks: RowRanks, _ dtype: DType, from x: UnsafeRawPointer, into result: RowRanks.Target
  ) {
    ranks.values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      let form = ranks.form(size: size, base)
      withUnsafePointer(to: form) { form in
        parts(dtype) { begin, end, scratch in
          norma_select_rows(
            dtype.loops, form, x, result.low, result.lowIndices, result.high, result.highIndices,
            result.weights, scratch, begin, end)
        }
      }
    }
  }
}

/// The ranks of the elements to select from a sorted row.
package struct RowRanks: Sendable {
  /// How NaN is treated.
  package enum NaNRule: Sendable {
    /// NaN counts as the largest element.
    case last
    /// If there is a NaN, it is the result.
    case wins
    /// NaN does not count.
    case ignored
  }

  let values: [Double]
  private let isFraction: Bool
  private let rule: NaNRule
  private let interpolation: QuantileInterpolation

  /// Elements by rank, counted from 0.
  package init(rank: Int) {
    (values, isFraction, rule, interpolation) = ([Double(rank)], false, .last, .lower)
  }

  /// Quantiles.
  package init(
    fractions: [Double], _ interpolation: QuantileInterpolation, nan rule: NaNRule
  ) {
    (values, isFraction, self.rule) = (fractions, true, rule)
    self.interpolation = interpolation
  }

  /// The number of elements to select from a row.
  package var count: Int { values.count }

  /// Whether results may fall between two elements.
  package var isBetween: Bool { isFraction && interpolation.isBetween }

  fileprivate func form(size: Int, _ ranks: UnsafePointer<Double>) -> norma_ranks {
    let rule =
      switch rule {
      case .last: NORMA_NAN_LAST
      case .wins: NORMA_NAN_WINS
      case .ignored: NORMA_NAN_IGNORED
      }
    return norma_ranks(
      size: Int64(size), count: Int64(count), ranks: ranks, is_fraction: isFraction ? 1 : 0,
      nan_rule: Int32(rule.rawValue), interpolation: interpolation.number)
  }

  /// Destinations of results: for each row as many as there are ranks.
  package struct Target {
    let low: UnsafeMutableRawPointer, high: UnsafeMutableRawPointer?
    let lowIndices: UnsafeMutablePointer<Int64>, highIndices: UnsafeMutablePointer<Int64>?
    let weights: UnsafeMutablePointer<Double>?

    /// Only elements at ranks.
    package init(low: UnsafeMutableRawPointer, indices: UnsafeMutablePointer<Int64>) {
      (self.low, lowIndices) = (low, indices)
      (high, highIndices, weights) = (nil, nil, nil)
    }

    /// Elements on both sides of ranks.
    package init(
      low: UnsafeMutableRawPointer, indices: UnsafeMutablePointer<Int64>,
      high: UnsafeMutableRawPointer, highIndices: UnsafeMutablePointer<Int64>,
      weights: UnsafeMutablePointer<Double>
    ) {
      (self.low, lowIndices, self.high) = (low, indices, high)
      (self.highIndices, self.weights) = (highIndices, weights)
    }
  }
}

extension UnsafeRawPointer {
  /// The elements of a loop's type.
  func bound<T>() -> UnsafePointer<T> { assumingMemoryBound(to: T.self) }
}

extension UnsafeMutableRawPointer {
  /// The elements of a loop's type.
  func bound<T>() -> UnsafeMutablePointer<T> { assumingMemoryBound(to: T.self) }
}
