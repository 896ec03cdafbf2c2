import NormaValues

// Arithmetic with broadcasting and type promotion, pending: a program of any length costs one pass
// over memory. Each result is rounded once to its type. Operators cannot take the caller's file and
// line, so an error names the operator and both shapes.

extension Tensor {

  /// The elementwise sum. Shapes broadcast; integers wrap, Booleans are combined with "or".
  /// PyTorch: `torch.add`.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.add, a, b, call: "+", gradient: .sum) }
  }

  /// The elementwise sum of every element with a number, in the tensor's type.
  public static func + <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    arithmetic(.add, a, Scalar(b), position: 1, "+", .sum)
  }

  /// The elementwise sum of a number with every element, in the tensor's type.
  public static func + <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    arithmetic(.add, b, Scalar(a), position: 0, "+", .sum)
  }

  /// Replaces the tensor in this variable by the result; other references to the old tensor do not
  /// change.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }

  /// Replaces the tensor in this variable by the result with a number.
  public static func += <T: TensorElement>(a: inout Tensor, b: T) { a = a + b }

  /// The elementwise difference. Shapes broadcast; integers wrap, Booleans are not allowed.
  /// PyTorch: `torch.sub`.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.subtract, a, b, call: "-", gradient: .difference)
    }
  }

  /// The elementwise difference of every element and a number, in the tensor's type.
  public static func - <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    arithmetic(.subtract, a, Scalar(b), position: 1, "-", .difference)
  }

  /// The elementwise difference of a number and every element, in the tensor's type.
  public static func - <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    arithmetic(.subtract, b, Scalar(a), position: 0, "-", .difference)
  }

  /// Replaces the tensor in this variable by the result; other references to the old tensor do not
  /// change.
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }

  /// Replaces the tensor in this variable by the result with a number.
  public static func -= <T: TensorElement>(a: inout Tensor, b: T) { a = a - b }

  /// The elementwise product. Shapes broadcast; integers wrap, Booleans are combined with "and".
  /// PyTorch: `torch.mul`.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.multiply, a, b, call: "*", gradient: .product) }
  }

  /// The elementwise product of every element with a number, in the tensor's type.
  public static func * <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    arithmetic(.multiply, a, Scalar(b), position: 1, "*", .scaling)
  }

  /// The elementwise product of a number with every element, in the tensor's type.
  public static func * <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    arithmetic(.multiply, b, Scalar(a), position: 0, "*", .scaling)
  }

  /// Replaces the tensor in this variable by the result; other references to the old tensor do not
  /// change.
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }

  /// Replaces the tensor in this variable by the result with a number.
  public static func *= <T: TensorElement>(a: inout Tensor, b: T) { a = a * b }

  /// The elementwise quotient; integers give `float32`. Shapes broadcast. A number divided by zero
  /// is infinite, and zero by zero NaN. PyTorch: `torch.div`.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.divide, a, b, call: "/", gradient: .quotient) }
  }

  /// The elementwise quotient of every element by a number, in the tensor's type; integers give
  /// `float32`.
  public static func / <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    arithmetic(.divide, a, Scalar(b), position: 1, "/", .shrinking)
  }

  /// The elementwise quotient of a number by every element, in the tensor's type; integers give
  /// `float32`.
  public static func / <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    arithmetic(.divide, b, Scalar(a), position: 0, "/", .inverse)
  }

  /// Replaces the tensor in this variable by the result; other references to the old tensor do not
  /// change.
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }

  /// Replaces the tensor in this variable by the result with a number.
  public static func /= <T: TensorElement>(a: inout Tensor, b: T) { a = a / b }

  /// The elementwise negation; integers wrap. PyTorch: `torch.neg`.
  public static prefix func - (a: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      if a.dtype == .bool { throw TensorError("-", "Booleans have no negation") }
      return try a.unary(
        .negate, toFloat: false, call: "-", gradient: .linear { [-$0.upstream] })
    }
  }
}

/// Runs the rule of an operator, which does not know its call site.
@inline(never)
func checked(
  call: String? = nil, function: StaticString = #function,
  _ rule: () throws(TensorError) -> Tensor
) -> Tensor {
  checked(file: #fileID, line: #line, isCaller: false, call: call, function: function, rule)
}

extension ElementwiseRule {
  static let sum = linear { [$0.upstream, $0.upstream] }

  static let difference = linear { rule in
    if rule.immediate?.position == 0 { return [-rule.upstream] }
    return [rule.upstream, rule.whenNeeded(1) { -rule.upstream }]
  }

  static let product = ofOperands { rule in
    let (a, b) = (rule.saved[0], rule.saved[1])
    return [
      rule.whenNeeded(0) { rule.upstream * b }, rule.whenNeeded(1) { rule.upstream * a },
    ]
  }

  /// The gradients of a / b: 1 / b, and -a / b².
  static let quotient = ofOperands { rule in
    let (a, b) = (rule.saved[0], rule.saved[1])
    return [
      rule.whenNeeded(0) { rule.upstream / b },
      // In `float64` the intermediate results of narrower types do not overflow.
      rule.whenNeeded(1) { -(rule.upstream * (a.wide / b.wide / b.wide)) },
    ]
  }

  /// The gradient of a product with a number.
  static let scaling = linear { rule in
    [rule.immediate.map { rule.upstream.multiplied(by: $0.value) }]
  }

  /// The gradient of a quotient by a number.
  static let shrinking = linear { rule in
    [rule.immediate.map { rule.upstream.divided(by: $0.value) }]
  }

  /// The gradient of a number divided by x: -number / x².
  static let inverse = ofOperands { rule in
    let x = rule.saved[0].wide
    return [rule.immediate.map { -((rule.upstream.wide / x).multiplied(by: $0.value) / x) }]
  }
}

extension Tensor {
  @inline(never)
  private static func arithmetic(
    _ code: Operation.Code, _ x: Tensor, _ number: Scalar, position: Int, _ call: String,
    _ gradient: ElementwiseRule
  ) -> Tensor {
    checked(call: call) { () throws(TensorError) in
      try binary(code, x, number, position: position, call: call, gradient: gradient)
    }
  }

  /// The product with the number of a scalar operand.
  func multiplied(by scalar: Scalar) -> Tensor {
    .arithmetic(.multiply, self, scalar, position: 1, "*", .scaling)
  }

  /// The quotient by the number of a scalar operand.
  func divided(by scalar: Scalar) -> Tensor {
    .arithmetic(.divide, self, scalar, position: 1, "/", .shrinking)
  }
}
