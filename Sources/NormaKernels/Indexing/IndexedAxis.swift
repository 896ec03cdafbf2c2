import CNormaLoops
import NormaValues
import Synchronization

/// The indices of the elements of a narrow array `[outer, count, inner]` along the axis of a wide
/// one, `[outer, size, inner]`; a value that refers to no memory.
package struct IndexedAxis: Sendable {
  /// How elements with the same index are combined.
  package enum Reduction: Int32, Sendable {
    case sum, product, minimum, maximum
  }

  package let outer: Int, count: Int, inner: Int, size: Int
  /// Whether negative indices count from the end.
  package let wraps: Bool
  let index: [Int]

  /// - Parameter index: the strides of the indices along outer, count and inner, 0 where they
  ///   repeat.
  package init(outer: Int, count: Int, inner: Int, size: Int, wraps: Bool, index: [Int]) {
    (self.outer, self.count, self.inner, self.size) = (outer, count, inner, size)
    (self.wraps, self.index) = (wraps, index)
  }

  func form(narrow: [Int], wide: [Int]) -> norma_indices {
    func three(_ strides: [Int]) -> (Int64, Int64, Int64) {
      (Int64(strides[0]), Int64(strides[1]), Int64(strides[2]))
    }
    return norma_indices(
      outer: Int64(outer), count: Int64(count), inner: Int64(inner), size: Int64(size),
      index: three(index), narrow: three(narrow), wide: three(wide), wraps: wraps ? 1 : 0)
  }

  var work: Int { outer * count * inner }

  /// The index of an element of the narrow side, given its number; nil for none.
  func outOfRange(_ found: Int64, _ form: norma_indices, _ indices: UnsafePointer<Int64>) -> Int? {
    if found == Int64.max { return nil }
    let (row, i) = found.quotientAndRemainder(dividingBy: form.inner)
    let (o, k) = row.quotientAndRemainder(dividingBy: form.count)
    return Int(indices[Int(o) * index[0] + Int(k) * index[1] + Int(i) * index[2]])
  }

  /// The first index that is out of range, or nil. Repeated ones are checked only once.
  package func check(_ indices: UnsafePointer<Int64>) -> Int? {
    var form = form(narrow: [0, 0, 0], wide: [0, 0, 0])
    if index[0] == 0 { form.outer = 1 }
    if index[2] == 0 { form.inner = 1 }
    return outOfRange(norma_check_indices(&form, indices), form, indices)
  }

  /// Copies the selected elements to `narrow`, which is dense.
  ///
  /// - Returns: The first index that is out of range, or nil.
  package func gather(
    width: Int, _ indices: UnsafePointer<Int64>, from wide: UnsafeRawPointer, strides: [Int],
    to narrow: UnsafeMutableRawPointer, threads: Int
  ) -> Int? {
    guard work > 0 else { return check(indices) }
    var form = form(narrow: [count * inner, inner, 1], wide: strides)
    let wrong = Atomic(Int64.max)
    let rows = outer * count
    if rows >= 4 * threads {
      inParallel(rows, work: work, threads: threads) { begin, end in
        var part = norma_indices_part(
          outer: (0, 0), inner: (0, Int64(inner)), axis: (0, 0))
        let found = norma_gather(&form, Int32(width), indices, wide, narrow, begin, end, &part)
        wrong.min(found, ordering: .relaxed)
      }
    } else {
      inParallel(inner, work: work, threads: threads) { begin, end in
        var part = norma_indices_part(outer: (0, 0), inner: (begin, end), axis: (0, 0))
        let found = norma_gather(
          &form, Int32(width), indices, wide, narrow, 0, Int64(rows), &part)
        wrong.min(found, ordering: .relaxed)
      }
    }
    return outOfRange(wrong.load(ordering: .relaxed), form, indices)
  }

  /// Writes elements at their indices; if an index occurs several times, the last one is kept.
  ///
  /// - Parameter start: the other elements, dense like the wide side; nil if they are there
  ///   already.
  /// - Returns: The first index that is out of range, or nil.
  package func scatter(
    width: Int, _ indices: UnsafePointer<Int64>, from narrow: UnsafeRawPointer,
    strides narrowStrides: [Int], onto start: UnsafeRawPointer?, to wide: UnsafeMutableRawPointer,
    strides: [Int], threads: Int
  ) -> Int? {
    var form = form(narrow: narrowStrides, wide: strides)
    let block = size * inner * width
    guard let start, work > 0, splitsOuter(threads) else {
      if let start { copyBytes(from: start, to: wide, count: outer * block, threads: threads) }
      return inParts(form, indices, threads) { part in
        var part = part
        return norma_scatter(&form, Int32(width), indices, narrow, wide, &part)
      }
    }
    // A few blocks at a time, which are still in cache when elements are written to them.
    let some = Int64(max(IndexedAxis.cached / max(block, 1), 1))
    return inParts(form, indices, threads) { part in
      var (piece, wrong) = (part, Int64.max)
      while piece.outer.0 < part.outer.1 {
        let first = Int(piece.outer.0) * block
        piece.outer.1 = min(piece.outer.0 + some, part.outer.1)
        (wide + first).copyMemory(
          from: start + first, byteCount: Int(piece.outer.1) * block - first)
        wrong = min(wrong, norma_scatter(&form, Int32(width), indices, narrow, wide, &piece))
        piece.outer.0 = piece.outer.1
      }
      return wrong
    }
  }

  /// Adds (or multiplies, ...) elements to those at their indices in a dense wide array: of
  /// `double` for real numbers, of 64-bit integers for integers.
  ///
  /// - Returns: The first index that is out of range, or nil.
  package func reduce(
    _ reduction: Reduction, _ dtype: DType, _ indices: UnsafePointer<Int64>,
    from narrow: UnsafeRawPointer, strides: [Int], to wide: UnsafeMutableRawPointer, threads: Int
  ) -> Int? {
    var form = form(narrow: strides, wide: [size * inner, inner, 1])
    let code = reduction.rawValue
    return inParts(form, indices, threads) { part in
      var part = part
      return norma_combine(dtype.loops, &form, code, indices, narrow, wide, &part)
    }
  }

  /// The bytes that stay in cache for a while.
  private static let cached = 1 << 15

  /// Whether there are enough outer indices to divide among threads.
  private func splitsOuter(_ threads: Int) -> Bool { outer >= 2 * threads }

  /// Runs `body` over parts that write to different elements: ranges of the outer axes, of the
  /// inner ones, or, for a single line, of the indices, each thread reading all of them.
  private func inParts(
    _ form: norma_indices, _ indices: UnsafePointer<Int64>, _ threads: Int,
    _ body: (norma_indices_part) -> Int64
  ) -> Int? {
    guard work > 0, size > 0 else { return check(indices) }
    let wrong = Atomic(Int64.max)
    let whole = norma_indices_part(
      outer: (0, Int64(outer)), inner: (0, Int64(inner)), axis: (0, Int64(size)))
    let byOuter = splitsOuter(threads)
    let byInner = !byOuter && inner >= 32 * threads
    inParallel(byOuter ? outer : byInner ? inner : size, work: work, threads: threads) {
      begin, end in
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
    return outOfRange(wrong.load(ordering: .relaxed), form, indices)
  }

  /// Quotients of integers by positive integers, rounded down.
  package static func floorDivide(
    _ a: UnsafePointer<Int64>, _ b: UnsafePointer<Int64>, into out: UnsafeMutablePointer<Int64>,
    count: Int, threads: Int
  ) {
    inParallel(count, work: count, threads: threads) { norma_floor_divide_i64($0, $1, a, b, out) }
  }
}
