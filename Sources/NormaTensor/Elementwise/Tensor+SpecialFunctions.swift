import NormaValues

// Special functions. Most are vectorized in `float32`, computed in double and rounded once;
// `polygamma` is computed element by element, in double for every type. Integers give `float32`.

extension Tensor {
  /// 1 - erf x, without cancellation: relative precision even where it is close to zero. Worst
  /// error in `float32` 0.59 ulp. PyTorch: `torch.erfc`.
  public func erfc(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.erfc, "erfc()", file, line, .slope { -$0.erfSlope })
  }

  /// The inverse of the error function: infinite at -1 and 1, NaN beyond. Worst error in `float32`
  /// 0.59 ulp; in `float64` Giles's approximation (2010), refined by Halley's method.
  /// PyTorch: `torch.erfinv`.
  public func erfinv(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .erfinv, "erfinv()", file, line,
      .slope { $0.wide.erfinv().squared().exp() * (Double.pi.squareRoot() / 2) })
  }

  /// log |Γ(x)|: infinite at 0 and at negative integers. Worst error in `float32`
  /// 0.56 ulp. PyTorch: `torch.lgamma`.
  public func lgamma(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.lgamma, "lgamma()", file, line, .ofOperands { [$0.upstream * $0.saved[0].digamma()] })
  }

  /// The derivative of log Γ: -∞ at 0 (∞ at -0), NaN at negative integers. Worst error in `float32`
  /// 0.51 ulp. PyTorch: `torch.digamma`.
  public func digamma(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .digamma, "digamma()", file, line,
      .ofOperands { [$0.upstream * $0.saved[0].polygamma(1)] })
  }

  /// The derivative of order n of ``digamma(file:line:)``: (-1)ⁿ⁺¹ n! ζ(n + 1, x). Order 0 is
  /// digamma itself. Infinite at 0 and at negative integers (order 1 there: very large).
  /// PyTorch: `torch.polygamma`.
  public func polygamma(
    _ order: Int, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "polygamma(_:)"
      guard order >= 0 else { throw TensorError(call, "order must not be negative, got \(order)") }
      // For larger orders the factorial is infinite, and so is the function.
      guard order < 1 << 16 else { throw TensorError(call, "order \(order) is too large") }
      if isPoisoned || order == 0 { return digamma() }
      let rule = ElementwiseRule.ofOperands {
        [$0.upstream * $0.saved[0].polygamma(order + 1)]
      }
      if order == 1 {
        return try unary(.trigamma, toFloat: true, call: call, gradient: rule)
      }
      let type: DType = dtype.isFloatingPoint ? dtype : .float32
      let zeta = try Tensor.binary(
        .zeta, Tensor(order + 1, dtype: type), detached(), toFloat: true, call: call,
        gradient: .flat)
      let factorial = (1...Swift.min(order, 171)).reduce(order % 2 == 0 ? -1.0 : 1.0) {
        $0 * Double($1)
      }
      return (zeta * factorial).recorded(call, from: [self], saving: [self]) {
        [$0.upstream * $0.saved[0].polygamma(order + 1)]
      }
    }
  }
}
