import NormaKernels
import NormaOneDNN

/// The memory of one thread for the blocks of an attention, and the products in it.
final class AttentionScratch {
  private let plan: AttentionPlan
  private let memory: UnsafeMutableRawPointer

  /// Scaled queries, scores, and gradients of weights.
  let queries: UnsafeMutableRawPointer
  let scores: UnsafeMutableRawPointer, slopes: UnsafeMutableRawPointer
  /// Scaled gradients of the result, and the result of a product before it is added.
  let upstream: UnsafeMutableRawPointer, part: UnsafeMutableRawPointer
  /// The sum over blocks of keys: a result, or a gradient of queries.
  let sum: UnsafeMutableRawPointer
  /// A number for each query: the largest score, the sum of powers, and factors of either.
  let highest: UnsafeMutableRawPointer
  let sums: UnsafeMutablePointer<Double>, factors: UnsafeMutablePointer<Double>

  init(_ plan: AttentionPlan) {
    self.plan = plan
    let (rows, columns) = (plan.queryBlock, plan.keyBlock)
    let widest = max(plan.width, plan.valueWidth)
    let counts = [
      rows * plan.width, rows * columns, rows * columns, rows * plan.valueWidth,
      max(rows, columns) * widest, rows * widest, rows,
    ]
    // Parts begin at cache lines.
    var offsets: [Int] = [0]
    for count in counts + [rows * 8 / plan.dtype.byteCount, rows * 8 / plan.dtype.byteCount] {
      offsets.append((offsets[offsets.count - 1] + count * plan.dtype.byteCount + 63) / 64 * 64)
    }
    memory = UnsafeMutableRawPointer.allocate(
      byteCount: offsets[offsets.count - 1], alignment: 64)
    queries = memory
    scores = memory + offsets[1]
    slopes = memory + offsets[2]
    upstream = memory + offsets[3]
    part = memory + offsets[4]
    sum = memory + offsets[5]
    highest = memory + offsets[6]
    sums = (memory + offsets[7]).assumingMemoryBound(to: Double.self)
    factors = (memory + offsets[8]).assumingMemoryBound(to: Double.self)
  }

  deinit { memory.deallocate() }

  /// An operand of a product: `rows` and `columns` are strides in elements.
  struct Operand {
    let base: UnsafeRawPointer
    let rows: Int, columns: Int

    init(_ base: UnsafeMutableRawPointer, rows: Int, columns: Int = 1) {
      (self.base, self.rows, self.columns) = (UnsafeRawPointer(base), rows, columns)
    }

    var transposed: Operand {
      Operand(UnsafeMutableRawPointer(mutating: base), rows: columns, columns: rows)
    }
  }

  /// Computes `into = a b`, `a` of `m` by `k` and `b` of `k` by `n`, on this thread.
  func multiply(
    m: Int, n: Int, k: Int, _ a: Operand, _ b: Operand, into: UnsafeMutableRawPointer
  ) {
    if plan.dtype == .float32, OneDNN.isAvailable, m > 0, n > 0, k > 0,
      let aForm = StoredMatrix(rows: m, columns: k, rowStride: a.rows, columnStride: a.columns),
      let bForm = StoredMatrix(rows: k, columns: n, rowStride: b.rows, columnStride: b.columns),
      OneDNN.multiplyHere(
        m: m, n: n, k: k, a: a.base.assumingMemoryBound(to: Float.self), aForm,
        b: b.base.assumingMemoryBound(to: Float.self), bForm,
        into: into.assumingMemoryBound(to: Float.self))
    {
      return
    }
    Gemm.multiply(
      plan.dtype, m: m, n: n, k: k, a: a.base, aStrides: [a.rows, a.columns], b: b.base,
      bStrides: [b.rows, b.columns], into: into, threads: 1)
  }
}
