import NormaValues

// Elementwise functions of one, two and three tensors. All are pending; a program of them costs one
// pass over memory. The errors in ulp were found over all floats by Tools/check-vector-math.c and
// are the same on every processor; `float64` uses the C library.

extension Tensor {
  /// |x|, exact. PyTorch: `torch.abs`.
  public func abs(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try unary(
        .abs, toFloat: false, call: "abs()",
        gradient: .ofOperands { [$0.upstream * $0.saved[0].sign()] })
    }
  }

  /// √x, correctly rounded; NaN below zero. Integers give `float32`. PyTorch: `torch.sqrt`.
  public func sqrt(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.sqrt, "sqrt()", file, line, .ofResult { [$0.upstream / ($0.result * 2)] })
  }

  /// 1 / √x: a correctly rounded root, then a correctly rounded quotient; half types are rounded
  /// once, from `float32`. Integers give `float32`. PyTorch: `torch.rsqrt`.
  public func rsqrt(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.rsqrt, "rsqrt()", file, line, .slope { -0.5 / $0.wide / $0.wide.sqrt() })
  }

  /// eˣ. Worst error in `float32` 0.89 ulp. Integers give `float32`.
  /// PyTorch: `torch.exp`.
  public func exp(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.exp, "exp()", file, line, .ofResult { [$0.upstream * $0.result] })
  }

  /// eˣ - 1, accurate even where x is close to zero. Worst error in `float32` 1.17 ulp. Integers
  /// give `float32`.
  /// PyTorch: `torch.expm1`.
  public func expm1(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.expm1, "expm1()", file, line, .slope { $0.exp() })
  }

  /// The natural logarithm: -∞ at zero, NaN below. Worst error in `float32` 0.88 ulp. Integers give
  /// `float32`. PyTorch: `torch.log`.
  public func log(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.log, "log()", file, line, .ofOperands { [$0.upstream / $0.saved[0]] })
  }

  /// log(1 + x), accurate even where x is close to zero. Worst error in `float32` 0.95 ulp.
  /// Integers give `float32`.
  /// PyTorch: `torch.log1p`.
  public func log1p(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.log1p, "log1p()", file, line, .ofOperands { [$0.upstream / ($0.saved[0].wide + 1)] })
  }

  /// The hyperbolic tangent. Worst error in `float32` 1.43 ulp. Integers give `float32`.
  /// PyTorch: `torch.tanh`.
  public func tanh(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.tanh, "tanh()", file, line, .slope { $0.tanhSlope })
  }

  /// The error function, 2/√π ∫₀ˣ e^(-t²) dt. Worst error in `float32` 1.54 ulp. Integers give
  /// `float32`. PyTorch: `torch.erf`.
  public func erf(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.erf, "erf()", file, line, .slope { $0.erfSlope })
  }

  /// 1 / (1 + e⁻ˣ). Worst error in `float32` 2.00 ulp. Integers give `float32`.
  /// PyTorch: `torch.sigmoid`.
  public func sigmoid(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.sigmoid, "sigmoid()", file, line, .slope { $0.sigmoidSlope })
  }

  /// The sine of x in radians, with exact argument reduction at any size. Worst error in `float32`
  /// 1.02 ulp. Integers give `float32`.
  /// PyTorch: `torch.sin`.
  public func sin(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.sin, "sin()", file, line, .ofOperands { [$0.upstream * $0.saved[0].cos()] })
  }

  /// The cosine of x in radians, with exact argument reduction at any size. Worst error in
  /// `float32` 1.02 ulp. Integers give `float32`.
  /// PyTorch: `torch.cos`.
  public func cos(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.cos, "cos()", file, line, .ofOperands { [-($0.upstream * $0.saved[0].sin())] })
  }

  // Not inlined into each function that it makes, whose bodies would be 5,000 instructions long.
  @inline(never)
  func real(
    _ code: Operation.Code, _ call: String, _ file: StaticString, _ line: UInt,
    _ gradient: ElementwiseRule
  ) -> Tensor {
    checked(file: file, line: line, call: call) { () throws(TensorError) in
      // The slopes of half types are computed in `float32`.
      if dtype.isHalf && isRecording {
        return roundedOnce { $0.real(code, call, file, line, gradient) }
      }
      return try unary(code, toFloat: true, call: call, gradient: gradient)
    }
  }

  /// x². Integers wrap. PyTorch: `torch.square`.
  public func squared(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try Tensor.binary(.multiply, self, self, call: "squared()", gradient: .product)
    }
  }

  /// 1 / x; integers give `float32`. PyTorch: `torch.reciprocal`.
  public func reciprocal(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try Tensor.binary(
        .divide, self, Scalar(1), position: 0, call: "reciprocal()", gradient: .inverse)
    }
  }

  /// Every element clamped to `min ... max`; either bound may be omitted. NaN stays NaN, and if the
  /// bounds cross, `max` wins. Cost: one instruction per bound.
  /// PyTorch: `torch.clamp`.
  public func clamped<T: TensorElement>(
    min: T? = nil, max: T? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if min == nil && max == nil {
        throw TensorError("clamped(min:max:)", "at least one of min and max is required")
      }
      var result = self
      if let min {
        result = try Tensor.binary(
          .maximum, result, Scalar(min), position: 1, call: "clamped(min:max:)",
          gradient: .lowerBound)
      }
      if let max {
        result = try Tensor.binary(
          .minimum, result, Scalar(max), position: 1, call: "clamped(min:max:)",
          gradient: .upperBound)
      }
      return result
    }
  }

  /// Every element clamped between the elements of two tensors, which broadcast.
  /// PyTorch: `torch.clamp`.
  public func clamped(
    min: Tensor? = nil, max: Tensor? = nil, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if min == nil && max == nil {
        throw TensorError("clamped(min:max:)", "at least one of min and max is required")
      }
      var result = self
      let call = "clamped(min:max:)"
      if let min {
        result = try Tensor.binary(.maximum, result, min, call: call, gradient: .lowerBound)
      }
      if let max {
        result = try Tensor.binary(.minimum, result, max, call: call, gradient: .upperBound)
      }
      return result
    }
  }

  /// The same numbers in another type.
  ///
  /// Real numbers are truncated to integers; NaN and values out of range give the smallest integer.
  /// Conversion to a narrower real type rounds to nearest, ties to even (`float64` to a half type
  /// through `float32`, as in PyTorch); as `bool`, everything but zero is true.
  /// PyTorch: `Tensor.to(dtype)`.
  public func cast(to dtype: DType, file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    if dtype == self.dtype { return self }
    return checked(file: file, line: line) { () throws(TensorError) in
      try Tensor.elementwise(
        .convert, [self], in: self.dtype, result: dtype, call: "cast(to: \(dtype))",
        gradient: .linear { [$0.upstream] })
    }
  }

  /// The elements of `a` where `condition` is true, of `b` elsewhere; all three broadcast.
  ///
  /// The gradient of an element that is not chosen is 0. But if that element was itself computed by
  /// a function whose slope is infinite or NaN, the 0 becomes NaN, as in PyTorch: the gradient of
  /// `Tensor.where(x .> 0, x.sqrt(), 0)` at 0 is 0 / 0. So choose a harmless operand before the
  /// function as well:
  /// too, an operand with which it is harmless:
  ///
  ///     Tensor.where(x .> 0, Tensor.where(x .> 0, x, 1).sqrt(), 0)
  ///
  /// PyTorch: `torch.where`.
  public static func `where`(
    _ condition: Tensor, _ a: Tensor, _ b: Tensor, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try select(condition, [a, b], Promotion.type([a, b]), nil, "where(_:_:_:)")
    }
  }

  /// The elements of `a` where `condition` is true, a number elsewhere.
  public static func `where`<T: TensorElement>(
    _ condition: Tensor, _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try choose(condition, a, Scalar(b), position: 2, "where(_:_:_:)")
    }
  }

  /// A number where `condition` is true, the elements of `b` elsewhere.
  public static func `where`<T: TensorElement>(
    _ condition: Tensor, _ a: T, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try choose(condition, b, Scalar(a), position: 1, "where(_:_:_:)")
    }
  }

  /// The elements of a tensor, with a number in the position of `where`'s first or second choice.
  static func choose(
    _ condition: Tensor, _ x: Tensor, _ number: Scalar, position: Int, _ call: String
  ) throws(TensorError) -> Tensor {
    try select(condition, [x], Promotion.type([x], number), (number, position), call)
  }

  @inline(never)
  private static func select(
    _ condition: Tensor, _ operands: [Tensor], _ type: DType, _ scalar: (Scalar, Int)?,
    _ call: String
  ) throws(TensorError) -> Tensor {
    guard condition.dtype == .bool || condition.isPoisoned else {
      throw TensorError(call, "the condition is \(condition.dtype), not bool; compare it first")
    }
    let immediate = try scalar.map { (number, position) throws(TensorError) in
      try Operation.Immediate(number, at: position, in: type, call: call)
    }
    return try elementwise(
      .select, [condition] + operands, in: type, result: type, immediate: immediate, call: call,
      gradient: .selection, scalar: scalar?.0)
  }
}

