import CNormaLoops
import NormaValues

// Integral quotients and remainders. Booleans are not allowed, and so is dividing an integer by
// zero: to detect it, the divisor is evaluated when the function is called.

/// How a quotient is rounded to an integer.
public enum DivisionRounding: Sendable {
  /// Down, like Python's `//`.
  case floor
  /// Towards zero, like `/` of Swift's integers.
  case trunc
}

extension Tensor {
  /// The quotient rounded to an integral value; integers stay integers. Shapes broadcast.
  ///
  /// For real types `.trunc` is the quotient, rounded as `/` does, without its fraction, and
  /// `.floor` is (a - r) / b with the remainder r of `remainder(_:_:)`. The gradient is zero.
  /// PyTorch: `torch.div(a, b, rounding_mode=)`, `torch.floor_divide`.
  public static func divide(
    _ a: Tensor, _ b: Tensor, rounding: DivisionRounding, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "divide(_:_:rounding:)"
      _ = try Tensor.divisionType(a, b, call)
      return try Tensor.binary(
        rounding == .floor ? .floorDivide : .truncDivide, a, b, call: call, gradient: .flat)
    }
  }

  /// The quotient by a number, rounded to an integral value.
  public static func divide<T: TensorElement>(
    _ a: Tensor, _ b: T, rounding: DivisionRounding, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    Tensor.divide(
      a, a.companion(b, .truncDivide, "divide(_:_:rounding:)", file: file, line: line),
      rounding: rounding, file: file, line: line)
  }

  /// The quotient of a number by every element, rounded to an integral value.
  public static func divide<T: TensorElement>(
    _ a: T, _ b: Tensor, rounding: DivisionRounding, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    Tensor.divide(
      b.companion(a, .truncDivide, "divide(_:_:rounding:)", file: file, line: line), b,
      rounding: rounding, file: file, line: line)
  }
}

/// The remainder of a division by b, with the sign of a: a - b · trunc(a / b), exact. Shapes
/// broadcast. NaN where b is zero or a infinite.
/// PyTorch: `torch.fmod`.
public func fmod(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    _ = try Tensor.divisionType(a, b, "fmod(_:_:)")
    return try Tensor.binary(.fmod, a, b, call: "fmod(_:_:)", gradient: .rest(.trunc))
  }
}

/// The remainder of a division by a number, with the sign of a.
public func fmod<T: TensorElement>(
  _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  fmod(a, a.companion(b, .fmod, "fmod(_:_:)", file: file, line: line), file: file, line: line)
}

extension Tensor {
  /// The remainder of a division by b, with the sign of b as in Python: a - b · floor(a / b).
  /// Shapes broadcast. NaN where b is zero or a infinite. (C's function of this name rounds the
  /// quotient to nearest.)
  /// PyTorch: `torch.remainder`.
  public static func remainder(
    _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      _ = try Tensor.divisionType(a, b, "remainder(_:_:)")
      return try Tensor.binary(
        .remainder, a, b, call: "remainder(_:_:)", gradient: .rest(.floor))
    }
  }

  /// The remainder of a division by a number, with the sign of the number.
  public static func remainder<T: TensorElement>(
    _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.remainder(
      a, a.companion(b, .remainder, "remainder(_:_:)", file: file, line: line), file: file,
      line: line
    )
  }

  /// The remainder of a number divided by every element.
  public static func remainder<T: TensorElement>(
    _ a: T, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.remainder(
      b.companion(a, .remainder, "remainder(_:_:)", file: file, line: line), b, file: file,
      line: line
    )
  }
}

extension ElementwiseRule {
  /// 1, and minus the integral quotient.
  static func rest(_ rounding: DivisionRounding) -> ElementwiseRule {
    ofOperands { rule in
      let (a, b) = (rule.saved[0], rule.saved[1])
      return [
        rule.upstream,
        rule.whenNeeded(1) { -(rule.upstream * Tensor.divide(a, b, rounding: rounding)) },
      ]
    }
  }
}

extension Tensor {
  /// The common type of a division. Throws if it is bool, or if it is an integer type and a divisor
  /// is zero.
  fileprivate static func divisionType(
    _ a: Tensor, _ b: Tensor, _ call: String
  ) throws(TensorError) -> DType {
    if a.isPoisoned || b.isPoisoned { return .float32 }
    let type = Promotion.type([a, b])
    if type == .bool {
      throw TensorError(call, "Booleans cannot be divided; cast to an integer type first")
    }
    if type.isInteger && b.holdsZero {
      throw TensorError(call, "division of an integer by zero; replace the zeros or cast to real")
    }
    return type
  }

  /// Whether one of the integers is zero. Tensors that are not contiguous are copied.
  private var holdsZero: Bool {
    let dense = layout.isDense ? self : detached().contiguous()
    return dense.withAddress { norma_holds_zero(count, $0, Int32(dtype.byteCount)) != 0 } ?? false
  }
}
