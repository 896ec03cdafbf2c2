import NormaValues

// Powers. `float32` is computed in double and rounded once, which leaves errors of at most 0.51
// ulp, the same on every processor; `float64` uses the C library. Powers of integers wrap.

/// aᵇ, element by element. Shapes broadcast.
///
/// Special values are C's: a⁰ = 1 and 1ᵇ = 1 for any other operand, NaN for negative a with
/// fractional b. An integer to a negative power is 0 unless it is 1 or -1. Booleans are not
/// allowed. Gradients: b a^(b - 1), which is 0 where b is 0; aᵇ log a, which is 0 where a is 0 and
/// b not negative.
/// PyTorch: `torch.pow`.
public func pow(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(a, b, file: file, line: line) { () throws(TensorError) in
    let type = Promotion.type([a, b])
    if type == .bool {
      throw TensorError("pow(_:_:)", "Booleans have no powers; cast to an integer type first")
    }
    if type.isHalf && Tensor.isRecorded([a, b]) {
      // The slopes of half types are those of `float32`; the result is rounded once in any case.
      return pow(a.cast(to: type).cast(to: .float32), b.cast(to: type).cast(to: .float32))
        .cast(to: type)
    }
    return try Tensor.binary(.power, a, b, call: "pow(_:_:)", gradient: .power)
  }
}

/// Every element to the same power, in the tensor's type.
///
/// The powers 2, 3, 1/2, -1/2, -1 and -2 are computed as products, roots and quotients. A negative
/// power of integers is an error.
/// PyTorch: `torch.pow`.
public func pow<T: TensorElement>(
  _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(a, file: file, line: line) { () throws(TensorError) in
    let number = Scalar(b)
    let type = Promotion.type(a, number)
    if type.isInteger && number.asDouble < 0 {
      throw TensorError(
        "pow(_:_:)",
        "an integer to the power \(number.text) is not an integer; cast to a real type first")
    }
    let x = a.cast(to: type)
    switch number.asDouble {
    case 1 where type != .bool: return x
    case 2: return x.squared()
    case 3: return x.squared() * x
    case 0.5 where type.isFloatingPoint: return x.sqrt()
    case -0.5 where type.isFloatingPoint: return x.rsqrt()
    case -1 where type.isFloatingPoint: return x.reciprocal()
    case -2 where type.isFloatingPoint: return x.squared().reciprocal()
    default:
      // Half types also round the exponent.
      if type.isHalf {
        try number.require(type, "pow(_:_:)")
        return pow(x, Tensor(b, dtype: type))
      }
      return try Tensor.binary(
        .power, x, number, position: 1, call: "pow(_:_:)", gradient: .powerOfNumber)
    }
  }
}

/// A number to the power of every element. PyTorch: `torch.pow`, `2 ** tensor`.
public func pow<T: TensorElement>(
  _ a: T, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  pow(b.companion(a, .power, "pow(_:_:)", file: file, line: line), b, file: file, line: line)
}

/// aᵇ in `float64`, whatever the types. PyTorch: `torch.float_power`.
public func floatPower(_ a: Tensor, _ b: Tensor) -> Tensor {
  pow(a.cast(to: .float64), b.cast(to: .float64))
}

/// Every element to the same power in `float64`. PyTorch: `torch.float_power`.
public func floatPower<T: TensorElement>(_ a: Tensor, _ b: T) -> Tensor {
  pow(a.cast(to: .float64), b.asDouble)
}

extension ElementwiseRule {
  fileprivate static let powerOfNumber = ofOperands { rule in
    let a = rule.saved[0]
    guard let b = rule.immediate?.value.asDouble else { return [nil] }
    return [b == 0 ? rule.upstream.asZeros : rule.upstream * (pow(a, b - 1).wide * b)]
  }

  static let power = ElementwiseRule(savesOperands: true, savesResult: true) { rule in
    let (a, b) = (rule.saved[0], rule.saved[1])
    return [
      rule.whenNeeded(0) { .where(b .== 0, 0, rule.upstream * (b.wide * pow(a, b - 1))) },
      rule.whenNeeded(1) {
        let type = rule.gradientType(of: b)
        let base = a.cast(to: type)
        let power = type == rule.result.dtype ? rule.result : pow(base, b.cast(to: type))
        let slope = rule.upstream.cast(to: type) * (power * base.log())
        return .where((a .== 0) .& (b .>= 0), 0, slope)
      },
    ]
  }
}

extension Backward {
  /// The type in which the gradient of an operand is computed: `float64` if one of its elements is
  /// broadcast to many of the result, whose gradients are summed and may cancel.
  func gradientType(of operand: Tensor) -> DType {
    operand.shape == upstream.shape ? upstream.dtype : .float64
  }
}
