#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The contents of a tensor, to be compared and hashed: a key of a dictionary, a member of a set.
///
/// Contents are equal if type, shape and bits are, in any layout: NaN equals a NaN with the same
/// bits, and 0 differs from -0. This is an equivalence relation, which ``Tensor/isEqual(to:)``
/// (numeric equality) and `.==` (element by element) are not; so `Tensor` itself has no `==`. Cost:
/// one pass over each.
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
  /// The contents of this tensor as a value to compare and hash. PyTorch: none.
  public var contents: TensorContents { TensorContents(self) }
}
