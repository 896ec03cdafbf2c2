import NormaValues

// The one door to the kernels that order, search, count and scan elements: narrow types go through it in wider ones.

extension Tensor {
  /// The elements in the type whose kernels take them, in the same order: see ``DType/kernelType``.
  var inKernelType: Tensor {
    let wide = cast(to: dtype.kernelType)
    return dtype == .uint64 ? wide .^ Int64.min : wide
  }

  /// What such a kernel made of elements of `dtype`, as that type.
  func outOfKernelType(to dtype: DType) -> Tensor {
    (dtype == .uint64 ? self .^ Int64.min : self).cast(to: dtype)
  }

  /// Integers as positions: `int64`, those beyond it its largest, which is no position.
  var asPositions: Tensor {
    (dtype == .uint64 ? clamped(max: Int64.max) : self).cast(to: .int64)
  }
}

extension DType {
  /// The type of sums and products of elements: that of a real type itself, of integers `int64`, of `uint64` itself.
  var sumType: DType { isFloatingPoint || self == .uint64 ? self : .int64 }
}
