// Trigonometric functions. `float32` results are the same on every processor; `float64` uses the C
// library.

extension Tensor {
  /// The tangent of x in radians, with exact argument reduction at any size. Worst error in
  /// `float32` 0.58 ulp.
  /// Integers give `float32`. PyTorch: `torch.tan`.
  public func tan(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.tan, "tan()", file, line, .ofResult { [$0.upstream * ($0.result.wide.squared() + 1)] })
  }

  /// The angle in -π/2 ... π/2 whose sine is x; NaN outside of -1 ... 1. Worst error in `float32`
  /// 0.52 ulp. Integers give `float32`.
  /// PyTorch: `torch.asin`.
  public func asin(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.asin, "asin()", file, line, .ofOperands { [$0.upstream / $0.saved[0].circle] })
  }

  /// The angle in 0 ... π whose cosine is x; NaN outside of -1 ... 1. Worst error in `float32` 0.52
  /// ulp. Integers give `float32`.
  /// PyTorch: `torch.acos`.
  public func acos(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.acos, "acos()", file, line, .ofOperands { [-($0.upstream / $0.saved[0].circle)] })
  }

  /// The angle in -π/2 ... π/2 whose tangent is x. Worst error in `float32` 0.55 ulp. Integers give
  /// `float32`.
  /// PyTorch: `torch.atan`.
  public func atan(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(
      .atan, "atan()", file, line,
      .ofOperands { rule in
        let x = rule.saved[0].wide
        let slope = rule.upstream / (x.squared() + 1)
        // Squares of narrower types stay within the range of `float64`.
        guard rule.saved[0].dtype == .float64 else { return [slope] }
        return [.where(x.abs() .> 1e9, rule.upstream / x / x, slope)]
      })
  }

  /// Degrees as radians, x π / 180. Integers give `float32`. PyTorch: `torch.deg2rad`.
  public func deg2rad() -> Tensor { self * (Double.pi / 180) }

  /// Radians as degrees, x 180 / π. Integers give `float32`. PyTorch: `torch.rad2deg`.
  public func rad2deg() -> Tensor { self * (180 / Double.pi) }

  /// sin(π x) / (π x), and 1 at 0, where the gradient is 0; π x is rounded to the tensor's type, or
  /// to `float32` for half types. Integers give `float32`.
  /// PyTorch: `torch.sinc`.
  public func sinc() -> Tensor { roundedOnce { $0.ratioOfSine } }

  private var ratioOfSine: Tensor {
    let x = detached() * Double.pi
    let ratio = checked { () throws(TensorError) in
      try x.unary(.sineRatio, toFloat: true, call: "sinc()", gradient: .flat)
    }
    return ratio.recorded("sinc()", from: [self], saving: [self]) {
      let x = $0.saved[0]
      let y = x * Double.pi
      return [.where(x .== 0, 0, $0.upstream * ((y * y.cos() - y.sin()) / (y * x)))]
    }
  }
}

/// The angle of the point (x, y) in -π ... π, with the sign of y; beyond ±π/2 where x is negative
/// or -0. Shapes broadcast; integers give `float32`. Worst error in `float32` 0.51 ulp.
/// PyTorch: `torch.atan2`.
public func atan2(
  _ y: Tensor, _ x: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.binary(.atan2, y, x, toFloat: true, call: "atan2(_:_:)", gradient: .angle)
  }
}

/// √(a² + b²), without overflow. Shapes broadcast; two integer tensors are not allowed. Worst error
/// in `float32` 0.51 ulp.
/// PyTorch: `torch.hypot`.
public func hypot(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.refuseIntegers(a, b, "hypot(_:_:)")
    return try Tensor.binary(.hypot, a, b, call: "hypot(_:_:)", gradient: .distance)
  }
}

extension ElementwiseRule {
  /// x / (x² + y²), and -y / (x² + y²).
  static let angle = ofOperands { rule in
    let (y, x) = (rule.saved[0], rule.saved[1])
    if rule.upstream.dtype == .float64 {
      return [
        rule.whenNeeded(0) { rule.upstream * x.angleSlope(beside: y) },
        rule.whenNeeded(1) { -(rule.upstream * y.angleSlope(beside: x)) },
      ]
    }
    let length = rule.length(x, y)
    // At the origin, where the angle is undefined, both are 0.
    let divisor = Tensor.where(length .== 0, 1.0, length)
    let share = rule.upstream.wide / divisor
    return [
      rule.whenNeeded(0) { share * (x / divisor) }, rule.whenNeeded(1) { -(share * (y / divisor)) },
    ]
  }

  static let distance = ofOperands { rule in
    let length = rule.length(rule.saved[0], rule.saved[1])
    return [
      rule.whenNeeded(0) { rule.upstream * (rule.saved[0] / length) },
      rule.whenNeeded(1) { rule.upstream * (rule.saved[1] / length) },
    ]
  }
}

extension Tensor {
  /// a / (a² + b²) in `float64`, and 0 at the origin.
  fileprivate func angleSlope(beside other: Tensor) -> Tensor {
    Tensor.slope(.angleSlope, self, other) { a, b in
      let length = hypot(a, b)
      let divisor = Tensor.where(length .== 0, 1.0, length)
      return a / divisor / divisor
    }
  }
}

extension Backward {
  /// √(a² + b²) in `float64`. Squares of narrower types neither overflow nor underflow there.
  fileprivate func length(_ a: Tensor, _ b: Tensor) -> Tensor {
    upstream.dtype == .float64
      ? hypot(a, b) : (a.wide.squared() + b.wide.squared()).sqrt()
  }
}

extension Tensor {
  /// Throws if both operands are integers or Booleans, as PyTorch does.
  static func refuseIntegers(_ a: Tensor, _ b: Tensor, _ call: String) throws(TensorError) {
    let areReal = a.dtype.isFloatingPoint || b.dtype.isFloatingPoint
    if !areReal && !a.isPoisoned && !b.isPoisoned {
      let type = Promotion.type([a, b])
      throw TensorError(call, "both operands are \(type); cast one to a real type first")
    }
  }
}
