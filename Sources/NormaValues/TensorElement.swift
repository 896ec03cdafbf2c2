/// A Swift type whose values tensors can be made from and read back as.
public protocol TensorElement: Sendable, BitwiseCopyable {
  /// The element type of a tensor of such values.
  static var dtype: DType { get }

  /// The value as a `Double`, rounded where an integer has more than 53 bits.
  var asDouble: Double { get }

  /// The value as an integer, truncated towards zero; nil if NaN or out of range.
  var asInt: Int64? { get }

  /// The nearest value of this type.
  init(nearest value: Double)

  /// The value of this type for an integer; the low bits if it does not fit.
  init(wrapping value: Int64)
}

extension TensorElement where Self: BinaryFloatingPoint {
  /// The value as a `Double`.
  public var asDouble: Double { Double(self) }
  /// The value truncated towards zero; nil if `Int64` cannot represent it.
  public var asInt: Int64? { Int64(exactly: Double(self).rounded(.towardZero)) }
  /// The nearest value of this type.
  public init(nearest value: Double) { self.init(value) }
  /// The value of this type for an integer; the low bits if it does not fit.
  public init(wrapping value: Int64) { self.init(value) }
}

extension TensorElement where Self: FixedWidthInteger {
  /// The value as a `Double`.
  public var asDouble: Double { Double(self) }
  /// The value; nil if it exceeds `Int64`.
  public var asInt: Int64? { Int64(exactly: self) }
  /// The value truncated towards zero; the low bits of an `Int64` if it is out of range.
  public init(nearest value: Double) {
    let whole = value.rounded(.towardZero)
    self = Self(exactly: whole) ?? Self(truncatingIfNeeded: Int64(exactly: whole) ?? .min)
  }
  /// The value of this type for an integer; the low bits if it does not fit.
  public init(wrapping value: Int64) { self.init(truncatingIfNeeded: value) }
}

extension Float: TensorElement {
  /// `DType.float32`
  public static var dtype: DType { .float32 }
}

extension Double: TensorElement {
  /// `DType.float64`
  public static var dtype: DType { .float64 }
}

#if !((os(macOS) || targetEnvironment(macCatalyst)) && arch(x86_64))
  extension Float16: TensorElement {
    /// `DType.float16`
    public static var dtype: DType { .float16 }
  }
#endif

extension Int8: TensorElement {
  /// `DType.int8`
  public static var dtype: DType { .int8 }
}

extension Int16: TensorElement {
  /// `DType.int16`
  public static var dtype: DType { .int16 }
}

extension UInt16: TensorElement {
  /// `DType.uint16`
  public static var dtype: DType { .uint16 }
}

extension UInt32: TensorElement {
  /// `DType.uint32`
  public static var dtype: DType { .uint32 }
}

extension UInt64: TensorElement {
  /// `DType.uint64`
  public static var dtype: DType { .uint64 }
}

extension UInt: TensorElement {
  /// `DType.uint64`
  public static var dtype: DType { .uint64 }
}

extension Int: TensorElement {
  /// `DType.int64`
  public static var dtype: DType { .int64 }
}

extension Int64: TensorElement {
  /// `DType.int64`
  public static var dtype: DType { .int64 }
}

extension Int32: TensorElement {
  /// `DType.int32`
  public static var dtype: DType { .int32 }
}

extension UInt8: TensorElement {
  /// `DType.uint8`
  public static var dtype: DType { .uint8 }
}

extension Bool: TensorElement {
  /// `DType.bool`
  public static var dtype: DType { .bool }
  /// The value as a `Double`.
  public var asDouble: Double { self ? 1 : 0 }
  /// 1 or 0.
  public var asInt: Int64? { self ? 1 : 0 }
  /// Whether the value is not zero.
  public init(nearest value: Double) { self = value != 0 }
  /// Whether the value is not zero.
  public init(wrapping value: Int64) { self = value != 0 }
}

extension BFloat16: TensorElement {
  /// `DType.bfloat16`
  public static var dtype: DType { .bfloat16 }
  /// The value as a `Double`.
  public var asDouble: Double { Double(Float(self)) }
  /// The value truncated towards zero; nil if `Int64` cannot represent it.
  public var asInt: Int64? { Float(self).asInt }
  /// The nearest value of this type.
  public init(nearest value: Double) { self.init(Float(value)) }
  /// The nearest value of this type.
  public init(wrapping value: Int64) { self.init(Float(value)) }
}
