/// The type of a tensor's elements.
///
/// PyTorch: `torch.dtype`. Complex and quantized types do not exist here.
public enum DType: UInt8, Sendable, Hashable, CaseIterable, Codable {
  case bool
  case uint8
  case int32
  case int64
  case float16
  case bfloat16
  case float32
  case float64

  /// Bytes of one element.
  public var byteCount: Int {
    switch self {
    case .bool, .uint8: 1
    case .float16, .bfloat16: 2
    case .int32, .float32: 4
    case .int64, .float64: 8
    }
  }

  /// Whether the type holds real numbers rather than integers or truth values.
  public var isFloatingPoint: Bool {
    switch self {
    case .float16, .bfloat16, .float32, .float64: true
    case .bool, .uint8, .int32, .int64: false
    }
  }

  /// Whether the type holds integers; `bool` does not count as one.
  public var isInteger: Bool {
    switch self {
    case .uint8, .int32, .int64: true
    case .bool, .float16, .bfloat16, .float32, .float64: false
    }
  }

  /// The type of a result that has `a` and `b` as operands, both of them tensors with dimensions.
  ///
  /// The wider category wins (truth values, then integers, then real numbers), and within one
  /// category the wider type; `float16` with `bfloat16` gives `float32`.
  /// PyTorch: `torch.promote_types`.
  public static func promoted(_ a: DType, _ b: DType) -> DType {
    if a == b { return a }
    if a.isFloatingPoint != b.isFloatingPoint { return a.isFloatingPoint ? a : b }
    if a.isFloatingPoint {
      if a == .float64 || b == .float64 { return .float64 }
      return .float32  // Two different types, each of at most 32 bits.
    }
    return a.rawValue > b.rawValue ? a : b  // bool < uint8 < int32 < int64
  }
}

extension DType: CustomStringConvertible {
  /// The name as PyTorch and NumPy write it: `float32`.
  public var description: String {
    switch self {
    case .bool: "bool"
    case .uint8: "uint8"
    case .int32: "int32"
    case .int64: "int64"
    case .float16: "float16"
    case .bfloat16: "bfloat16"
    case .float32: "float32"
    case .float64: "float64"
    }
  }
}
