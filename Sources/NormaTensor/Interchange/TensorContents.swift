#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What a tensor holds, to be compared and hashed: a key of a dictionary, a member of a set.
///
/// Equal are the same type, the same shape and the same bits, in whatever layout: NaN equals NaN of
/// its bits, and 0 differs from -0. That is an equivalence, which ``Tensor/isEqual(to:)`` (as numbers) and
/// `.==` (element by element) are not; so `Tensor` itself has no `==`. Cost: one trip over each.
public struct TensorContents: Hashable, Sendable {
  /// The tensor, evaluated and without history.
  public let tensor: Tensor

  fileprivate init(_ tensor: Tensor) { self.tensor = tensor.detached().contiguous().evaluated() }

  /// Whether type, shape and all bits are equal.
  public static func == (a: TensorContents, b: TensorContents) -> Bool {
    let (x, y) = (a.tensor, b.tensor)
    guard x.dtype == y.dtype, x.shape == y.shape, x.isPoisoned == y.isPoisoned else {
      return false
    }
    return x.withUnsafeBytes { left in
      y.withUnsafeBytes { right in
        guard let left = left.baseAddress, let right = right.baseAddress else { return true }
        return memcmp(left, right, x.count * x.dtype.byteCount) == 0
      }
    }
  }

  /// Hashes type, shape and bytes.
  public func hash(into hasher: inout Hasher) {
    hasher.combine(tensor.dtype)
    hasher.combine(tensor.shape)
    tensor.withUnsafeBytes { hasher.combine(bytes: $0) }
  }
}

extension Tensor {
  /// What this tensor holds, as a value to compare and hash. PyTorch: none.
  public var contents: TensorContents { TensorContents(self) }
}
