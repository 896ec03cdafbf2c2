import NormaValues

extension Tensor {
  /// A scalar: a tensor without axes. PyTorch: `torch.tensor(value)`.
  public init<T: TensorElement>(_ value: T, dtype: DType? = nil) {
    self.init([value], shape: [], dtype: dtype)
  }

  /// A tensor with one axis. A Swift array of `Double` literals gives `float64` (PyTorch:
  /// `float32`); pass `[Float]` or a `dtype` for `float32`. PyTorch: `torch.tensor(array)`.
  public init<T: TensorElement>(_ array: [T], dtype: DType? = nil) {
    self.init(array, shape: [array.count], dtype: dtype)
  }

  /// The elements of an array in row-major order.
  ///
  /// `dtype` rounds real numbers, and truncates fractions for integers; values that the type cannot
  /// hold are errors, including NaN for integer types. ``cast(to:file:line:)`` converts any value.
  /// PyTorch: `torch.tensor(array, dtype=dtype).reshape(shape)`.
  public init<T: TensorElement>(
    _ array: [T], shape: [Int], dtype: DType? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let count = try Shape.count(shape, call: "Tensor(_:shape:)")
      try demand(
        count == array.count, "Tensor(_:shape:)",
        "\(array.count) values do not fill shape \(shape), which has \(count)")
      let tensor = KernelRecorder.outside {
        Tensor(shape: shape, dtype: T.dtype) { bytes in
          array.withUnsafeBytes { bytes.copyMemory(from: $0) }
        }
      }
      guard let dtype, dtype != T.dtype else { return tensor }
      try tensor.requireFit(array, in: dtype, "Tensor(_:dtype:)")
      return tensor.cast(to: dtype)
    }
  }

  /// Rows of equal length, as PyTorch reads a list of lists. PyTorch: `torch.tensor(rows)`.
  public init<T: TensorElement>(
    _ rows: [[T]], dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let lengths = try Tensor.equal(rows.map(\.count))
      return Tensor(Array(rows.joined()), shape: [rows.count, lengths], dtype: dtype)
    }
  }

  /// Three levels of rows of equal length. PyTorch: `torch.tensor(planes)`.
  public init<T: TensorElement>(
    _ planes: [[[T]]], dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let rows = try Tensor.equal(planes.map(\.count))
      let columns = try Tensor.equal(planes.joined().map(\.count))
      return Tensor(
        Array(planes.joined().joined()), shape: [planes.count, rows, columns], dtype: dtype)
    }
  }

  /// Four levels of rows of equal length. PyTorch: `torch.tensor(images)`.
  public init<T: TensorElement>(
    _ images: [[[[T]]]], dtype: DType? = nil, file: StaticString = #fileID, line: UInt = #line
  ) {
    self = checked(file: file, line: line) { () throws(TensorError) in
      let planes = try Tensor.equal(images.map(\.count))
      let rows = try Tensor.equal(images.joined().map(\.count))
      let columns = try Tensor.equal(images.joined().joined().map(\.count))
      return Tensor(
        Array(images.joined().joined().joined()), shape: [images.count, planes, rows, columns],
        dtype: dtype)
    }
  }

  private static func equal(_ lengths: [Int]) throws(TensorError) -> Int {
    let first = lengths.first ?? 0
    if let other = lengths.first(where: { $0 != first }) {
      throw TensorError("Tensor(_:)", "rows of \(first) and \(other) values do not make a tensor")
    }
    return first
  }

  /// A tensor filled with one number, `float32` for real numbers if no type is given. A number that
  /// the type cannot hold is an error.
  /// PyTorch: `torch.full`, whose type for a Swift literal is the same.
  public static func full<T: TensorElement>(
    _ shape: [Int], _ value: T, dtype: DType? = nil, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let scalar = Scalar(value)
      let type = dtype ?? scalar.defaultType
      try Shape.room(shape, type, call: "full(_:_:)")
      try scalar.require(type, "full(_:_:)", "pass a wider dtype")
      let one = Tensor(value, dtype: type)
      return Tensor(node: one.node, layout: one.layout.broadcast(to: shape)).copied().evaluated()
    }
  }

  /// Zeros of a shape. PyTorch: `torch.zeros`.
  public static func zeros(
    _ shape: [Int], dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    full(shape, 0, dtype: dtype, file: file, line: line)
  }

  /// Zeros: `Tensor.zeros(2, 3)`. PyTorch: `torch.zeros`.
  public static func zeros(
    _ shape: Int..., dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    full(shape, 0, dtype: dtype, file: file, line: line)
  }

  /// Ones of a shape. PyTorch: `torch.ones`.
  public static func ones(
    _ shape: [Int], dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    full(shape, 1, dtype: dtype, file: file, line: line)
  }

  /// Ones: `Tensor.ones(2, 3)`. PyTorch: `torch.ones`.
  public static func ones(
    _ shape: Int..., dtype: DType = .float32, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    full(shape, 1, dtype: dtype, file: file, line: line)
  }
}
