import NormaKernels

/// Stub, replaced by the engine; the signatures stay.
public struct Tensor: Sendable {
  public let shape: [Int]
  public let dtype: DType
  let bytes: [UInt8]

  package init(
    shape: [Int], dtype: DType, fill: (UnsafeMutableRawBufferPointer) throws -> Void
  ) rethrows {
    self.shape = shape
    self.dtype = dtype
    var bytes = [UInt8](repeating: 0, count: shape.reduce(1, *) * dtype.byteCount)
    try bytes.withUnsafeMutableBytes(fill)
    self.bytes = bytes
  }

  public func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try bytes.withUnsafeBytes(body)
  }
}
