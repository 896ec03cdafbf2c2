import NormaValues

// Integers of any Swift type to and from any integer element type. Nothing wraps.

extension Tensor {
  /// Integers of any Swift type, which `dtype` must represent exactly.
  ///
  /// `dtype` is an integer type. The error names the first integer that does not fit. Cost: one
  /// conversion per element, in Swift.
  /// PyTorch: `torch.tensor(numpy_array)`.
  public init<I: BinaryInteger>(
    exactly integers: [I], shape: [Int]? = nil, dtype: DType = .int64,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let call = "Tensor(exactly:shape:dtype:)"
      guard dtype.isInteger else {
        throw TensorError(call, "\(dtype) is not an integer type; cast the tensor afterwards")
      }
      let (low, high) = dtype.integerBounds ?? (0, 0)
      if let wrong = integers.first(where: { $0 < low || $0 > high }) {
        throw TensorError(call, "\(wrong) does not fit \(dtype)")
      }
      if dtype == .uint64 {
        let values = integers.map { UInt64(truncatingIfNeeded: $0) }
        return Tensor(values, shape: shape ?? [values.count])
      }
      let values = integers.map { Int64(truncatingIfNeeded: $0) }
      return Tensor(values, shape: shape ?? [values.count], dtype: dtype)
    }
  }

  /// The elements in row-major order as integers of any Swift type, which must represent them
  /// exactly.
  ///
  /// For tensors of integers and Booleans. A single 0 after a mistake.
  public func array<I: FixedWidthInteger>(
    exactly type: I.Type, file: StaticString = #fileID, line: UInt = #line
  ) -> [I] {
    if isPoisoned { return [0] }
    let call = "array(exactly:)"
    guard !dtype.isFloatingPoint else {
      report(
        TensorError(call, "\(dtype) holds real numbers; cast(to: .int64) first"), file: file,
        line: line)
      return [0]
    }
    return dtype == .uint64
      ? whole(array(of: UInt64.self), as: type, file, line)
      : whole(array(of: Int64.self), as: type, file, line)
  }

  private func whole<I: FixedWidthInteger, J: FixedWidthInteger>(
    _ values: [J], as type: I.Type, _ file: StaticString, _ line: UInt
  ) -> [I] {
    let result = values.compactMap { I(exactly: $0) }
    if result.count < values.count {
      let wrong = values.first { I(exactly: $0) == nil } ?? 0
      report(
        TensorError("array(exactly:)", "\(wrong) does not fit \(type)"), file: file, line: line)
      return [0]
    }
    return result
  }
}
