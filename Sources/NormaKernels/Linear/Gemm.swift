import CNormaLoops
import NormaValues

/// Matrix products in plain loops: for types that oneDNN does not multiply, and for packages built
/// without oneDNN.
package enum Gemm {
  /// Whether there are loops for a type. Narrower floating-point types are multiplied as `float32`
  /// and rounded once; Booleans are not multiplied.
  package static func supports(_ dtype: DType) -> Bool {
    switch dtype {
    case .uint8, .int32, .int64, .float32, .float64: true
    default: false
    }
  }

  /// Whether a batch of `float32` products is so small that a plain loop on one thread, with sums
  /// in `float64`, is the fastest way: up to 1024 terms each and 2048 in all.
  package static func isSmall(_ dtype: DType, products: Int, m: Int, n: Int, k: Int) -> Bool {
    dtype == .float32 && n <= Int(NORMA_GEMM_SMALL_COLUMNS) && m <= 1024 && k <= 1024
      && m * n * k <= 1024 && products <= 2048 && products * m * n * k <= 2048
  }

  /// Computes `c = a b` for a batch of matrices, `a` of `m` by `k` and `b` of `k` by `n`.
  ///
  /// Strides are in elements, for the axes of `batch`, then rows, then columns. They may have any
  /// value: an operand that is the same along a batch axis has stride 0 there, a transposed one has
  /// its strides swapped. `c` is row-major and dense, and shares no memory with `a` or `b`.
  ///
  /// An empty sum (`k` is 0) is 0. Integers wrap around. A floating-point element is summed in
  /// blocks of 256 terms, term by term and block by block in its own type, so its bits do not
  /// depend on threads or the instruction set; its error is at most `k` units in the last place of
  /// the sum of the absolute products. Small `float32` products are summed in `float64` and rounded
  /// once. NaN and infinity propagate.
  ///
  /// PyTorch: `torch.matmul`. Algorithm: Goto and van de Geijn, Anatomy of high-performance matrix
  /// multiplication, 2008.
  package static func multiply(
    _ dtype: DType, batch: [Int] = [], m: Int, n: Int, k: Int,
    a: UnsafeRawPointer, aStrides: [Int], b: UnsafeRawPointer, bStrides: [Int],
    into c: UnsafeMutableRawPointer, threads: Int = Int(norma_team_default_threads())
  ) {
    let rank = batch.count + 2
    guard supports(dtype), aStrides.count == rank, bStrides.count == rank else {
      fatalError(
        "Gemm.multiply: \(dtype) with \(aStrides.count) and \(bStrides.count) strides for "
          + "\(rank) axes; needs uint8, int32, int64, float32 or float64 and a stride per axis")
    }
    let products = batch.reduce(1, *)
    guard products > 0, m > 0, n > 0 else { return }
    let plan = GemmPlan(products: products, m: m, n: n, k: k, threads: threads)
    let region = GemmRegion(
      dtype: dtype, plan: plan, batch: batch, k: k, a: a, aStrides: aStrides, b: b,
      bStrides: bStrides, c: c)
    withUnsafePointer(to: region) { region in
      norma_team_run(
        { context, index, _ in
          context?.assumingMemoryBound(to: GemmRegion.self).pointee.run(thread: Int(index))
        }, UnsafeMutableRawPointer(mutating: region), Int32(plan.threads))
    }
  }
}

/// What the threads of one call share.
private struct GemmRegion {
  let dtype: DType
  let plan: GemmPlan
  let batch: [Int]
  let k: Int
  let a: UnsafeRawPointer
  let aStrides: [Int]
  let b: UnsafeRawPointer
  let bStrides: [Int]
  let c: UnsafeMutableRawPointer

  private var isSmall: Bool {
    Gemm.isSmall(dtype, products: plan.products, m: plan.m, n: plan.n, k: k)
  }

  func run(thread index: Int) {
    let rank = batch.count + 2
    var shape = norma_gemm_shape(
      m: Int64(plan.m), n: Int64(plan.n), k: Int64(k),
      a_row: Int64(aStrides[rank - 2]), a_column: Int64(aStrides[rank - 1]),
      b_row: Int64(bStrides[rank - 2]), b_column: Int64(bStrides[rank - 1]),
      c_row: Int64(plan.n))
    let size = dtype.byteCount
    let scratchBytes =
      dtype.isFloatingPoint && !isSmall ? Int(norma_gemm_scratch_bytes(&shape, Int64(size))) : 0
    let scratch = UnsafeMutableRawPointer.allocate(byteCount: scratchBytes, alignment: 64)
    defer { scratch.deallocate() }
    for number in plan.pieces(ofThread: index) {
      let piece = plan.piece(number)
      let (row, column) = (piece.rows.lowerBound, piece.columns.lowerBound)
      shape.m = Int64(piece.rows.count)
      shape.n = Int64(piece.columns.count)
      let aStart = startOfMatrix(piece.product, of: batch, aStrides) + row * aStrides[rank - 2]
      let bStart = startOfMatrix(piece.product, of: batch, bStrides) + column * bStrides[rank - 1]
      let cStart = (piece.product * plan.m + row) * plan.n + column
      let (a, b, c) = (a + aStart * size, b + bStart * size, c + cStart * size)
      if isSmall {
        norma_gemm_small_f32(&shape, a.bound(), b.bound(), c.bound())
      } else {
        norma_gemm(dtype.loops, &shape, a, b, c, scratch)
      }
    }
  }
}

/// The offset of a matrix of a batch, in elements; `strides` begin with those of the batch.
func startOfMatrix(_ matrix: Int, of batch: [Int], _ strides: [Int]) -> Int {
  var rest = matrix
  var offset = 0
  for axis in batch.indices.reversed() {
    offset += rest % batch[axis] * strides[axis]
    rest /= batch[axis]
  }
  return offset
}
