import NormaValues

// The only way to the kernels that sort, search, count and scan elements: narrow types are
// converted to wider ones.

extension Tensor {
  /// The elements in the type of these kernels, in the same order: see ``DType/kernelType``.
  var inKernelType: Tensor {
    let wide = cast(to: dtype.kernelType)
    return dtype == .uint64 ? wide .^ Int64.min : wide
  }

  /// A result of such a kernel for elements of `dtype`, converted back to that type.
  func outOfKernelType(to dtype: DType) -> Tensor {
    (dtype == .uint64 ? self .^ Int64.min : self).cast(to: dtype)
  }

  /// Integers as indices: `int64`; larger ones become the largest `int64`, which is never a valid
  /// index.
  var asPositions: Tensor {
    (dtype == .uint64 ? clamped(max: Int64.max) : self).cast(to: .int64)
  }
}

extension DType {
  /// The type of sums and products of elements: a real type itself, `int64` for integers, `uint64`
  /// itself.
  var sumType: DType { isFloatingPoint || self == .uint64 ? self : .int64 }
}
