import CNormaLoops
import NormaValues

/// Distances between the vectors of two matrices.
package enum Distances {
  /// The distance as a function of the differences: how many are not 0, or the 1-, 2- or ∞-norm.
  package enum Kind: Int32 {
    case count, sum, root, largest

    /// The kind of a p-norm; nil if its terms would be powers.
    package init?(p: Double) {
      switch p {
      case 0: self = .count
      case 1: self = .sum
      case 2: self = .root
      case .infinity: self = .largest
      default: return nil
      }
    }
  }

  /// Writes the `rows` by `columns` distances of each pair of matrices of a batch, of `depth`
  /// components, consecutively into `result`.
  ///
  /// Strides are in elements, for the axes of `batch`, then rows, then components, and may have any
  /// value. `float32` and `float64`. Differences and sums are carried in Double and rounded once,
  /// component by component: the bits do not depend on threads or the instruction set. NaN
  /// propagates. Scratch: 384 KiB per thread.
  package static func run(
    _ dtype: DType, _ kind: Kind, batch: [Int], rows: Int, columns: Int, depth: Int,
    a: UnsafeRawPointer, aStrides: [Int], b: UnsafeRawPointer, bStrides: [Int],
    into result: UnsafeMutableRawPointer, threads: Int
  ) {
    let (rank, size) = (batch.count, dtype.byteCount)
    let shape = norma_distances(
      rows: Int64(rows), columns: Int64(columns), depth: Int64(depth),
      a_row: Int64(aStrides[rank]), a_element: Int64(aStrides[rank + 1]),
      b_row: Int64(bStrides[rank]), b_element: Int64(bStrides[rank + 1]))
    withUnsafePointer(to: shape) { shape in
      let units = Int(norma_distance_units(shape))
      let scratchBytes = Int(norma_distance_scratch_bytes(shape))
      let pairs = batch.reduce(1, *)
      let work = pairs * rows * columns * (depth / 8 + 1)
      forUnits(units, of: pairs, scratchBytes, work: work, threads) { pair, from, to, scratch in
        let left = startOfMatrix(pair, of: batch, aStrides)
        let right = startOfMatrix(pair, of: batch, bStrides)
        let start = pair * rows * columns
        norma_run_distances(
          dtype.loops, shape, kind.rawValue, a + left * size, b + right * size,
          result + start * size, from, to, scratch)
      }
    }
  }

  /// Writes the gradient of the distances of each pair with respect to `a`, `rows` by `depth`: sums
  /// over the vectors of `b` of a weight times the sign of the difference, or for `.root` times the
  /// difference. `weights` are Double, `rows` by `columns`.
  ///
  /// Otherwise like `run`, and summed vector by vector. Scratch: 260 KiB per thread.
  package static func runSlopes(
    _ dtype: DType, _ kind: Kind, batch: [Int], rows: Int, columns: Int, depth: Int,
    a: UnsafeRawPointer, aStrides: [Int], b: UnsafeRawPointer, bStrides: [Int],
    weights: UnsafeRawPointer, weightStrides: [Int], into result: UnsafeMutableRawPointer,
    threads: Int
  ) {
    let (rank, size) = (batch.count, dtype.byteCount)
    let shape = norma_distances(
      rows: Int64(rows), columns: Int64(columns), depth: Int64(depth),
      a_row: Int64(aStrides[rank]), a_element: Int64(aStrides[rank + 1]),
      b_row: Int64(bStrides[rank]), b_element: Int64(bStrides[rank + 1]))
    let (weightRow, weightColumn) = (Int64(weightStrides[rank]), Int64(weightStrides[rank + 1]))
    withUnsafePointer(to: shape) { shape in
      let units = Int(norma_distance_slope_units(shape))
      let scratchBytes = Int(norma_distance_slope_scratch_bytes(shape))
      let pairs = batch.reduce(1, *)
      let work = pairs * rows * columns * (depth / 8 + 1)
      forUnits(units, of: pairs, scratchBytes, work: work, threads) { pair, from, to, scratch in
        let left = startOfMatrix(pair, of: batch, aStrides)
        let right = startOfMatrix(pair, of: batch, bStrides)
        let start = pair * rows * depth
        let shares: UnsafePointer<Double> =
          (weights + startOfMatrix(pair, of: batch, weightStrides) * 8).bound()
        norma_run_distance_slopes(
          dtype.loops, shape, kind.rawValue, a + left * size, b + right * size, shares, weightRow,
          weightColumn, result + start * size, from, to, scratch)
      }
    }
  }

  /// Calls `body` with a pair of matrices, some of its units, and a thread's own scratch, until all
  /// `units` of each of the `pairs` are done.
  private static func forUnits(
    _ units: Int, of pairs: Int, _ scratchBytes: Int, work: Int, _ threads: Int,
    _ body: (Int, Int64, Int64, UnsafeMutableRawPointer) -> Void
  ) {
    inParallel(pairs * units, work: work, threads: threads) { begin, end in
      let scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchBytes, alignment: 64)
      defer { scratch.deallocate() }
      var unit = Int(begin)
      while unit < Int(end) {
        let pair = unit / units
        let last = min(Int(end), (pair + 1) * units)
        body(pair, Int64(unit - pair * units), Int64(last - pair * units), scratch)
        unit = last
      }
    }
  }
}
