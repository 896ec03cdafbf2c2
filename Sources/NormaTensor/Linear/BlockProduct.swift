import NormaKernels
import NormaOneDNN

/// Products of small matrices in memory, on the calling thread: within kernels that divide their
/// work among threads themselves.
enum BlockProduct {
  /// An operand: `rows` and `columns` are strides in elements.
  struct Operand {
    let base: UnsafeRawPointer
    let rows: Int, columns: Int

    init(_ base: UnsafeMutableRawPointer, rows: Int, columns: Int = 1) {
      self.init(UnsafeRawPointer(base), rows: rows, columns: columns)
    }

    init(_ base: UnsafeRawPointer, rows: Int, columns: Int = 1) {
      (self.base, self.rows, self.columns) = (base, rows, columns)
    }

    var transposed: Operand { Operand(base, rows: columns, columns: rows) }
  }

  /// Computes `result = a b`, `a` of `m` by `k` and `b` of `k` by `n`.
  static func multiply(
    _ dtype: DType, m: Int, n: Int, k: Int, _ a: Operand, _ b: Operand,
    into result: UnsafeMutableRawPointer
  ) {
    if dtype == .float32, OneDNN.isAvailable, m > 0, n > 0, k > 0,
      let aForm = StoredMatrix(rows: m, columns: k, rowStride: a.rows, columnStride: a.columns),
      let bForm = StoredMatrix(rows: k, columns: n, rowStride: b.rows, columnStride: b.columns),
      OneDNN.multiplyHere(
        m: m, n: n, k: k, a: a.base.assumingMemoryBound(to: Float.self), aForm,
        b: b.base.assumingMemoryBound(to: Float.self), bForm,
        into: result.assumingMemoryBound(to: Float.self))
    {
      return
    }
    Gemm.multiply(
      dtype, m: m, n: n, k: k, a: a.base, aStrides: [a.rows, a.columns], b: b.base,
      bStrides: [b.rows, b.columns], into: result, threads: 1)
  }
}
