import CNormaLoops
import Synchronization

// Numbers of `float32` that come to the same place meet in `float64`, a part of the result at a time,
// so that there is never an array of those.

extension PlacesAlongAxis {
  /// A block of so many numbers stays in cache.
  private static let block = 1 << 15
  /// Blocks of so few are taken together, and one alone is not worth several threads.
  private static let few = 1 << 12
  /// Rows of so many elements are worth sorting their places.
  private static let row = 16

  /// Whether all inner elements have the same place, in rows long enough to be taken as a whole.
  private var isByRow: Bool { index[2] == 0 && inner >= PlacesAlongAxis.row && size >= 8 }

  /// Whether ``reduceFloats(_:_:from:strides:onto:strides:to:threads:)`` does this.
  package var takesFloats: Bool {
    let block = size * inner
    return work > 0 && size > 0
      && (isByRow || block <= PlacesAlongAxis.block && (outer >= 8 || block <= PlacesAlongAxis.few))
  }

  /// Adds (or multiplies, ...) elements to what `start` has at their places, in order and in `double`,
  /// into `wide`, which has no gaps.
  ///
  /// - Returns: The first place that is not inside, or nil.
  package func reduceFloats(
    _ reduction: Reduction, _ places: UnsafePointer<Int64>, from narrow: UnsafePointer<Float>,
    strides: [Int], onto start: UnsafePointer<Float>, strides startStrides: [Int],
    to wide: UnsafeMutablePointer<Float>, threads: Int
  ) -> Int? {
    var form = form(narrow: strides, wide: startStrides)
    let code = reduction.rawValue
    if isByRow {
      return reduceRows(code, &form, places, narrow, start, wide, threads)
    }
    let wrong = Atomic(Int64.max)
    let block = size * inner
    let blocks = min(max(PlacesAlongAxis.few / block, 1), outer)
    split(outer, work: work + outer * block, threads: threads) { begin, end in
      withUnsafeTemporaryAllocation(of: Double.self, capacity: blocks * block) { room in
        guard let room = room.baseAddress else { return }
        let found = norma_scatter_blocks(
          &form, code, places, narrow, start, wide, room, Int64(blocks), begin, end)
        wrong.min(found, ordering: .relaxed)
      }
    }
    return place(wrong.load(ordering: .relaxed), form, places)
  }

  private func reduceRows(
    _ code: Int32, _ form: inout norma_places, _ places: UnsafePointer<Int64>,
    _ narrow: UnsafePointer<Float>, _ start: UnsafePointer<Float>,
    _ wide: UnsafeMutablePointer<Float>, _ threads: Int
  ) -> Int? {
    withUnsafeTemporaryAllocation(of: Int64.self, capacity: size + 2 + count) { memory -> Int? in
      guard let starts = memory.baseAddress else { return nil }
      let order = starts + size + 2
      for o in 0..<outer {
        if o == 0 || index[0] != 0 {
          let wrong = norma_sort_places(&form, places + o * index[0], starts, order)
          if wrong != Int64.max {
            return Int(places[o * index[0] + Int(wrong) * index[1]])
          }
        }
        let (from, own) = (narrow + o * Int(form.narrow.0), start + o * Int(form.wide.0))
        let to = wide + o * size * inner
        split(size, work: (size + count) * inner, threads: threads) { begin, end in
          norma_scatter_sorted(&form, code, starts, order, from, own, to, begin, end)
        }
      }
      return nil
    }
  }
}
