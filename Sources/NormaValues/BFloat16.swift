/// A 16-bit floating-point number: the upper half of a `Float`, with 8 bits of significand.
///
/// Conversion rounds to nearest, ties to even. Only tensors do arithmetic in this type; convert a
/// single number to `Float` first.
/// PyTorch: `torch.bfloat16`.
public struct BFloat16: Sendable, BitwiseCopyable {
  /// The bits: 1 sign, 8 exponent, 7 fraction.
  public var bitPattern: UInt16

  /// The number with these bits.
  public init(bitPattern: UInt16) { self.bitPattern = bitPattern }

  /// The nearest number to `value`; NaN stays NaN, and values beyond the range become infinite.
  public init(_ value: Float) {
    let bits = value.bitPattern
    if value.isNaN {
      bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x0040
    } else {
      bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ ((bits >> 16) & 1)) >> 16)
    }
  }
}

extension Float {
  /// The exact value of a `BFloat16`.
  public init(_ value: BFloat16) { self.init(bitPattern: UInt32(value.bitPattern) << 16) }
}

extension BFloat16: Hashable {
  /// Equal as numbers: zero equals minus zero, and NaN equals nothing, itself included.
  public static func == (a: BFloat16, b: BFloat16) -> Bool { Float(a) == Float(b) }

  /// Hashes the value, so that equal numbers hash alike.
  public func hash(into hasher: inout Hasher) { hasher.combine(Float(self)) }
}

extension BFloat16: CustomStringConvertible {
  /// The decimal text of the exact value.
  public var description: String { Float(self).description }
}

extension BFloat16: ExpressibleByFloatLiteral {
  /// The nearest number to a literal.
  public init(floatLiteral value: Float) { self.init(value) }
}
