import CNormaLoops
import NormaValues
import Synchronization

/// Where the elements of a narrow array `[outer, count, inner]` lie along the axis of a wide one,
/// `[outer, size, inner]`; a value that knows no memory.
package struct PlacesAlongAxis: Sendable {
  /// What is done with elements that come to the same place.
  package enum Reduction: Int32, Sendable {
    case sum, product, minimum, maximum
  }

  package let outer: Int, count: Int, inner: Int, size: Int
  /// Whether negative places count from the end.
  package let wraps: Bool
  let index: [Int]

  /// - Parameter index: the distances of places along outer, count and inner, 0 where they repeat.
  package init(outer: Int, count: Int, inner: Int, size: Int, wraps: Bool, index: [Int]) {
    (self.outer, self.count, self.inner, self.size) = (outer, count, inner, size)
    (self.wraps, self.index) = (wraps, index)
  }

  func form(narrow: [Int], wide: [Int]) -> norma_places {
    func three(_ strides: [Int]) -> (Int64, Int64, Int64) {
      (Int64(strides[0]), Int64(strides[1]), Int64(strides[2]))
    }
    return norma_places(
      outer: Int64(outer), count: Int64(count), inner: Int64(inner), size: Int64(size),
      index: three(index), narrow: three(narrow), wide: three(wide), wraps: wraps ? 1 : 0)
  }

  var work: Int { outer * count * inner }

  /// The place of the element with a number on the narrow side, or nil if there is none such.
  func place(_ found: Int64, _ form: norma_places, _ places: UnsafePointer<Int64>) -> Int? {
    if found == Int64.max { return nil }
    let (row, i) = found.quotientAndRemainder(dividingBy: form.inner)
    let (o, k) = row.quotientAndRemainder(dividingBy: form.count)
    return Int(places[Int(o) * index[0] + Int(k) * index[1] + Int(i) * index[2]])
  }

  /// The first place that is not inside, or nil. Those that repeat are looked at once.
  package func check(_ places: UnsafePointer<Int64>) -> Int? {
    var form = form(narrow: [0, 0, 0], wide: [0, 0, 0])
    if index[0] == 0 { form.outer = 1 }
    if index[2] == 0 { form.inner = 1 }
    return place(norma_check_places(&form, places), form, places)
  }

  /// Copies what is picked into `narrow`, which has no gaps.
  ///
  /// - Returns: The first place that is not inside, or nil.
  package func gather(
    width: Int, _ places: UnsafePointer<Int64>, from wide: UnsafeRawPointer, strides: [Int],
    to narrow: UnsafeMutableRawPointer, threads: Int
  ) -> Int? {
    guard work > 0 else { return check(places) }
    var form = form(narrow: [count * inner, inner, 1], wide: strides)
    let wrong = Atomic(Int64.max)
    let rows = outer * count
    if rows >= 4 * threads {
      split(rows, work: work, threads: threads) { begin, end in
        var part = norma_places_part(
          outer: (0, 0), inner: (0, Int64(inner)), axis: (0, 0))
        let found = norma_gather(&form, Int32(width), places, wide, narrow, begin, end, &part)
        wrong.min(found, ordering: .relaxed)
      }
    } else {
      split(inner, work: work, threads: threads) { begin, end in
        var part = norma_places_part(outer: (0, 0), inner: (begin, end), axis: (0, 0))
        let found = norma_gather(
          &form, Int32(width), places, wide, narrow, 0, Int64(rows), &part)
        wrong.min(found, ordering: .relaxed)
      }
    }
    return place(wrong.load(ordering: .relaxed), form, places)
  }

  /// Puts elements to their places; of several the last stays.
  ///
  /// - Parameter start: what is elsewhere, without gaps like the wide side; nil if it is there already.
  /// - Returns: The first place that is not inside, or nil.
  package func scatter(
    width: Int, _ places: UnsafePointer<Int64>, from narrow: UnsafeRawPointer,
    strides narrowStrides: [Int], onto start: UnsafeRawPointer?, to wide: UnsafeMutableRawPointer,
    strides: [Int], threads: Int
  ) -> Int? {
    var form = form(narrow: narrowStrides, wide: strides)
    let block = size * inner * width
    guard let start, work > 0, splitsOuter(threads) else {
      if let start { copyBytes(from: start, to: wide, count: outer * block, threads: threads) }
      return inParts(form, places, threads) { part in
        var part = part
        return norma_scatter(&form, Int32(width), places, narrow, wide, &part)
      }
    }
    // A few blocks at a time, which are still in cache when elements come to them.
    let some = Int64(max(PlacesAlongAxis.cached / max(block, 1), 1))
    return inParts(form, places, threads) { part in
      var (piece, wrong) = (part, Int64.max)
      while piece.outer.0 < part.outer.1 {
        let first = Int(piece.outer.0) * block
        piece.outer.1 = min(piece.outer.0 + some, part.outer.1)
        (wide + first).copyMemory(
          from: start + first, byteCount: Int(piece.outer.1) * block - first)
        wrong = min(wrong, norma_scatter(&form, Int32(width), places, narrow, wide, &piece))
        piece.outer.0 = piece.outer.1
      }
      return wrong
    }
  }

  /// Adds (or multiplies, ...) elements to what is at their places in a wide array without gaps: of
  /// `double` for real numbers, of 64 bits for integers.
  ///
  /// - Returns: The first place that is not inside, or nil.
  package func reduce(
    _ reduction: Reduction, _ dtype: DType, _ places: UnsafePointer<Int64>,
    from narrow: UnsafeRawPointer, strides: [Int], to wide: UnsafeMutableRawPointer, threads: Int
  ) -> Int? {
    var form = form(narrow: strides, wide: [size * inner, inner, 1])
    let code = reduction.rawValue
    return inParts(form, places, threads) { part in
      var part = part
      switch dtype {
      case .float32:
        return norma_scatter_f32(
          &form, code, places, narrow.assumingMemoryBound(to: Float.self),
          wide.assumingMemoryBound(to: Double.self), &part)
      case .float64:
        return norma_scatter_f64(
          &form, code, places, narrow.assumingMemoryBound(to: Double.self),
          wide.assumingMemoryBound(to: Double.self), &part)
      default:
        return norma_scatter_i64(
          &form, code, places, narrow.assumingMemoryBound(to: Int64.self),
          wide.assumingMemoryBound(to: Int64.self), &part)
      }
    }
  }

  /// Bytes that stay in cache for a while.
  private static let cached = 1 << 15

  /// Whether there are enough outer indices for parts of them.
  private func splitsOuter(_ threads: Int) -> Bool { outer >= 2 * threads }

  /// Runs `body` over parts that write to different elements: of the outer axes, of the inner ones,
  /// or, for a single line, of the places, each thread reading all of them.
  private func inParts(
    _ form: norma_places, _ places: UnsafePointer<Int64>, _ threads: Int,
    _ body: (norma_places_part) -> Int64
  ) -> Int? {
    guard work > 0, size > 0 else { return check(places) }
    let wrong = Atomic(Int64.max)
    let whole = norma_places_part(
      outer: (0, Int64(outer)), inner: (0, Int64(inner)), axis: (0, Int64(size)))
    let byOuter = splitsOuter(threads)
    let byInner = !byOuter && inner >= 32 * threads
    split(byOuter ? outer : byInner ? inner : size, work: work, threads: threads) { begin, end in
      var part = whole
      if byOuter {
        part.outer = (begin, end)
      } else if byInner {
        part.inner = (begin, end)
      } else {
        part.axis = (begin, end)
      }
      wrong.min(body(part), ordering: .relaxed)
    }
    return place(wrong.load(ordering: .relaxed), form, places)
  }

  /// Quotients of integers by positive ones, rounded down.
  package static func floorDivide(
    _ a: UnsafePointer<Int64>, _ b: UnsafePointer<Int64>, into out: UnsafeMutablePointer<Int64>,
    count: Int, threads: Int
  ) {
    split(count, work: count, threads: threads) { norma_floor_divide_i64($0, $1, a, b, out) }
  }
}
