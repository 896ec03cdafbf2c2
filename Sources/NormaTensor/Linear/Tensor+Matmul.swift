import NormaKernels
import NormaOneDNN

extension Tensor {
  /// The matrix product, with PyTorch's rules for the number of axes.
  ///
  /// - `[n] · [n]` is a scalar; `[m, k] · [k]` and `[k] · [k, n]` are vectors.
  /// - `[..., m, k] · [..., k, n]` multiplies matrices; the leading axes broadcast.
  ///
  /// Both tensors have the same type. `float32` runs on oneDNN, whose last bits may depend on the
  /// number of threads, except for up to 1024 terms (2048 in a batch), which are summed in
  /// `float64`; half types are multiplied in `float32` and rounded once, `bfloat16` by oneDNN's own
  /// loops if they are faster on the processor (they flush subnormal numbers to 0); `float64` and
  /// integers run on plain loops. Runs eagerly, except that the product of two vectors of real
  /// numbers is a pending sum, carried in `float64`.
  /// PyTorch: `torch.matmul`.
  public func matmul(
    _ other: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, other, file: file, line: line) { () throws(TensorError) in
      if Autocast.type != nil {
        return try Autocast.off { [a = narrowed, b = other.narrowed] () throws(TensorError) in
          try a.multiplied(b).noted(.matmul, [a, b])
        }
      }
      return try multiplied(other).noted(.matmul, [self, other])
    }
  }

  private func multiplied(_ other: Tensor) throws(TensorError) -> Tensor {
    try Tensor.checkProduct(self, other)
    if rank == 1, other.rank == 1, shape == other.shape, dtype.isFloatingPoint {
      return try productSum(other, over: [0], call: "matmul(_:)")
    }
    if !Tensor.isRecorded([self, other]), let plain = try plainProduct(other) { return plain }
    // A vector is a row on the left and a column on the right; its axis is dropped at the end.
    var a = rank == 1 ? unsqueezed(0) : self
    // One product of a tall matrix is faster than many with the same second factor.
    let isTall = rank > 2 && other.rank <= 2 && layout.isContiguous
    if isTall { a = a.reshaped(-1, shape[rank - 1]) }
    let b = other.rank == 1 ? other.unsqueezed(1) : other
    guard a.shape[a.rank - 1] == b.shape[b.rank - 2] else {
      throw TensorError(
        "matmul(_:)",
        "shapes \(shape) and \(other.shape) cannot be multiplied: \(a.shape[a.rank - 1]) columns "
          + "and \(b.shape[b.rank - 2]) rows")
    }
    var result = try Tensor.product(a.detached(), b.detached())
      .recorded("matmul(_:)", from: [a, b], saving: [a, b], runsAtOnce: true) { rule in
        let (a, b) = (rule.saved[0], rule.saved[1])
        return [
          rule.whenNeeded(0) {
            a.isColumnMajor
              ? b.matmul(rule.upstream.transposed()).transposed()
              : rule.upstream.matmul(b.transposed())
          },
          rule.whenNeeded(1) {
            b.isColumnMajor
              ? rule.upstream.transposed().matmul(a).transposed()
              : a.transposed().matmul(rule.upstream)
          },
        ]
      }
    if isTall { result = result.reshaped(shape.dropLast() + [b.shape[1]]) }
    if other.rank == 1 { result = result.squeezed(-1) }
    if rank == 1 { result = result.squeezed(other.rank == 1 ? -1 : -2) }
    return result
  }

  private static func checkProduct(_ a: Tensor, _ b: Tensor) throws(TensorError) {
    guard a.rank > 0, b.rank > 0 else {
      throw TensorError(
        "matmul(_:)", "shapes \(a.shape) and \(b.shape): both tensors need at least one axis")
    }
    guard a.dtype == b.dtype else {
      throw TensorError("matmul(_:)", "\(a.dtype) and \(b.dtype) differ; cast one of them")
    }
    try demand(a.dtype != .bool, "matmul(_:)", "Booleans have no product; cast(to: .float32) first")
  }

  /// Whether a matrix is stored column by column: its gradient then is, too.
  private var isColumnMajor: Bool {
    let strides = layout.strides.suffix(2)
    return strides.first == 1 && strides.last != 1
  }

  /// The product of a matrix and a vector or another matrix, without creating views; nil if more is
  /// needed.
  private func plainProduct(_ other: Tensor) throws(TensorError) -> Tensor? {
    guard rank <= 2, other.rank <= 2, Gemm.supports(dtype) else { return nil }
    let (k, l) = (layout.shape[rank - 1], other.layout.shape[0])
    let left = [rank == 1 ? k : layout.strides[0], layout.strides[rank - 1]]
    let right = [other.layout.strides[0], other.rank == 1 ? 1 : other.layout.strides[1]]
    let m = rank == 1 ? 1 : layout.shape[0]
    let n = other.rank == 1 ? 1 : other.layout.shape[1]
    guard k == l,
      OneDNN.canRead(rows: m, columns: k, rowStride: left[0], columnStride: left[1]),
      OneDNN.canRead(rows: k, columns: n, rowStride: right[0], columnStride: right[1])
    else { return nil }
    let shape = Array(layout.shape.dropLast() + other.layout.shape.dropFirst())
    _ = try Shape.count(shape, call: "matmul(_:)")
    return Tensor.multiplied(self, left, other, right, batch: [], (m, k, n), into: shape)
  }

  private static func product(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
    let (m, k, n) = (a.shape[a.rank - 2], a.shape[a.rank - 1], b.shape[b.rank - 1])
    let batch = try Shape.broadcast(
      Array(a.shape.dropLast(2)), Array(b.shape.dropLast(2)), call: "matmul(_:)")
    _ = try Shape.count(batch + [m, n], call: "matmul(_:)")
    let isSmall =
      m <= 1 || n <= 1 || Gemm.isSmall(.float32, products: batch.reduce(1, *), m: m, n: n, k: k)
    let isNarrow = a.dtype == .bfloat16 && !isSmall && BFloat16Loops.multiply
    if !isNarrow && !Gemm.supports(a.dtype) { return try widenedProduct(a, b) }
    let left = a.broadcast(to: batch + [m, k]).readable
    let right = b.broadcast(to: batch + [k, n]).readable
    let product = multiplied(
      left, left.strides, right, right.strides, batch: batch, (m, k, n), into: batch + [m, n])
    if let product { return product }
    return try widenedProduct(a, b)
  }

  /// Products of narrow types are computed in wider ones, and rounded or wrapped; `uint64` has the
  /// bits of `int64`.
  private static func widenedProduct(_ a: Tensor, _ b: Tensor) throws(TensorError) -> Tensor {
    let wide = a.dtype.kernelType
    return try product(a.cast(to: wide), b.cast(to: wide)).cast(to: a.dtype)
  }

  /// Products of `batch` matrices m x k and k x n with the given strides; nil if oneDNN cannot
  /// multiply them as `bfloat16`.
  private static func multiplied(
    _ left: Tensor, _ leftStrides: [Int], _ right: Tensor, _ rightStrides: [Int], batch: [Int],
    _ size: (m: Int, k: Int, n: Int), into shape: [Int]
  ) -> Tensor? {
    let (m, k, n) = size
    let (a, b) = (left.memory(), right.memory())
    if a.storage.isMissing || b.storage.isMissing { return .poisoned }
    let (dtype, layout, threads) = (left.dtype, Layout(contiguous: shape), TensorThreads.count)
    guard let result = Storage.roomOrReport(layout, dtype) else { return .poisoned }
    func run(
      _ way: ProductWay, _ traits: @autoclosure () -> Set<ExecutionPlan.Trait>
    ) -> Bool {
      var second = b
      if case .packed(_, let matrix) = way { second = .reads(matrix) }
      let hasRun = KernelRecorder.run([a, second, .writes(result)]) { at in
        way.run(
          dtype, (batch, m, n, k), at[0], leftStrides, at[1], rightStrides, into: at[2],
          threads: threads)
      }
      if hasRun {
        ExecutionLog.add(
          ExecutionPlan.Step(
            .product, ["matmul"], over: batch + [m, k, n],
            reads: left.touchedBytes + right.touchedBytes,
            writes: layout.count * dtype.byteCount, traits()))
      }
      return hasRun
    }
    var hasRun = false
    if dtype == .bfloat16 {
      if !run(.bfloat16, [.oneDNN]) { return nil }
      hasRun = true
    } else if dtype == .float32 && OneDNN.isAvailable
      && !Gemm.isSmall(dtype, products: batch.reduce(1, *), m: m, n: n, k: k)
    {
      do throws(OneDNNError) {
        let plan = try MatrixProduct(
          batch: batch, m: m, n: n, k: k, aStrides: leftStrides, bStrides: rightStrides,
          threads: threads)
        let packed = try b.storage.packed(for: plan, from: right.layout.offset, at: b.address)
        hasRun =
          packed.map {
            run(.packed($0.product, $0.matrix), [.oneDNN, $0.isNew ? .packed : .prepacked])
          } ?? run(.library(plan), [.oneDNN])
      } catch {
        // The plain loops support everything.
      }
    }
    if !hasRun { _ = run(.ownLoops, [.ownLoops]) }
    return Tensor(stored: result, dtype, layout)
  }

  /// This batch of matrices as oneDNN can read it: a copy if neither rows nor columns are
  /// contiguous.
  var readable: Tensor {
    OneDNN.canRead(
      rows: shape[rank - 2], columns: shape[rank - 1], rowStride: strides[rank - 2],
      columnStride: strides[rank - 1]) ? self : copied()
  }
}

