import NormaValues

/// A number beside tensors, with its category: it does not make a result wider than its tensors.
struct Scalar: Sendable, Hashable {
  let asDouble: Double
  /// The integer, or the bits of one beyond `Int64`, which only `uint64` holds.
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

  /// The type that the number has in a result when no tensor says more.
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

  /// The number without its fraction; nil for NaN, infinities and what `Int64` does not hold.
  var whole: Int64? {
    if dtype.isFloatingPoint { return Int64(exactly: asDouble.rounded(.towardZero)) }
    return dtype == .uint64 && asInt < 0 ? nil : asInt
  }

  /// The number without its fraction where that is beyond `Int64` and `uint64` holds it.
  var large: UInt64? {
    if dtype.isFloatingPoint {
      return asDouble >= 0x1p63 ? UInt64(exactly: asDouble.rounded(.towardZero)) : nil
    }
    return dtype == .uint64 && asInt < 0 ? UInt64(bitPattern: asInt) : nil
  }
}