/// The larger of two elements; NaN if either is NaN. Shapes broadcast. The gradient goes to the
/// larger, half to each of equal ones, and fully to both if one is NaN.
/// PyTorch: `torch.maximum`.
public func maximum(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.binary(.maximum, a, b, call: "maximum(_:_:)", gradient: .larger)
  }
}

/// The smaller of two elements; NaN if either is NaN. Shapes broadcast. The gradient goes to the
/// smaller, half to each of equal ones, and fully to both if one is NaN.
/// PyTorch: `torch.minimum`.
public func minimum(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.binary(.minimum, a, b, call: "minimum(_:_:)", gradient: .smaller)
  }
}

extension ElementwiseRule {
  /// The gradient goes to the operand that was chosen; half to each if they are equal, and fully to
  /// both if one is NaN.
  static let larger = ofOperands { rule in
    shared(rule, rule.saved[0] .> rule.saved[1], rule.saved[1] .> rule.saved[0])
  }

  static let smaller = ofOperands { rule in
    shared(rule, rule.saved[0] .< rule.saved[1], rule.saved[1] .< rule.saved[0])
  }

  private static func shared(_ rule: Backward, _ first: Tensor, _ second: Tensor) -> [Tensor?] {
    let isTie = rule.saved[0] .== rule.saved[1]
    let share = Tensor.where(isTie, rule.upstream * 0.5, rule.upstream)
    return [
      rule.whenNeeded(0) { .where(second, 0, share) },
      rule.whenNeeded(1) { .where(first, 0, share) },
    ]
  }

