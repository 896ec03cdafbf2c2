import COneDNN
import NormaValues

/// oneDNN's compiled form of a batch of products. Compiling takes at least 0.2 milliseconds.
package final class CompiledProduct: @unchecked Sendable {  // The C object never changes.
  private let product: OpaquePointer
  private let threads: Int

  /// Nil if oneDNN cannot compute this batch in one call, or only with its slow reference loops; a
  /// single product needs the loops that are faster than `sgemm`.
  ///
  /// - Parameter packs: whether the second operand is packed before it is read.
  init?(_ plan: MatrixProduct, packs: Bool) {
    guard plan.batch.count + 2 <= Int(NORMA_ONEDNN_MAX_RANK) else { return nil }
    OneDNN.use(threads: plan.threads)
    var a = Self.operand(plan.batch.map { ($0.length, $0.a) }, plan.m, plan.k, plan.a)
    var b = Self.operand(plan.batch.map { ($0.length, $0.b) }, plan.k, plan.n, plan.b)
    var step = plan.m * plan.n
    var resultAxes: [(Int, Int)] = []
    for axis in plan.batch.reversed() {
      resultAxes.insert((axis.length, step), at: 0)
      step *= axis.length
    }
    var c = Self.operand(
      resultAxes, plan.m, plan.n, StoredMatrix(isTransposed: false, leading: plan.n))
    var product: OpaquePointer?
    guard
      norma_onednn_product_create(&product, plan.type.number, &a, &b, &c, packs)
        == NORMA_ONEDNN_SUCCESS, let product
    else { return nil }
    (self.product, threads) = (product, plan.threads)
    let name = String(cString: norma_onednn_product_implementation(product))
    if name.hasPrefix("ref") { return nil }
    if plan.count == 1, plan.type == .float32, !name.hasPrefix("brg") { return nil }
    if packs, packedByteCount == 0 { return nil }
  }

  deinit { norma_onednn_product_free(product) }

  /// Computes `c` on the plan's number of threads; `b` is packed if this is a product
  /// ``of(packing:)``.
  package func run(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer
  ) throws(OneDNNError) {
    OneDNN.use(threads: threads)
    let status = norma_onednn_product_run(product, a, b, c)
    if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
  }

  // The most recently compiled products, shared by all threads. Nil marks a batch that has no
  // compiled form, so that it is not tried again.
  private static let cache = SharedCache<MatrixProduct, CompiledProduct?>(capacity: 256)
  private static let packing = SharedCache<MatrixProduct, CompiledProduct?>(capacity: 256)

  /// The compiled form of a plan, from an earlier call or new.
  static func of(_ plan: MatrixProduct) -> CompiledProduct? {
    cache.value(for: plan) { CompiledProduct(plan, packs: false) }
  }

  /// The compiled form that reads a packed second operand; nil if packing gains nothing. Its
  /// results have the same bits.
  package static func of(packing plan: MatrixProduct) -> CompiledProduct? {
    guard plan.isPacked else { return nil }
    return packing.value(for: plan) { CompiledProduct(plan, packs: true) }
  }

  private static func operand(
    _ axes: [(length: Int, stride: Int)], _ rows: Int, _ columns: Int, _ stored: StoredMatrix
  ) -> norma_onednn_matrices {
    let matrix = stored.isTransposed ? (1, stored.leading) : (stored.leading, 1)
    // A repeated matrix has length 1 there, and a stride that only has to be valid.
    let size = (stored.isTransposed ? columns : rows) * stored.leading
    let lengths = axes.map { $0.stride == 0 ? 1 : $0.length } + [rows, columns]
    let strides = axes.map { $0.stride == 0 ? size : $0.stride } + [matrix.0, matrix.1]
    return norma_onednn_matrices(dims: lengths, strides: strides)
  }
}

extension CompiledProduct: WeightsPacking {
  /// The bytes of a packed second operand.
  package var packedByteCount: Int { Int(norma_onednn_product_packed_size(product)) }

  /// Packs a second operand.
  package func pack(
    _ weights: UnsafeRawPointer, into packed: UnsafeMutableRawPointer
  ) throws(OneDNNError) {
    let status = norma_onednn_product_pack(product, weights, packed)
    if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
  }

  /// Whether a second operand packed for the other product is packed for this one, too.
  package func packsLike(_ other: any WeightsPacking) -> Bool {
    guard let other = other as? CompiledProduct else { return false }
    return self === other || norma_onednn_product_packs_alike(product, other.product)
  }
}

extension norma_onednn_matrices {
  /// At most `NORMA_ONEDNN_MAX_RANK` axes.
  init(dims: [Int], strides: [Int]) {
    self.init()
    rank = Int32(dims.count)
    withUnsafeMutableBytes(of: &self.dims) { bytes in
      _ = bytes.bindMemory(to: Int64.self).update(fromContentsOf: dims.map(Int64.init))
    }
    withUnsafeMutableBytes(of: &self.strides) { bytes in
      _ = bytes.bindMemory(to: Int64.self).update(fromContentsOf: strides.map(Int64.init))
    }
  }
}
