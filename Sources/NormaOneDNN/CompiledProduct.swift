import COneDNN
import NormaValues

/// oneDNN's compiled form of a batch of products. Compiling takes at least 0.2 milliseconds.
final class CompiledProduct: @unchecked Sendable {  // The C object never changes.
  private let product: OpaquePointer

  /// Nil if oneDNN cannot compute this batch in one call, or only with its slow reference loops.
  init?(_ plan: MatrixProduct) {
    guard plan.batch.count + 2 <= Int(NORMA_ONEDNN_MAX_RANK) else { return nil }
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
      norma_onednn_product_create(&product, plan.type.number, &a, &b, &c)
        == NORMA_ONEDNN_SUCCESS, let product
    else { return nil }
    self.product = product
    let name = String(cString: norma_onednn_product_implementation(product))
    if name.hasPrefix("ref") { return nil }
  }

  deinit { norma_onednn_product_free(product) }

  func run(
    _ a: UnsafeRawPointer, _ b: UnsafeRawPointer, _ c: UnsafeMutableRawPointer
  ) throws(OneDNNError) {
    let status = norma_onednn_product_run(product, a, b, c)
    if status != NORMA_ONEDNN_SUCCESS { throw OneDNNError(status: status) }
  }

  /// The most recently compiled products, shared by all threads. Nil marks a batch that has no
  /// compiled form, so that it is not tried again.
  static let cache = SharedCache<MatrixProduct, CompiledProduct?>(capacity: 256)

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