  /// The gradient goes to elements at or above the bound, else to the bound.
  static let lowerBound = ofOperands { rule in
    let inside = rule.immediate.map { rule.saved[0].compared(.greaterOrEqual, $0.value) }
    return bounded(rule, inside ?? (rule.saved[0] .>= rule.saved[1]))
  }

  /// The gradient goes to elements at or below the bound, else to the bound.
  static let upperBound = ofOperands { rule in
    let inside = rule.immediate.map { rule.saved[0].compared(.lessOrEqual, $0.value) }
    return bounded(rule, inside ?? (rule.saved[0] .<= rule.saved[1]))
  }

  private static func bounded(_ rule: Backward, _ inside: Tensor) -> [Tensor?] {
    let first = rule.whenNeeded(0) { .where(inside, rule.upstream, 0) }
    if rule.immediate != nil { return [first] }
    return [first, rule.whenNeeded(1) { .where(inside, 0, rule.upstream) }]
  }

  /// The gradient goes to the operand that was chosen; the condition has none.
  static let selection = ofOperands { rule in
    let condition = rule.saved[0]
    let chosen = rule.immediate.map { $0.position == 2 } ?? rule.needs(1)
    let first: Tensor? = chosen ? .where(condition, rule.upstream, 0) : nil
    if let immediate = rule.immediate {
      return [nil, immediate.position == 2 ? first : .where(condition, 0, rule.upstream)]
    }
    return [nil, first, rule.whenNeeded(2) { .where(condition, 0, rule.upstream) }]
  }
}

extension Tensor {
  /// A comparison with the number of a scalar operand.
  func compared(_ code: Operation.Code, _ scalar: Scalar) -> Tensor {
    Tensor.comparison(code, self, scalar, position: 1, call: "clamped(min:max:)")
  }
}
