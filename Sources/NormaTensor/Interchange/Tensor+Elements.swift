import NormaValues

extension Tensor {
  /// Direct access to a tensor's elements in memory, by their indices; see
  /// ``Tensor/withElements(of:file:line:_:)``.
  ///
  /// Indices start at 0 and are checked; a wrong one ends the program, like an array's.
  public struct Elements<T: TensorElement> {
    /// The sizes of the axes.
    public let shape: [Int]
    /// The distance in memory from one element to the next along each axis.
    public let strides: [Int]
    private let base: UnsafeRawPointer?

    fileprivate init(_ layout: Layout, base: UnsafeRawPointer?) {
      (shape, strides) = (layout.shape, layout.strides)
      self.base = base
    }

    /// The element of a tensor with one axis.
    public subscript(_ i: Int) -> T { element(1, offset(i, 0)) }

    /// The element of a tensor with two axes.
    public subscript(_ i: Int, _ j: Int) -> T { element(2, offset(i, 0) + offset(j, 1)) }

    /// The element of a tensor with three axes.
    public subscript(_ i: Int, _ j: Int, _ k: Int) -> T {
      element(3, offset(i, 0) + offset(j, 1) + offset(k, 2))
    }

    /// The element of a tensor with four axes.
    public subscript(_ i: Int, _ j: Int, _ k: Int, _ l: Int) -> T {
      element(4, offset(i, 0) + offset(j, 1) + offset(k, 2) + offset(l, 3))
    }

    /// The element of a tensor with any number of axes.
    public subscript(_ indices: [Int]) -> T {
      element(indices.count, indices.enumerated().reduce(0) { $0 + offset($1.element, $1.offset) })
    }

    private func offset(_ index: Int, _ axis: Int) -> Int {
      if base == nil { return 0 }
      require(
        axis < shape.count && index >= 0 && index < shape[axis],
        "withElements(of:): index \(index) of axis \(axis) is out of range for shape \(shape)")
      return index * strides[axis]
    }

    private func element(_ count: Int, _ offset: Int) -> T {
      guard let base else { return T(wrapping: 0) }
      require(
        count == shape.count,
        "withElements(of:): \(count) indices for shape \(shape), which has "
          + "\(shape.count) axes")
      return base.load(fromByteOffset: offset * MemoryLayout<T>.stride, as: T.self)
    }
  }

  /// Calls `body` with the elements for reading by index, in any layout without a copy:
  /// `x.withElements(of: Float.self) { $0[1, 2] }`.
  ///
  /// `T` is the tensor's own type. Pending work runs first. The value must not escape `body`. After
  /// a mistake, and for a poisoned tensor, every element is 0.
  /// NumPy: `x[1, 2]` in a loop.
  public func withElements<T: TensorElement, R>(
    of type: T.Type, file: StaticString = #fileID, line: UInt = #line,
    _ body: (Elements<T>) throws -> R
  ) rethrows -> R {
    if T.dtype != dtype || isPoisoned {
      if !isPoisoned {
        report(
          TensorError(
            "withElements(of:)", "the tensor is \(dtype), not \(T.dtype); cast it first"),
          file: file, line: line)
      }
      return try body(Elements(layout, base: nil))
    }
    let storage = node.materialize()
    ErrorScope.locate(call: "withElements(of:)", file, line)
    if storage.isMissing { return try body(Elements(layout, base: nil)) }
    return try withExtendedLifetime(storage) {
      try body(
        Elements(layout, base: storage.base + layout.offset * dtype.byteCount))
    }
  }

  /// One number, without a copy of anything else: `x.item(at: 0, -1)`; negative indices count from
  /// the end. 0 after a mistake.
  ///
  /// Pending work runs first. Integers beyond 2⁵³ are rounded; ``withElements(of:file:line:_:)``
  /// reads them exactly, and reads many elements fast.
  /// PyTorch: `x[0, -1].item()`.
  public func item(
    at indices: Int..., file: StaticString = #fileID, line: UInt = #line
  ) -> Double {
    if isPoisoned { return 0 }
    let call = "item(at:)"
    return checked(file: file, line: line, call: call, else: 0) { () throws(TensorError) in
      guard indices.count == rank else {
        throw TensorError(
          call, "\(indices.count) indices for shape \(shape), which has \(rank) axes")
      }
      let one = try layout.taking(indices.map(\.axisIndex))
      let storage = node.materialize()
      if storage.isMissing { return 0 }
      return withExtendedLifetime(storage) {
        let address = storage.base + one.offset * dtype.byteCount
        func load<T: TensorElement>(_ type: T.Type) -> Double {
          address.load(as: T.self).asDouble
        }
        switch dtype {
        case .bool: return load(Bool.self)
        case .uint8: return load(UInt8.self)
        case .int8: return load(Int8.self)
        case .int16: return load(Int16.self)
        case .uint16: return load(UInt16.self)
        case .int32: return load(Int32.self)
        case .uint32: return load(UInt32.self)
        case .int64: return load(Int64.self)
        case .uint64: return load(UInt64.self)
        // `Float16` does not exist on every processor that Swift supports.
        case .float16: return Tensor(node: node, layout: one).item()
        case .bfloat16: return load(BFloat16.self)
        case .float32: return load(Float.self)
        case .float64: return load(Double.self)
        }
      }
    }
  }
}
