import CNormaLoops
import NormaValues

// Quotients that are whole, and what they leave. Truth values are refused, and so are integers
// divided by zero: to find one, the divisor is evaluated when the function is called.

/// How the quotient of a division becomes whole.
public enum DivisionRounding: Sendable {
  /// Down, as Python's `//`.
  case floor
  /// Towards zero, as `/` of Swift's integers.
  case trunc
}

extension Tensor {
  /// The quotient as a whole number; integers stay integers. Shapes broadcast.
  ///
  /// For real types `.trunc` is the quotient, rounded as `/` does, without its fraction, and `.floor`
  /// is (a - r) / b with what `remainder(_:_:)` leaves. The gradient is zero.
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
}

extension Tensor {
  /// The quotient by a number as a whole number.
  public static func divide<T: TensorElement>(
    _ a: Tensor, _ b: T, rounding: DivisionRounding, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    Tensor.divide(
      a, a.companion(b, .truncDivide, "divide(_:_:rounding:)", file: file, line: line),
      rounding: rounding, file: file, line: line)
  }
}

extension Tensor {
  /// Quotients of a number as whole numbers.
  public static func divide<T: TensorElement>(
    _ a: T, _ b: Tensor, rounding: DivisionRounding, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    Tensor.divide(
      b.companion(a, .truncDivide, "divide(_:_:rounding:)", file: file, line: line), b,
      rounding: rounding, file: file, line: line)
  }
}

/// What a division by b leaves, with the sign of a: a - b · trunc(a / b), exact. Shapes broadcast.
/// NaN where b is zero or a infinite. PyTorch: `torch.fmod`.
public func fmod(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    _ = try Tensor.divisionType(a, b, "fmod(_:_:)")
    return try Tensor.binary(.fmod, a, b, call: "fmod(_:_:)", gradient: .rest(.trunc))
  }
}

/// What a division by a number leaves, with the sign of a.
public func fmod<T: TensorElement>(
  _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  fmod(a, a.companion(b, .fmod, "fmod(_:_:)", file: file, line: line), file: file, line: line)
}

extension Tensor {
  /// What a division by b leaves, with the sign of b as in Python: a - b · floor(a / b). Shapes
  /// broadcast. NaN where b is zero or a infinite. (C's function of this name rounds the quotient to
  /// nearest.) PyTorch: `torch.remainder`.
  public static func remainder(
    _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      _ = try Tensor.divisionType(a, b, "remainder(_:_:)")
      return try Tensor.binary(
        .remainder, a, b, call: "remainder(_:_:)", gradient: .rest(.floor))
    }
  }
}

extension Tensor {
  /// What a division by a number leaves, with the sign of the number.
  public static func remainder<T: TensorElement>(
    _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    Tensor.remainder(
      a, a.companion(b, .remainder, "remainder(_:_:)", file: file, line: line), file: file,
      line: line
    )
  }
}

extension Tensor {
  /// What divisions of a number leave.
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
  /// 1, and minus the whole quotient.
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
  /// The common type of a division, which must not be bool and, if integer, not by zero.
  fileprivate static func divisionType(
    _ a: Tensor, _ b: Tensor, _ call: String
  ) throws(TensorError) -> DType {
    if a.isPoisoned || b.isPoisoned { return .float32 }
    let type = Promotion.type([a, b])
    if type == .bool {
      throw TensorError(call, "truth values cannot be divided; cast to an integer type first")
    }
    if type.isInteger && b.holdsZero {
      throw TensorError(call, "an integer is divided by zero; replace the zeros or cast to real")
    }
    return type
  }

  /// Whether one of the integers is zero. Where they are not one behind the other, a copy is.
  private var holdsZero: Bool {
    let dense = layout.isDense ? self : detached().contiguous()
    let storage = dense.node.materialize()
    if storage.isMissing { return false }
    return withExtendedLifetime(storage) {
      norma_holds_zero(
        count, storage.base + dense.layout.offset * dtype.byteCount, Int32(dtype.byteCount)) != 0
    }
  }
}
