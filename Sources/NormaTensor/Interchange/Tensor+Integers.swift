import NormaKernels

// Integers of types that no tensor has: `Int8`, `UInt16`, `UInt64` and so on. Nothing wraps.

extension Tensor {
  /// Integers of any Swift type, which `dtype` must hold as they are.
  ///
  /// `dtype` is an integer type. The first integer that it does not hold is named and refused. Cost:
  /// one conversion an element, in Swift. PyTorch: `torch.tensor(numpy_array)`.
  public init<I: BinaryInteger>(
    exactly integers: [I], shape: [Int]? = nil, dtype: DType = .int64,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let call = "Tensor(exactly:shape:dtype:)"
      guard dtype.isInteger else {
        throw TensorError(call, "\(dtype) is no integer type; cast the tensor afterwards")
      }
      let values = integers.compactMap { Int64(exactly: $0) }
      guard values.count == integers.count, let bounds = dtype.bounds,
        values.allSatisfy(bounds.contains)
      else {
        let wrong = integers.first { integer in
          Int64(exactly: integer).map { dtype.bounds?.contains($0) != true } ?? true
        }
        throw TensorError(call, "\(wrong.map { "\($0)" } ?? "a value") does not fit \(dtype)")
      }
      return Tensor(values, shape: shape ?? [values.count], dtype: dtype)
    }
  }

  /// The elements in row-major order as integers of any Swift type, which must hold them as they are.
  ///
  /// For tensors of integers and truth values. One 0 after a mistake.
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
    let values = array(of: Int64.self)
    let result = values.compactMap { I(exactly: $0) }
    if result.count < values.count {
      let wrong = values.first { I(exactly: $0) == nil } ?? 0
      report(TensorError(call, "\(wrong) does not fit \(type)"), file: file, line: line)
      return [0]
    }
    return result
  }
}

extension DType {
  /// What an integer type holds.
  fileprivate var bounds: ClosedRange<Int64>? {
    switch self {
    case .uint8: 0...255
    case .int32: Int64(Int32.min)...Int64(Int32.max)
    case .int64: .min ... .max
    case .bool, .float16, .bfloat16, .float32, .float64: nil
    }
  }
}
