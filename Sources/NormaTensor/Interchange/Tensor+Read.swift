import NormaValues

extension Tensor {
  /// Lends the elements as bytes in row-major order; without a copy where they lie so already. A
  /// poisoned tensor lends none. The pointer must not leave `body`.
  public func withUnsafeBytes<R>(
    file: StaticString = #fileID, line: UInt = #line,
    _ body: (UnsafeRawBufferPointer) throws -> R
  ) rethrows -> R {
    let source = contiguous()
    let storage = source.node.materialize()
    ErrorScope.place(call: "withUnsafeBytes(_:)", file, line)
    if source.isPoisoned { return try body(UnsafeRawBufferPointer(start: nil, count: 0)) }
    return try withExtendedLifetime(storage) {
      try body(
        UnsafeRawBufferPointer(
          start: storage.base + source.layout.offset * dtype.byteCount,
          count: count * dtype.byteCount))
    }
  }

  /// Lends the elements in row-major order as values of their own type; without a copy where they
  /// lie so already. The pointer must not leave `body`. PyTorch: `data_ptr`.
  public func withUnsafeBuffer<T: TensorElement, R>(
    of type: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (UnsafeBufferPointer<T>) throws -> R
  ) rethrows -> R {
    if T.dtype != dtype && !isPoisoned {
      report(
        TensorError(
          "withUnsafeBuffer(of:)", "the tensor holds \(dtype), not \(T.dtype); cast it first"),
        file: file, line: line)
      return try body(UnsafeBufferPointer(start: nil, count: 0))
    }
    // One 0, so that looking at the first element does not end the process.
    // Row-major elements may need memory of their own.
    let values = contiguous().evaluated()
    ErrorScope.place(call: "withUnsafeBuffer(of:)", file, line)
    if values.isPoisoned {
      return try withUnsafePointer(to: T(wrapping: 0)) {
        try body(UnsafeBufferPointer(start: $0, count: 1))
      }
    }
    return try values.withUnsafeBytes { try body($0.bindMemory(to: T.self)) }
  }

  /// The elements in row-major order as a Swift array, cast to its type. One 0 if poisoned.
  /// PyTorch: `flatten().tolist()`.
  public func array<T: TensorElement>(
    of type: T.Type = T.self, file: StaticString = #fileID, line: UInt = #line
  ) -> [T] {
    elements(call: "array(of:)", file, line)
  }

  /// The elements in row-major order for a call that reads them; one 0 if poisoned.
  func elements<T: TensorElement>(
    call: String, _ file: StaticString, _ line: UInt
  ) -> [T] {
    let values =
      evaluated().isPoisoned ? self : cast(to: T.dtype).contiguous().evaluated()
    ErrorScope.place(call: call, file, line)
    // There may have been no memory.
    if values.isPoisoned { return [T(wrapping: 0)] }
    return values.withUnsafeBytes { Array($0.bindMemory(to: T.self)) }
  }

  /// The number that a tensor of one element holds; 0 if poisoned. PyTorch: `item()`.
  ///
  /// Integers beyond 2⁵³ are rounded; read them with ``item(as:file:line:)``.
  public func item(file: StaticString = #fileID, line: UInt = #line) -> Double {
    item(as: Double.self, file: file, line: line)
  }

  /// The number that a tensor of one element holds, in the type that the context asks for, converted as
  /// ``cast(to:file:line:)`` converts; 0 if poisoned. PyTorch: `item()`.
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
          "item()", "shape \(shape) has \(count) elements, not one; take array(of:) or reduce it"),
        file: file, line: line)
      return T(wrapping: 0)
    }
    if isPoisoned { return T(wrapping: 0) }
    return elements(call: "item()", file, line)[0]
  }

  /// Whether both tensors have the same shape, type and elements. NaN differs from itself.
  /// Cost: one trip over both. PyTorch: `torch.equal`.
  public func isEqual(to other: Tensor) -> Bool {
    guard shape == other.shape, dtype == other.dtype, !isPoisoned, !other.isPoisoned else {
      return false
    }
    return (self .== other).all().item() == 1
  }

  /// Whether |a - b| <= atol + rtol |b| holds for all elements, which broadcast. Equal infinities
  /// are close. Cost: one trip over both. PyTorch: `torch.allclose`, with the same defaults.
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
