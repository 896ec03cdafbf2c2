import CNormaLoops
import NormaValues

/// Order within rows of `size` elements that lie without gaps. A value that knows nothing of a
/// layout; half types and truth values come as what they are computed in.
package struct RowSort: Sendable {
  private let rows: Int, size: Int, threads: Int

  /// Rows of 32-bit types have less than 2³² elements.
  package init(rows: Int, size: Int, threads: Int) {
    (self.rows, self.size, self.threads) = (rows, size, threads)
  }

  /// Runs `body` over parts of the rows, each with scratch memory: 16 bytes an element of a row, 32
  /// for types of 64 bits.
  private func parts(
    _ dtype: DType, _ body: (Int64, Int64, UnsafeMutableRawPointer) -> Void
  ) {
    guard rows > 0, size > 0 else { return }
    let byteCount = Int(norma_sort_scratch(Int64(dtype.byteCount), Int64(size)))
    split(rows, work: rows * size * 4, threads: threads) { begin, end in
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: 64)
      defer { scratch.deallocate() }
      body(begin, end, scratch)
    }
  }

  /// The first `wanted` elements of each row in order, and where they stood.
  package func run(
    _ dtype: DType, first wanted: Int, descending: Bool, from x: UnsafeRawPointer,
    into values: UnsafeMutableRawPointer, places: UnsafeMutablePointer<Int64>
  ) {
    let order = norma_order(
      size: Int64(size), wanted: Int64(wanted), descending: descending ? 1 : 0)
    withUnsafePointer(to: order) { order in
      parts(dtype) { begin, end, scratch in
        switch dtype {
        case .float32:
          norma_sort_rows_f32(
            order, x.bound(), values.bound(), places, scratch, begin, end)
        case .float64:
          norma_sort_rows_f64(
            order, x.bound(), values.bound(), places, scratch, begin, end)
        case .int64:
          norma_sort_rows_i64(
            order, x.bound(), values.bound(), places, scratch, begin, end)
        case .int32:
          norma_sort_rows_i32(
            order, x.bound(), values.bound(), places, scratch, begin, end)
        case .uint8, .bool:
          norma_sort_rows_u8(
            order, x.bound(), values.bound(), places, scratch, begin, end)
        default: fatalError("\(dtype) is sorted as \(dtype.kernelType)")
        }
      }
    }
  }

  /// The most frequent element of each row, the smallest of several, and its last place.
  package func runMode(
    _ dtype: DType, from x: UnsafeRawPointer, into values: UnsafeMutableRawPointer,
    places: UnsafeMutablePointer<Int64>
  ) {
    let size = Int64(size)
    parts(dtype) { begin, end, scratch in
      switch dtype {
      case .float32:
        norma_mode_rows_f32(size, x.bound(), values.bound(), places, scratch, begin, end)
      case .float64:
        norma_mode_rows_f64(size, x.bound(), values.bound(), places, scratch, begin, end)
      case .int64:
        norma_mode_rows_i64(size, x.bound(), values.bound(), places, scratch, begin, end)
      case .int32:
        norma_mode_rows_i32(size, x.bound(), values.bound(), places, scratch, begin, end)
      case .uint8, .bool:
        norma_mode_rows_u8(size, x.bound(), values.bound(), places, scratch, begin, end)
      default: fatalError("\(dtype) is sorted as \(dtype.kernelType)")
      }
    }
  }

  /// For each rank the elements below and above it, where they stand, and the weight of the upper.
  package func runSelection(
    _ ranks: RowRanks, _ dtype: DType, from x: UnsafeRawPointer, into result: RowRanks.Target
  ) {
    ranks.values.withUnsafeBufferPointer { values in
      guard let base = values.baseAddress else { return }
      let form = ranks.form(size: size, base)
      withUnsafePointer(to: form) { form in
        parts(dtype) { begin, end, scratch in
          let (low, high) = (result.low, result.high)
          switch dtype {
          case .float32:
            norma_select_rows_f32(
              form, x.bound(), low.bound(), result.lowPlaces, high?.bound(), result.highPlaces,
              result.weights, scratch, begin, end)
          case .float64:
            norma_select_rows_f64(
              form, x.bound(), low.bound(), result.lowPlaces, high?.bound(), result.highPlaces,
              result.weights, scratch, begin, end)
          case .int64:
            norma_select_rows_i64(
              form, x.bound(), low.bound(), result.lowPlaces, high?.bound(), result.highPlaces,
              result.weights, scratch, begin, end)
          case .int32:
            norma_select_rows_i32(
              form, x.bound(), low.bound(), result.lowPlaces, high?.bound(), result.highPlaces,
              result.weights, scratch, begin, end)
          case .uint8, .bool:
            norma_select_rows_u8(
              form, x.bound(), low.bound(), result.lowPlaces, high?.bound(), result.highPlaces,
              result.weights, scratch, begin, end)
          default: fatalError("\(dtype) is sorted as \(dtype.kernelType)")
          }
        }
      }
    }
  }
}

/// Which elements of a row in order are wanted.
package struct RowRanks: Sendable {
  /// What is done with NaN.
  package enum NaNRule: Sendable {
    /// They are the largest elements.
    case last
    /// They are the result.
    case wins
    /// They do not count.
    case ignored
  }

  let values: [Double]
  private let isFraction: Bool
  private let rule: NaNRule
  private let interpolation: QuantileInterpolation

  /// Elements by their rank from 0.
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

  /// How many elements are wanted of a row.
  package var count: Int { values.count }

  /// Whether results may lie between two elements.
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

  /// Where results go: as many for each row as there are ranks.
  package struct Target {
    let low: UnsafeMutableRawPointer, high: UnsafeMutableRawPointer?
    let lowPlaces: UnsafeMutablePointer<Int64>, highPlaces: UnsafeMutablePointer<Int64>?
    let weights: UnsafeMutablePointer<Double>?

    /// Elements at ranks alone.
    package init(low: UnsafeMutableRawPointer, places: UnsafeMutablePointer<Int64>) {
      (self.low, lowPlaces) = (low, places)
      (high, highPlaces, weights) = (nil, nil, nil)
    }

    /// Elements on both sides of ranks.
    package init(
      low: UnsafeMutableRawPointer, places: UnsafeMutablePointer<Int64>,
      high: UnsafeMutableRawPointer, highPlaces: UnsafeMutablePointer<Int64>,
      weights: UnsafeMutablePointer<Double>
    ) {
      (self.low, lowPlaces, self.high) = (low, places, high)
      (self.highPlaces, self.weights) = (highPlaces, weights)
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
