import COneDNN

extension OneDNN {
  /// Whether ``multiply(batch:m:n:k:a:aStrides:b:bStrides:into:)`` can read a matrix with these
  /// strides without a copy: rows or columns are contiguous, and rows do not overlap.
  package static func canRead(
    rows: Int, columns: Int, rowStride: Int, columnStride: Int
  ) -> Bool {
    StoredMatrix(rows: rows, columns: columns, rowStride: rowStride, columnStride: columnStride)
      != nil
  }

  /// Computes `c = a b` for a batch of matrices, `a` of `m` by `k` and `b` of `k` by `n`.
  ///
  /// Strides are in elements, for the axes of `batch`, then rows, then columns. A transposed
  /// operand has its last two strides swapped; one that is the same along a batch axis has stride 0
  /// there. `c` is row-major and dense, and shares no memory with `a` or `b`.
  ///
  /// An empty sum (`k` is 0) is 0. The order of a sum is oneDNN's: it is the same in every run only
  /// on the same processor with the same number of threads. Calls may come from several threads
  /// concurrently. It runs on `threads` threads. The first call of a process takes 30 milliseconds
  /// more, the first call with a new batched shape 0.2.
  ///
  /// PyTorch: `torch.matmul`.
  package static func multiply(
    batch: [Int] = [], m: Int, n: Int, k: Int,
    a: UnsafePointer<Float>, aStrides: [Int], b: UnsafePointer<Float>, bStrides: [Int],
    into c: UnsafeMutablePointer<Float>, threads: Int = 1
  ) throws(OneDNNError) {
    let plan = try MatrixProduct(
      batch: batch, m: m, n: n, k: k, aStrides: aStrides, bStrides: bStrides, threads: threads)
    try multiply(plan, a, b, into: c)
  }

  /// The same with a plan.
  package static func multiply(
    _ plan: MatrixProduct, _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>,
    into c: UnsafeMutablePointer<Float>
  ) throws(OneDNNError) {
    guard isAvailable else { throw OneDNNError.notBuilt }
    let size = plan.count * plan.m * plan.n
    if size == 0 || plan.k == 0 {
      c.update(repeating: 0, count: size)
      return
    }
    if plan.isFasterCompiled, let product = CompiledProduct.of(plan) {
      return try product.run(a, b, c)
    }
    use(threads: plan.threads)
    for index in 0..<plan.count {
      let (aOffset, bOffset) = plan.offsets(of: index)
      let status = norma_onednn_sgemm(
        plan.a.isTransposed, plan.b.isTransposed, Int64(plan.m), Int64(plan.n), Int64(plan.k),
        a + aOffset, Int64(plan.a.leading), b + bOffset, Int64(plan.b.leading),
        c + index * plan.m * plan.n, Int64(plan.n))
      if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
    }
  }
}

extension OneDNN {
  /// Computes one product `c = a b` from within a parallel region, on the calling thread; false if
  /// oneDNN cannot, and `c` then has no defined elements.
  ///
  /// `a` has `m` by `k` elements and `b` `k` by `n`; neither is empty. `c` is row-major and dense.
  package static func multiplyHere(
    m: Int, n: Int, k: Int, a: UnsafePointer<Float>, _ aForm: StoredMatrix,
    b: UnsafePointer<Float>, _ bForm: StoredMatrix, into c: UnsafeMutablePointer<Float>
  ) -> Bool {
    norma_onednn_sgemm(
      aForm.isTransposed, bForm.isTransposed, Int64(m), Int64(n), Int64(k), a,
      Int64(aForm.leading), b, Int64(bForm.leading), c, Int64(n)) == NORMA_ONEDNN_SUCCESS
  }

  /// Computes `c = a b` for matrices of `bfloat16`, as
  /// ``multiply(batch:m:n:k:a:aStrides:b:bStrides:into:threads:)`` does for `float32`: sums are
  /// carried in `float32` and rounded once; the processor's `bfloat16` instructions flush subnormal
  /// numbers to 0.
  ///
  /// - Throws: if oneDNN has no loops for this processor and shape; nothing has been written then.
  package static func multiplyBFloat16(
    batch: [Int], m: Int, n: Int, k: Int, a: UnsafeRawPointer, aStrides: [Int],
    b: UnsafeRawPointer, bStrides: [Int], into c: UnsafeMutableRawPointer, threads: Int
  ) throws(OneDNNError) {
    guard isAvailable else { throw OneDNNError.notBuilt }
    let plan = try MatrixProduct(
      batch: batch, m: m, n: n, k: k, aStrides: aStrides, bStrides: bStrides, threads: threads,
      type: .bfloat16)
    guard let product = CompiledProduct.of(plan) else {
      throw OneDNNError(status: Int32(NORMA_ONEDNN_UNIMPLEMENTED))
    }
    try product.run(a, b, c)
  }
}

extension MatrixProduct {
  /// Whether a compiled product is faster than a call of `sgemm` for every matrix. Measured with
  /// 2.6.3 on two cores: a batch 1.2 to 12 times as fast up to 512 by 512, equal above, and half as
  /// fast for columns; for two matrices compiling does not pay. A single product of 4 to 128 rows
  /// takes 0.2 to 0.9 of the time of `sgemm`, one of more rows 0.8 to 1.05, but 1.0 to 1.4 with a
  /// transposed matrix of short rows; few columns or terms do not pay.
  var isFasterCompiled: Bool {
    if count == 1 {
      let work = Double(m) * Double(n) * Double(k)
      let isTall = b.isTransposed && m > 512 && k < 1024
      return m >= 4 && n >= 16 && work >= 0x1p19 && !isTall
    }
    return count > 2 && n > 1 && batch.allSatisfy { $0.a >= 0 && $0.b >= 0 }
  }

  /// Whether packing the second operand once pays if it is used again: 0.6 to 0.95 of the time. A
  /// packed dense matrix gives the same bits (compared for 1,232 sizes), others do not.
  package var isPacked: Bool {
    count == 1 && type == .float32 && isFasterCompiled && n * k >= 1 << 12
      && b.leading == (b.isTransposed ? k : n)
  }

  /// The offsets of the operands of one product.
  func offsets(of index: Int) -> (a: Int, b: Int) {
    var rest = index
    var offsets = (a: 0, b: 0)
    for axis in batch.reversed() {
      offsets.a += rest % axis.length * axis.a
      offsets.b += rest % axis.length * axis.b
      rest /= axis.length
    }
    return offsets
  }
}