/// How a batch of products is computed.
private enum ProductWay: Sendable {
  /// The second operand is this memory.
  case packed(CompiledProduct, Storage)
  case library(MatrixProduct)
  case bfloat16
  case ownLoops

  /// False if oneDNN failed.
  func run(
    _ dtype: DType, _ size: (batch: [Int], m: Int, n: Int, k: Int), _ a: UnsafeRawPointer,
    _ aStrides: [Int], _ b: UnsafeRawPointer, _ bStrides: [Int],
    into c: UnsafeMutableRawPointer, threads: Int
  ) -> Bool {
    do throws(OneDNNError) {
      switch self {
      case .packed(let product, _):
        try product.run(a, b, c)
      case .library(let plan):
        try OneDNN.multiply(
          plan, a.assumingMemoryBound(to: Float.self), b.assumingMemoryBound(to: Float.self),
          into: c.assumingMemoryBound(to: Float.self))
      case .bfloat16:
        try OneDNN.multiplyBFloat16(
          batch: size.batch, m: size.m, n: size.n, k: size.k, a: a, aStrides: aStrides, b: b,
          bStrides: bStrides, into: c, threads: threads)
      case .ownLoops:
        Gemm.multiply(
          dtype, batch: size.batch, m: size.m, n: size.n, k: size.k, a: a, aStrides: aStrides,
          b: b, bStrides: bStrides, into: c, threads: threads)
      }
    } catch {
      return false
    }
    return true
  }
}
