import NormaValues

extension Tensor {
  /// Calls `body` with the elements as bytes in row-major order; without a copy if they are
  /// contiguous. A poisoned tensor has no bytes. The pointer must not escape `body`.
  public func withUnsafeBytes<R>(
    file: StaticString = #fileID, line: UInt = #line,
    _ body: (UnsafeRawBufferPointer) throws -> R
  ) rethrows -> R {
    let source = contiguous()
    let storage = source.node.materialize()
    ErrorScope.locate(call: "withUnsafeBytes(_:)", file, line)
    if source.isPoisoned { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try withExtendedLifetime(storage) {
      try body(
        UnsafeRawBufferPointer(
          start: storage.base + source.layout.offset * dtype.byteCount,
          count: count * dtype.byteCount))
    }
  }

  /// Calls `body` with the elements in row-major order as values of their own type; without a copy
  /// if they are contiguous. The pointer must not escape `body`. PyTorch: `data_ptr`.
  public func withUnsafeBuffer<T: TensorElement, R>(
    of type: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R {
    if T.dtype != dtype && !isPoisoned {
      report(
        TensorError(
          "withUnsafeBuffer(of:)", "the tensor is \(dtype), not \(T.dtype); cast it first"),
        file: file, line: line)
      return try body(UnsafeBufferPointer(start: nil, count: 0))
    }
    // A single 0 if poisoned, so that reading the first element does not end the process. Making
    // the elements contiguous may run out of memory.
    let values = contiguous().evaluated()
    ErrorScope.locate(call: "withUnsafeBuffer(of:)", file, line)
    if values.isPoisoned {
      return try withUnsafePointer(to: T(wrapping: 0)) {
        try body(UnsafeBufferPointer(start: $0, count: 1))
      }
    }
    return try values.withUnsafeBytes { try body($0.bindMemory(to: T.self)) }
  }

  /// The elements in row-major order as a Swift array, cast to its type. A single 0 if poisoned.
  /// PyTorch: `flatten().tolist()`.
  public func array<T: TensorElement>(
    of type: T.Type = T.self, file: StaticString = #fileID, line: UInt = #line
  ) -> [T] {
    elements(call: "array(of:)", file, line)
  }

  /// The elements in row-major order for a call that reads them; a single 0 if poisoned.
  func elements<T: TensorElement>(
    call: String, _ file: StaticString, _ line: UInt
  ) -> [T] {
    let values =
      evaluated().isPoisoned ? self : cast(to: T.dtype).contiguous().evaluated()
    ErrorScope.locate(call: call, file, line)
    // Memory may have run out.
    if values.isPoisoned { return [T(wrapping: 0)] }
    return values.withUnsafeBytes { Array($0.bindMemory(to: T.self)) }
  }

  /// The number in a tensor of one element; 0 if poisoned. PyTorch: `item()`.
  ///
  /// Integers beyond 2⁵³ are rounded; read them with ``item(as:file:line:)``.
  public func item(file: StaticString = #fileID, line: UInt = #line) -> Double {
    item(as: Double.self, file: file, line: line)
  }

  /// The number in a tensor of one element, in the type that the context requires, converted as
  /// ``cast(to:file:line:)`` does; 0 if poisoned. PyTorch: `item()`.
  ///
  ///     let name = names[scores.argmax().item()]  // an Int
  ///     let loss: Float = loss.item()
  @_disfavoredOverload
  public func item<T: TensorElement>(
    as type: T.Type = T.self, file: StaticString = #fileID, line: UInt = #line
  ) -> T {
    guard count == 1 else {
      report(
        TensorError(
          "item()", "shape \(shape) has \(count) elements, not one; use array(of:) or reduce it"),
        file: file, line: line)
      return T(wrapping: 0)
    }
    if isPoisoned { return T(wrapping: 0) }
    return elements(call: "item()", file, line)[0]
  }

  /// Whether both tensors have the same shape, type and elements. NaN differs from itself. Cost:
  /// one pass over both. PyTorch: `torch.equal`.
  public func isEqual(to other: Tensor) -> Bool {
    guard shape == other.shape, dtype == other.dtype, !isPoisoned, !other.isPoisoned else {
      return false
    }
    return (self .== other).all().item() == 1
  }

  /// Whether |a - b| <= atol + rtol |b| for all elements, with broadcasting. Equal infinities are
  /// close. Cost: one pass over both.
  /// PyTorch: `torch.allclose`, with the same defaults.
  public func allClose(
    to other: Tensor, rtol: Double = 1e-5, atol: Double = 1e-8, equalNaN: Bool = false,
    file: StaticString = #fileID, line: UInt = #line
  ) -> Bool {
    let type = Promotion.type([self, other])
    let result = cast(to: type).isClose(
      to: other.cast(to: type), rtol: rtol, atol: atol, equalNaN: equalNaN, file: file, line: line)
    return !result.isPoisoned && result.all().item() == 1
  }
}
