import NormaValues

// Derivatives of elementwise functions, computed from the operand in `float64`: digits that the
// result's rounding loses, as in 1 - tanh² x, are kept, and the gradient is rounded once. For
// `float32` operands, powers of e are `float32`'s, which keeps programs fast. For `float64`
// operands, where no wider type absorbs the roundings, slopes with several steps are instructions
// of their own.

extension Tensor {
  /// A slope computed by `formula`, or by one instruction for `float64`; that instruction's
  /// derivative is the formula's.
  func slope(
    _ code: Operation.Code, _ formula: @escaping @Sendable (Tensor) -> Tensor
  ) -> Tensor {
    guard dtype == .float64 else { return formula(self) }
    return real(
      code, code.name, #fileID, #line, .slope { Tensor.gradient(of: formula, at: $0) })
  }

  /// The same for two operands, one of which is `float64`.
  static func slope(
    _ code: Operation.Code, _ a: Tensor, _ b: Tensor,
    _ formula: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    checked { () throws(TensorError) in
      let rule = ElementwiseRule.ofOperands { rule in
        Tensor.gradient(
          of: { formula($0[0], $0[1]) }, at: rule.saved, upstream: rule.upstream)
      }
      return try Tensor.binary(code, a.wide, b.wide, call: code.name, gradient: rule)
    }
  }

  /// The elements in `float64`.
  var wide: Tensor { cast(to: .float64) }

  /// Half types as `float32`.
  var singleOrWide: Tensor { dtype.isHalf ? cast(to: .float32) : self }

  /// A function of several instructions. Half types are computed in `float32` and rounded once,
  /// both values and gradients.
  @inline(never)
  func roundedOnce(_ body: (Tensor) -> Tensor) -> Tensor {
    dtype.isHalf ? body(singleOrWide).cast(to: dtype) : body(self)
  }

  /// e to the power of this `float64` tensor, as accurate as `exp` of `type`, corrected for what
  /// rounding the exponent to `type` loses.
  func exponential(as type: DType) -> Tensor {
    if type == .float64 { return exp() }
    // Beyond these bounds the power is 0 or infinite; an infinite exponent would give NaN as the
    // remainder.
    let exponent = clamped(min: -1000.0, max: 1000.0)
    let rounded = exponent.cast(to: .float32)
    return rounded.exp().wide * (exponent - rounded.wide + 1)
  }

  /// e^-|x| in `float64`. At 0 its derivative is that for x >= 0, because the functions that use it
  /// have two branches.
  fileprivate var decay: Tensor {
    let x = dtype == .float64 ? self : cast(to: .float32)
    return Tensor.where(x .< 0, x, -x).exp().wide
  }

  /// 1 / (1 + e⁻ˣ) in `float64`, without cancellation on either side.
  var sigmoidShare: Tensor {
    let e = decay
    return Tensor.where(self .< 0, e, 1.0) / (e + 1)
  }

  /// The derivative of the sigmoid: e / (1 + e)² for e = e^-|x|.
  var sigmoidSlope: Tensor {
    slope(.sigmoidSlope) { x in
      let e = x.decay
      return e / (e + 1).squared()
    }
  }

  /// The derivative of tanh: 4 e² / (1 + e²)² for e = e^-|x|.
  var tanhSlope: Tensor {
    slope(.tanhSlope) { x in
      let e = (x * 2).decay
      return e * 4 / (e + 1).squared()
    }
  }

  /// The derivative of x - tanh x.
  var tanhSquared: Tensor { slope(.tanhSquared) { $0.wide.tanh().squared() } }

  /// The derivative of x / (1 + |x|).
  var softsignSlope: Tensor { slope(.softsignSlope) { 1 / ($0.wide.abs() + 1).squared() } }

  /// The derivative of erf, 2 / √π e^(-x²).
  var erfSlope: Tensor { slope(.erfSlope) { $0.bell() * (2 / Double.pi.squareRoot()) } }

  /// The derivative of the function that is `slope` x for positive x, and alpha (eˣ - 1) elsewhere.
  func eluSlope(_ alpha: Double, above slope: Double = 1) -> Tensor {
    Tensor.where(self .> 0, slope, clamped(max: 0.0).wide.exponential(as: dtype) * alpha)
  }

  /// e to the power of this tensor, which is not positive, divided by a number.
  func celuSlope(_ alpha: Double) -> Tensor {
    let x = wide.clamped(min: -1e4 * alpha.magnitude)
    let quotient = x / alpha
    if dtype != .float64 { return quotient.exponential(as: dtype) }
    // Corrects for what rounding the quotient loses of a large exponent: products of leading digits
    // are exact.
    let first = Double(Float(alpha))
    let lead = quotient.leadingDigits
    let end = quotient - lead
    let rest = x - lead * first - end * first - quotient * (alpha - first)
    return quotient.exp() * (rest / alpha + 1)
  }

  /// The derivative of x sigmoid(x): s (1 + x (1 - s)).
  var siluSlope: Tensor {
    slope(.siluSlope) { x in
      let e = x.decay
      let inverse = (e + 1).reciprocal()
      let isNegative = x .< 0
      let s = Tensor.where(isNegative, e, 1.0) * inverse
      let rest = Tensor.where(isNegative, 1.0, e) * inverse
      return s * (x.clampedWide * rest + 1)
    }
  }

  /// The derivative of x tanh(softplus(x)).
  var mishSlope: Tensor {
    slope(.mishSlope) { x in
      // tanh(softplus(x)) is a / b, in powers of e^-|x|.
      let e = x.decay
      let isNegative = x .< 0
      let square = e.squared()
      let a = Tensor.where(isNegative, square + e * 2, e * 2 + 1)
      let b = a + Tensor.where(isNegative, 2.0, square * 2)
      let share = Tensor.where(isNegative, e * (e + 1), square * (e + 1)) * 4
      return a / b + x.clampedWide * (share / b / b)
    }
  }

  /// In `float64`, clamped to the range in which powers of e are not 0 or infinite, so that
  /// infinite elements times 0 are 0.
  private var clampedWide: Tensor { wide.clamped(min: -1e5, max: 1e5) }

  /// e^(-factor x²) in `float64`, for a factor that is a power of two.
  func bell(times factor: Double = 1) -> Tensor {
    if dtype != .float64 { return (wide.squared() * -factor).exponential(as: dtype) }
    let x = clamped(min: -1e3, max: 1e3)
    let lead = x.leadingDigits
    // The square of the leading digits is exact.
    return (lead.squared() * -factor).exp() * ((lead - x) * (lead + x) * factor).exp()
  }

  /// The leading 24 binary digits of `float64` elements.
  private var leadingDigits: Tensor { cast(to: .float32).cast(to: .float64) }

  /// The derivative of x Φ(x), Φ(x) + x φ(x), whose own derivative is (2 - x²) φ(x).
  var geluSlope: Tensor {
    real(
      .geluSlope, "gelu()", #fileID, #line,
      .slope { x in
        let bell = x.bell(times: 0.5) * (1 / (2 * Double.pi).squareRoot())
        return bell * (2 - x.clampedWide.squared())
      })
  }

  /// √(1 - x²) in `float64`, without cancellation.
  var circle: Tensor {
    let x = wide
    return ((1 - x) * (x + 1)).sqrt()
  }
}

extension ElementwiseRule {
  /// The upstream gradient times a slope at the operand.
  static func slope(_ slope: @escaping @Sendable (Tensor) -> Tensor) -> ElementwiseRule {
    ofOperands { [$0.upstream * slope($0.saved[0])] }
  }
}
