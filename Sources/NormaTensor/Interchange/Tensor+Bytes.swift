import NormaValues

extension Tensor {
  /// A tensor copied from bytes in memory: elements in row-major order, in the processor's byte
  /// order.
  ///
  /// The number of bytes must match the shape. For `bool` any byte but 0 is true.
  /// PyTorch: `torch.frombuffer(bytes, dtype=dtype).reshape(shape).clone()`.
  public init(
    copying bytes: UnsafeRawBufferPointer, shape: [Int], dtype: DType,
    file: StaticString = #fileID, line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let call = "Tensor(copying:shape:dtype:)"
      let count = try Shape.count(shape, call: call)
      guard bytes.count == count * dtype.byteCount else {
        throw TensorError(
          call,
          "\(bytes.count) bytes do not fill shape \(shape) of \(dtype), which has "
            + "\(count * dtype.byteCount)")
      }
      let stored = dtype == .bool ? .uint8 : dtype
      let copy = Tensor(shape: shape, dtype: stored) { $0.copyMemory(from: bytes) }
      return stored == dtype ? copy : copy.cast(to: dtype).evaluated()
    }
  }
}
