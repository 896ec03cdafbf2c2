import NormaValues

// Signs, exact.

extension Tensor {
  /// 1, 0 or -1; 0 for NaN. The gradient is 0. PyTorch: `torch.sign`, `torch.sgn`.
  public func sign(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try unary(.sign, toFloat: false, call: "sign()", gradient: .flat)
    }
  }

  /// Where the sign is negative, including that of zeros and NaN. PyTorch: `torch.signbit`.
  public func signBit(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if !dtype.isFloatingPoint { return self .< 0 }
      return try Tensor.elementwise(
        .signBit, [self], in: dtype, result: .bool, call: "signBit()")
    }
  }

  /// The angle of a real number in the complex plane: π below zero, else 0; NaN stays NaN. Integers
  /// give `float32`. The gradient is 0. PyTorch: `torch.angle`.
  public func angle() -> Tensor {
    let x = detached().cast(to: dtype.isFloatingPoint ? dtype : .float32)
    return Tensor.where(x.isNaN(), x, Tensor.where(x .< 0, Double.pi, x.asZeros))
      .recorded("angle()", from: [self]) { [$0.upstream.asZeros] }
  }
}

/// The magnitude of `a` with the sign of `b`, even if `b` is zero. Shapes broadcast; integers give
/// `float32`. The gradient of `a` is 0 where `a` is 0.
/// PyTorch: `torch.copysign`.
public func copysign(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.binary(
      .copySign, a, b, toFloat: true, call: "copysign(_:_:)", gradient: .copiedSign)
  }
}

/// The magnitude of `a` with the sign of a number.
public func copysign<T: TensorElement>(
  _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  copysign(
    a, a.companion(b.asDouble, .copySign, "copysign(_:_:)", file: file, line: line), file: file,
    line: line)
}

extension ElementwiseRule {
  /// 1 where the sign was kept, -1 where it was flipped.
  static let copiedSign = ElementwiseRule(savesOperands: true, savesResult: true) { rule in
    let a = rule.saved[0]
    return [
      rule.whenNeeded(0) { .where(a .== 0, 0, rule.upstream * (rule.result / a)) },
      rule.whenNeeded(1) { rule.upstream.asZeros },
    ]
  }
}

extension Tensor {
  /// A number to combine with this tensor, as a tensor of their common type.
  func companion<T: TensorElement>(
    _ number: T, _ code: Operation.Code, _ call: String, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line, call: call) { () throws(TensorError) in
      let scalar = Scalar(number)
      let type = Promotion.type(self, scalar)
      if !isPoisoned && !scalar.fits(type, of: code) { throw scalar.misfit(type, call) }
      return Tensor(number).cast(to: type)
    }
  }
}
