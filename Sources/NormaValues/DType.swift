/// The type of a tensor's elements.
///
/// | for | types |
/// |---|---|
/// | weights, activations, measurements | `float32`; `float16` and `bfloat16` for half the memory, `float64` for more digits |
/// | indices, labels, counts | `int64`, which operations return for integers; `int32` |
/// | images, quantized values, token ids | `uint8`, `int8`, `int16`, `uint16`, `uint32`, `uint64` |
/// | conditions and masks | `bool` |
///
/// Every operation that accepts one integer type accepts all of them: indexing, sorting, extremes,
/// sums, matrix products. Operations on real numbers only, such as means, convolutions and
/// gradients, accept none.
///
/// - Half types are computed in `float32` and rounded after every operation. `int8`, `int16`,
///   `uint16` and `uint32` are computed in wider integers and narrowed after every operation:
///   results wrap around, so 100 + 100 is -56 in `int8`, whether or not operations are fused. They
///   take the memory of their own size and the time of the wider types.
/// - Sums and products of the elements of an integer tensor are `int64`; those of `uint64` are
///   `uint64`.
/// - A cast from a real type truncates the fraction. Out of range: `int64` and `int32` give their
///   smallest number, also for NaN; `uint8`, `int8`, `int16` and `uint16` give the low bits of the
///   value cast to `int32`, `uint32` those of the value cast to `int64`; `uint64` gives the bits of
///   an `int64` for negative values, and 2^63 for NaN and from 2^64 on. A cast from an integer type
///   keeps the low bits.
/// - PyTorch: `torch.dtype`. It has `uint16`, `uint32` and `uint64` only for storage; here they
///   compute. Complex numbers and 8-bit real numbers do not exist here.
public enum DType: UInt8, Sendable, Hashable, CaseIterable, Codable {
  case bool = 0
  case uint8 = 1
  case int8 = 8
  case int16 = 9
  case uint16 = 10
  case int32 = 2
  case uint32 = 11
  case int64 = 3
  case uint64 = 12
  case float16 = 4
  case bfloat16 = 5
  case float32 = 6
  case float64 = 7

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .int64, .uint64, .float64: 8
    }
  }

  /// Whether the type holds real numbers rather than integers or Booleans.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    default: false
    }
  }

  /// Whether the type holds integers; `bool` does not count as one.
  public var isInteger: Bool { self != .bool && !isFloatingPoint }

  /// Whether the type holds numbers below zero.
  public var isSigned: Bool {
    switch self {
    case .bool, .uint8, .uint16, .uint32, .uint64: false
    default: true
    }
  }

  /// The type of a result that has `a` and `b` as operands, both of them tensors with dimensions.
  ///
  /// The higher category wins (Booleans, then integers, then real numbers), and within one category
  /// the wider type; `float16` with `bfloat16` gives `float32`. When signed and unsigned integers
  /// meet, the signed type wins if it is wider; otherwise the result is the signed type that holds
  /// both:
  ///
  /// | | `int8` | `int16` | `int32` | `int64` |
  /// |---|---|---|---|---|
  /// | `uint8` | `int16` | `int16` | `int32` | `int64` |
  /// | `uint16` | `int32` | `int32` | `int32` | `int64` |
  /// | `uint32` | `int64` | `int64` | `int64` | `int64` |
  /// | `uint64` | `float64` | `float64` | `float64` | `float64` |
  ///
  /// No integer type holds both all of `uint64` and negative numbers. `float64` here is NumPy's
  /// answer; operations on tensors of both types report an error rather than round, except for
  /// comparisons, which are exact.
  /// PyTorch: `torch.promote_types`, which does not combine `uint16`, `uint32` and `uint64` with
  /// other integers;
  /// NumPy: `numpy.promote_types`.
  public static func promoted(_ a: DType, _ b: DType) -> DType {
    if a == b { return a }
    if a.isFloatingPoint != b.isFloatingPoint { return a.isFloatingPoint ? a : b }
    if a.isFloatingPoint {
      if a == .float64 || b == .float64 { return .float64 }
      return .float32  // Two different types, each of at most 32 bits.
    }
    if a == .bool || b == .bool { return a == .bool ? b : a }
    if a.isSigned == b.isSigned { return a.byteCount > b.byteCount ? a : b }
    let (signed, unsigned) = a.isSigned ? (a, b) : (b, a)
    if signed.byteCount > unsigned.byteCount { return signed }
    return switch unsigned {
    case .uint8: .int16
    case .uint16: .int32
    case .uint32: .int64
    default: .float64
    }
  }
}

extension DType: CustomStringConvertible {
  /// The name as PyTorch and NumPy write it: `float32`.
  public var description: String {
    switch self {
    case .bool: "bool"
    case .uint8: "uint8"
    case .int8: "int8"
    case .int16: "int16"
    case .uint16: "uint16"
    case .int32: "int32"
    case .uint32: "uint32"
    case .int64: "int64"
    case .uint64: "uint64"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .float32: "float32"
    case .float64: "float64"
    }
  }
}

extension DType {
  /// The smallest and the largest number of an integer type or of `bool`; nil for real types. The
  /// largest `uint64` exceeds `Int64`.
  package var integerBounds: (low: Int64, high: UInt64)? {
    func bounds<T: FixedWidthInteger>(_ type: T.Type) -> (Int64, UInt64) {
      (Int64(T.min), UInt64(T.max))
    }
    return switch self {
    case .bool: (0, 1)
    case .uint8: bounds(UInt8.self)
    case .int8: bounds(Int8.self)
    case .int16: bounds(Int16.self)
    case .uint16: bounds(UInt16.self)
    case .int32: bounds(Int32.self)
    case .uint32: bounds(UInt32.self)
    case .int64: bounds(Int64.self)
    case .uint64: bounds(UInt64.self)
    case .float16, .bfloat16, .float32, .float64: nil
    }
  }

  /// The type in which kernels that sort, search, count and scan read such elements. The values and
  /// their order are the same, except for `uint64`, whose highest bit is flipped to map it to
  /// `int64`.
  package var kernelType: DType {
    switch self {
    case .int8, .int16, .uint16: .int32
    case .uint32, .uint64: .int64
    case .float16, .bfloat16: .float32
    default: self
    }
  }
}
