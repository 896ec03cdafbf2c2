import CNormaLoops
import NormaValues

/// One instruction of a program: an operation and its element types.
struct Operation: Hashable, Sendable {
  enum Code: Int32, Sendable {
    case negate, abs, sqrt, rsqrt
    case floor, ceil, round, trunc, frac, sign, signBit
    case exp, log, tanh, erf, expm1, log1p, sigmoid, sin, cos
    case tan, asin, acos, atan, sinh, cosh, asinh, acosh, atanh, exp2, log2, log10, erfc
    case gelu, geluSlope, erfinv, lgamma, digamma, trigamma, sineRatio, i0, i0e, i1, i1e
    case sigmoidSlope, siluSlope, mishSlope, tanhSlope, tanhSquared, softsignSlope, erfSlope
    case power, fmod, remainder, floorDivide, atan2, hypot, logAddExp, logAddExp2, xLogY, zeta
    case angleSlope, expShare, exp2Share
    case truncDivide, gcd
    case add, subtract, multiply, divide, minimum, maximum, gate
    case fmin, fmax, copySign, nextAfter, finite, roundDecimal, heaviside
    case and, or, xor, shiftLeft, shiftRight
    case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
    case logicalAnd, logicalOr, logicalXor
    case lerp, select, normalize, normalizeGradient
    case convert  // To the result's type.

    /// The index of the C loop.
    var loop: Int32 { rawValue }

    /// The cost of an instruction, in elementwise additions, for the choice between recomputing a
    /// value and storing it.
    var cost: Int {
      switch self {
      case .erfinv, .lgamma, .digamma, .trigamma, .zeta, .i0, .i0e, .i1, .i1e: 16
      case _ where Code.exp.rawValue..<Code.add.rawValue ~= rawValue: 8
      case .rsqrt: 4
      case .divide, .sqrt, .roundDecimal, .normalizeGradient: 2
      default: 1
      }
    }

    var name: String {
      switch self {
      case .minimum: "min"
      case .maximum: "max"
      default: "\(self)".reduce(into: "") { $0 += $1.isUppercase ? "_\($1.lowercased())" : "\($1)" }
      }
    }
  }

  /// The type in which an operand is read, if most are of type `operands`.
  func operandType(_ position: Int) -> DType {
    switch code {
    case .select where position == 0: .bool
    // Statistics, read together with data.
    case .normalizeGradient where position >= 2: .float64
    default: operands
    }
  }

  let code: Code
  /// The common type of the operands.
  let operands: DType
  let result: DType

  /// Operand `position` is a number in the program instead of a tensor.
  struct Immediate: Hashable, Sendable {
    let position: Int
    /// The number in the block type of `operands`.
    let bits: UInt64
    /// The number as the caller wrote it.
    let number: Scalar
  }
  var immediate: Immediate?
}

/// The block type in which elements of a type are computed.
enum BlockType: Int32, Sendable {
  case float32, float64, int64, int32, uint8, uint64

  init(_ dtype: DType) {
    switch dtype {
    case .float16, .bfloat16, .float32: self = .float32
    case .float64: self = .float64
    case .int64, .uint32: self = .int64
    case .int32, .int16, .uint16, .int8: self = .int32
    case .uint8, .bool: self = .uint8
    case .uint64: self = .uint64
    }
  }

  var byteCount: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32: 4
    case .uint8: 1
    }
  }

  /// The corresponding element type.
  var dtype: DType {
    switch self {
    case .float32: .float32
    case .float64: .float64
    case .int64: .int64
    case .int32: .int32
    case .uint8: .uint8
    case .uint64: .uint64
    }
  }

  /// The bits of a number in this type.
  func bits(_ scalar: Scalar) -> UInt64 {
    switch self {
    case .float32: UInt64(Float(scalar.asDouble).bitPattern)
    case .float64: scalar.asDouble.bitPattern
    case .int64: UInt64(bitPattern: scalar.asInt)
    case .uint64: scalar.large ?? UInt64(bitPattern: scalar.asInt)
    case .int32: UInt64(UInt32(truncatingIfNeeded: scalar.asInt))
    case .uint8: UInt64(UInt8(truncatingIfNeeded: scalar.asInt))
    }
  }
}

extension DType {
  /// The index of the type in memory in the C loops.
  var stored: Int32 {
    switch self {
    case .float32: Int32(NORMA_F32.rawValue)
    case .float64: Int32(NORMA_F64.rawValue)
    case .int64: Int32(NORMA_I64.rawValue)
    case .int32: Int32(NORMA_I32.rawValue)
    case .uint8: Int32(NORMA_U8.rawValue)
    case .int8: Int32(NORMA_I8.rawValue)
    case .int16: Int32(NORMA_I16.rawValue)
    case .uint16: Int32(NORMA_U16.rawValue)
    case .uint32: Int32(NORMA_U32.rawValue)
    case .uint64: Int32(NORMA_U64.rawValue)
    case .bool: Int32(NORMA_BOOL.rawValue)
    case .float16: Int32(NORMA_F16.rawValue)
    case .bfloat16: Int32(NORMA_BF16.rawValue)
    }
  }

  /// Whether this is a real type of 16 bits.
  var isHalf: Bool { self == .float16 || self == .bfloat16 }

  /// Whether elements are widened to the block type when read, and results narrowed after every
  /// instruction: half types are rounded, integers keep their low bits.
  var isNarrow: Bool {
    switch self {
    case .float16, .bfloat16, .int8, .int16, .uint16, .uint32: true
    default: false
    }
  }
}
