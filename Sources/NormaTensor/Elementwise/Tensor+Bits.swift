import NormaValues

// Bits of integers, and Booleans. Real numbers are not allowed. The operators are those of the
// standard library's masks, `<<` and `>>` those of its integers.

extension Tensor {
  /// The bits set in both; "and" of Booleans. Shapes broadcast.
  /// PyTorch: `torch.bitwise_and`.
  public static func .& (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try bits(.and, a, b, call: ".&") }
  }

  /// The bits set in both an element and a number.
  public static func .& <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    a .& a.companion(b, .and, ".&")
  }

  /// The bits set in at least one; "or" of Booleans. Shapes broadcast.
  /// PyTorch: `torch.bitwise_or`.
  public static func .| (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try bits(.or, a, b, call: ".|") }
  }

  /// The bits set in an element or a number.
  public static func .| <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    a .| a.companion(b, .or, ".|")
  }

  /// The bits in which both differ; "exclusive or" of Booleans. Shapes broadcast.
  /// PyTorch: `torch.bitwise_xor`.
  public static func .^ (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try bits(.xor, a, b, call: ".^") }
  }

  /// The bits in which an element and a number differ.
  public static func .^ <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    a .^ a.companion(b, .xor, ".^")
  }

  /// All bits flipped; "not" of Booleans. PyTorch: `torch.bitwise_not`.
  public static prefix func .! (a: Tensor) -> Tensor {
    a.dtype == .bool ? a .^ true : a .^ -1
  }

  /// Bits shifted left, which multiplies by 2ᵇ and wraps. Where b is negative, or not less than the
  /// number of bits, the result is 0. Booleans are not allowed.
  /// PyTorch: `torch.bitwise_left_shift`.
  public static func << (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try bits(.shiftLeft, a, b, call: "<<") }
  }

  /// Bits shifted left by a number.
  public static func << (a: Tensor, b: Int) -> Tensor {
    a << a.companion(b.asShift, .shiftLeft, "<<")
  }

  /// Bits shifted right, which divides by 2ᵇ and rounds down. Where b is negative, or not less than
  /// the number of bits, the result is 0, or -1 for negative elements. Booleans are not allowed.
  /// PyTorch: `torch.bitwise_right_shift`.
  public static func >> (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try bits(.shiftRight, a, b, call: ">>") }
  }

  /// Bits shifted right by a number.
  public static func >> (a: Tensor, b: Int) -> Tensor {
    a >> a.companion(b.asShift, .shiftRight, ">>")
  }

  private static func bits(
    _ code: Operation.Code, _ a: Tensor, _ b: Tensor, call: String
  ) throws(TensorError) -> Tensor {
    if a.isPoisoned || b.isPoisoned { return .poisoned }
    let type = Promotion.type([a, b])
    if type.isFloatingPoint {
      throw TensorError(call, "\(type) has no bits to operate on; cast to an integer type first")
    }
    if type == .bool && (code == .shiftLeft || code == .shiftRight) {
      throw TensorError(call, "Booleans cannot be shifted; cast to an integer type first")
    }
    return try elementwise(code, [a, b], in: type, result: type, call: call)
  }
}

extension Int {
  /// A shift that every integer type can hold: all shifts that move every bit out are equivalent.
  fileprivate var asShift: Int { (0..<64).contains(self) ? self : 64 }
}

/// The greatest common divisor, not negative; gcd(0, 0) is 0. Integers only. Shapes broadcast.
/// PyTorch: `torch.gcd`.
public func gcd(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try divisor(a, b, "gcd(_:_:)")
  }
}

/// The least common multiple, not negative; 0 if both are 0. Integers only. Shapes broadcast.
/// PyTorch: `torch.lcm`.
public func lcm(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let call = "lcm(_:_:)"
    let common = try divisor(a, b, call)
    if common.isPoisoned { return common }
    // Computed by the loop itself, which gives 0 / 0 = 0.
    let part = try Tensor.elementwise(
      .truncDivide, [a, common], in: common.dtype, result: common.dtype, call: call)
    return (part * b).abs()
  }
}

private func divisor(_ a: Tensor, _ b: Tensor, _ call: String) throws(TensorError) -> Tensor {
  if a.isPoisoned || b.isPoisoned { return .poisoned }
  let type = Promotion.type([a, b])
  try demand(type.isInteger, call, "\(type) has no divisors; cast to an integer type first")
  return try Tensor.elementwise(.gcd, [a, b], in: type, result: type, call: call)
}
