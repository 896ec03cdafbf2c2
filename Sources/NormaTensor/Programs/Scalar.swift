import NormaValues

/// A number combined with tensors: unlike a tensor, it never makes a result wider within its
/// category.
struct Scalar: Sendable, Hashable {
  let asDouble: Double
  /// The integer, or the bits of one beyond `Int64`, which only `uint64` can hold.
  let asInt: Int64
  let dtype: DType

  init<T: TensorElement>(_ value: T) {
    asDouble = value.asDouble
    dtype = T.dtype
    if T.dtype == .uint64, let value = value as? any FixedWidthInteger {
      asInt = Int64(truncatingIfNeeded: value)
    } else {
      asInt = value.asInt ?? .min
    }
  }

  /// The type of a result if no tensor determines it.
  var defaultType: DType {
    switch dtype {
    case .bool, .uint64: dtype
    default: dtype.isFloatingPoint ? .float32 : .int64
    }
  }

  var text: String {
    switch dtype {
    case .bool: "\(asInt != 0)"
    case .uint64: "\(UInt64(bitPattern: asInt))"
    default: dtype.isFloatingPoint ? "\(asDouble)" : "\(asInt)"
    }
  }

  /// The number without its fraction; nil for NaN, infinities and numbers beyond `Int64`.
  var whole: Int64? {
    if dtype.isFloatingPoint { return Int64(exactly: asDouble.rounded(.towardZero)) }
    return dtype == .uint64 && asInt < 0 ? nil : asInt
  }

  /// The number without its fraction if it exceeds `Int64` and `uint64` can hold it.
  var large: UInt64? {
    if dtype.isFloatingPoint {
      return asDouble >= 0x1p63 ? UInt64(exactly: asDouble.rounded(.towardZero)) : nil
    }
    return dtype == .uint64 && asInt < 0 ? UInt64(bitPattern: asInt) : nil
  }
}
