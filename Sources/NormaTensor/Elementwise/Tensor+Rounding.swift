// Rounding to integral values, exact. Integers are returned unchanged. The gradient is zero
// wherever it exists, and is taken to be zero everywhere, as in PyTorch.

extension Tensor {
  /// The largest integral value that is not above x. PyTorch: `torch.floor`.
  public func floor(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    whole(.floor, "floor()", file, line)
  }

  /// The smallest integral value that is not below x. PyTorch: `torch.ceil`.
  public func ceil(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    whole(.ceil, "ceil()", file, line)
  }

  /// x rounded towards zero. PyTorch: `torch.trunc`, `torch.fix`.
  public func trunc(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    whole(.trunc, "trunc()", file, line)
  }

  /// The nearest integral value, ties to even: 2.5 gives 2.
  ///
  /// With decimals d, the nearest multiple of 10⁻ᵈ: x is multiplied by 10ᵈ, rounded, and divided
  /// again (for negative d the other way round), each step in the tensor's type, or in `float32`
  /// for half types. Integers with decimals are not allowed.
  /// PyTorch: `torch.round`.
  public func rounded(
    decimals: Int = 0, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    if decimals == 0 { return whole(.round, "rounded(decimals:)", file, line) }
    return checked(file: file, line: line) { () throws(TensorError) in
      guard dtype.isFloatingPoint || isPoisoned else {
        throw TensorError(
          "rounded(decimals:)", "\(dtype) has no decimals; cast to a real type first")
      }
      // Beyond this, every number is unchanged, or rounds to 0.
      let digits = Swift.max(Swift.min(decimals, 400), -400)
      if dtype.isHalf { return roundedOnce { $0.rounded(decimals: digits) } }
      // Larger powers exceed `float32`.
      if dtype == .float32 && digits.magnitude > 30 {
        return wide.rounded(decimals: digits).cast(to: dtype)
      }
      let scale = Tensor.power(of: 10, Swift.abs(digits))
      if scale.isInfinite && digits < 0 {
        return (detached() * 0).recorded("rounded(decimals:)", from: [self]) {
          [$0.upstream.asZeros]
        }
      }
      // One instruction where its steps round like three would.
      if decimals > 0 {
        return try Tensor.binary(
          .roundDecimal, self, Scalar(scale), position: 1, call: "rounded(decimals:)",
          gradient: .flat)
      }
      return ((detached() / scale).rounded() * scale).recorded("rounded(decimals:)", from: [self]) {
        [$0.upstream.asZeros]
      }
    }
  }

  /// x - trunc(x), with the sign of x; NaN for infinities. Integers are not allowed. The gradient
  /// is 1.
  /// PyTorch: `torch.frac`.
  public func frac(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      guard dtype.isFloatingPoint || isPoisoned else {
        throw TensorError("frac()", "\(dtype) has no fractions; cast to a real type first")
      }
      return try unary(
        .frac, toFloat: false, call: "frac()", gradient: .linear { [$0.upstream] })
    }
  }

  private func whole(
    _ code: Operation.Code, _ call: String, _ file: StaticString, _ line: UInt
  ) -> Tensor {
    checked(self, file: file, line: line, call: call) { () throws(TensorError) in
      if dtype == .bool { throw TensorError(call, "Booleans cannot be rounded") }
      if !dtype.isFloatingPoint { return self }
      return try unary(code, toFloat: false, call: call, gradient: .flat)
    }
  }

  private static func power(of base: Double, _ exponent: Int) -> Double {
    (0..<exponent).reduce(1) { product, _ in product * base }
  }
}

extension ElementwiseRule {
  /// The gradient of a step function: zero.
  static let flat = linear { [$0.upstream.asZeros, $0.upstream.asZeros] }
}

extension Tensor {
  /// Zeros of this shape and type that take no memory.
  var asZeros: Tensor { Tensor(0, dtype: dtype).broadcast(to: shape) }

  /// Ones of this shape and type that take no memory.
  var asOnes: Tensor { Tensor(1, dtype: dtype).broadcast(to: shape) }
}
