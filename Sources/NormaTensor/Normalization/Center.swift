/// A mean as two numbers of the computing type, so that data far from zero keep their digits.
struct Center {
  let high: Tensor
  let low: Tensor

  init(_ mean: Tensor, in type: DType) {
    high = mean.cast(to: type)
    // If the mean has the computing type already, its low part is zero, even if it is infinite.
    low =
      mean.dtype == type
      ? Center.zeros(mean.shape, type) : (mean - high.cast(to: .float64)).cast(to: type)
  }

  /// Zeros in the mean's shape: a single number for all channels would be expanded in every tile.
  static func zeros(_ shape: [Int], _ type: DType) -> Tensor {
    KernelRecorder.outside {
      Tensor(shape: shape, dtype: type) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
    }
  }
}
