import CNormaLoops
import Synchronization

// `float32` numbers with the same index are combined in `float64`, part by part of the result, so
// that there is never a complete array of those.

extension IndexedAxis {
  /// A block of this many numbers stays in cache.
  private static let block = 1 << 15
  /// Blocks as small as this are processed together; a single one is not worth several threads.
  private static let few = 1 << 12
  /// For rows of this many elements, sorting their indices is worthwhile.
  private static let row = 16

  /// Whether all inner elements have the same index, in rows long enough to be processed as a
  /// whole.
  private var isByRow: Bool { index[2] == 0 && inner >= IndexedAxis.row && size >= 8 }

  /// Whether ``reduceFloats(_:_:from:strides:onto:strides:to:threads:)`` supports this.
  package var takesFloats: Bool {
    let block = size * inner
    return work > 0 && size > 0
      && (isByRow || block <= IndexedAxis.block && (outer >= 8 || block <= IndexedAxis.few))
  }

  /// Adds (or multiplies, ...) elements to those of `start` at their indices, in order and in
  /// `double`, into `wide`, which is dense.
  ///
  /// - Returns: The first index that is out of range, or nil.
  package func reduceFloats(
    _ reduction: Reduction, _ indices: UnsafePointer<Int64>, from narrow: UnsafePointer<Float>,
    strides: [Int], onto start: UnsafePointer<Float>, strides startStrides: [Int],
    to wide: UnsafeMutablePointer<Float>, threads: Int
  ) -> Int? {
    var form = form(narrow: strides, wide: startStrides)
    let code = reduction.rawValue
    if isByRow {
      return reduceRows(code, &form, indices, narrow, start, wide, threads)
    }
    let wrong = Atomic(Int64.max)
    let block = size * inner
    let blocks = min(max(IndexedAxis.few / block, 1), outer)
    inParallel(outer, work: work + outer * block, threads: threads) { begin, end in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks * block) { room in
        guard let room = room.baseAddress else { return }
        let found = norma_scatter_blocks(
          &form, code, indices, narrow, start, wide, room, Int64(blocks), begin, end)
        wrong.min(found, ordering: .relaxed)
      }
    }
    return outOfRange(wrong.load(ordering: .relaxed), form, indices)
  }

  private func reduceRows(
    _ code: Int32, _ form: inout norma_indices, _ indices: UnsafePointer<Int64>,
    _ narrow: UnsafePointer<Float>, _ start: UnsafePointer<Float>,
    _ wide: UnsafeMutablePointer<Float>, _ threads: Int
  ) -> Int? {
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: size + 2 + count) { memory -> Int? in
      guard let starts = memory.baseAddress else { return nil }
      let order = starts + size + 2
      for o in 0..<outer {
        if o == 0 || index[0] != 0 {
          let wrong = norma_sort_indices(&form, indices + o * index[0], starts, order)
          if wrong != Int64.max {
            return Int(indices[o * index[0] + Int(wrong) * index[1]])
          }
        }
        let (from, own) = (narrow + o * Int(form.narrow.0), start + o * Int(form.wide.0))
        let to = wide + o * size * inner
        inParallel(size, work: (size + count) * inner, threads: threads) { begin, end in
          norma_scatter_sorted(&form, code, starts, order, from, own, to, begin, end)
        }
      }
      return nil
    }
  }
}
