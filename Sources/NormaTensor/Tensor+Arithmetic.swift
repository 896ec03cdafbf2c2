import NormaKernels

// Arithmetic with broadcasting and type promotion, pending: a program of any length costs one trip
// over memory. Each result is rounded once to its type. Operators have no place for a caller's file
// and line, so a mistake names the operator and both shapes.

extension Tensor {

  /// The elementwise sum. Shapes broadcast; integers wrap, truth values are joined by "or".
  /// PyTorch: `torch.add`.
  public static func + (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.add, a, b, call: "+") }
  }

  /// The elementwise sum of every element with a number, which keeps the tensor's type.
  public static func + <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.add, a, Scalar(b), position: 1, call: "+")
    }
  }

  /// The elementwise sum of a number with every element, whose type it takes.
  public static func + <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.add, b, Scalar(a), position: 0, call: "+")
    }
  }

  /// Replaces the variable's tensor by the result; the old tensor's other uses do not change.
  public static func += (a: inout Tensor, b: Tensor) { a = a + b }

  /// Replaces the variable's tensor by the result with a number.
  public static func += <T: TensorElement>(a: inout Tensor, b: T) { a = a + b }

  /// The elementwise difference. Shapes broadcast; integers wrap, truth values are refused.
  /// PyTorch: `torch.sub`.
  public static func - (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.subtract, a, b, call: "-") }
  }

  /// The elementwise difference of every element with a number, which keeps the tensor's type.
  public static func - <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.subtract, a, Scalar(b), position: 1, call: "-")
    }
  }

  /// The elementwise difference of a number with every element, whose type it takes.
  public static func - <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.subtract, b, Scalar(a), position: 0, call: "-")
    }
  }

  /// Replaces the variable's tensor by the result; the old tensor's other uses do not change.
  public static func -= (a: inout Tensor, b: Tensor) { a = a - b }

  /// Replaces the variable's tensor by the result with a number.
  public static func -= <T: TensorElement>(a: inout Tensor, b: T) { a = a - b }

  /// The elementwise product. Shapes broadcast; integers wrap, truth values are joined by "and".
  /// PyTorch: `torch.mul`.
  public static func * (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.multiply, a, b, call: "*") }
  }

  /// The elementwise product of every element with a number, which keeps the tensor's type.
  public static func * <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.multiply, a, Scalar(b), position: 1, call: "*")
    }
  }

  /// The elementwise product of a number with every element, whose type it takes.
  public static func * <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.multiply, b, Scalar(a), position: 0, call: "*")
    }
  }

  /// Replaces the variable's tensor by the result; the old tensor's other uses do not change.
  public static func *= (a: inout Tensor, b: Tensor) { a = a * b }

  /// Replaces the variable's tensor by the result with a number.
  public static func *= <T: TensorElement>(a: inout Tensor, b: T) { a = a * b }

  /// The elementwise quotient; integers give `float32`. Shapes broadcast. A number divided by zero
  /// is infinite, and zero by zero NaN. PyTorch: `torch.div`.
  public static func / (a: Tensor, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in try binary(.divide, a, b, call: "/") }
  }

  /// The elementwise quotient of every element by a number, which keeps the tensor's type; integers
  /// give `float32`.
  public static func / <T: TensorElement>(a: Tensor, b: T) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.divide, a, Scalar(b), position: 1, call: "/")
    }
  }

  /// The elementwise quotient of a number by every element, whose type it takes; integers give
  /// `float32`.
  public static func / <T: TensorElement>(a: T, b: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try binary(.divide, b, Scalar(a), position: 0, call: "/")
    }
  }

  /// Replaces the variable's tensor by the result; the old tensor's other uses do not change.
  public static func /= (a: inout Tensor, b: Tensor) { a = a / b }

  /// Replaces the variable's tensor by the result with a number.
  public static func /= <T: TensorElement>(a: inout Tensor, b: T) { a = a / b }

  /// The elementwise negation; integers wrap. PyTorch: `torch.neg`.
  public static prefix func - (a: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      if a.dtype == .bool { throw TensorError("-", "truth values have no negation") }
      return try a.unary(.negate, toFloat: false, call: "-")
    }
  }
}

/// The rule of an operator, which does not know its caller's place.
func checked(_ rule: () throws(TensorError) -> Tensor) -> Tensor {
  checked(file: #fileID, line: #line, rule)
}
