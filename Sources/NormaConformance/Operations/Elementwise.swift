import NormaTensor

let elementwiseOperations: [String: CaseOperation] = [
  "abs": unary { $0.abs() },
  "neg": unary { -$0 },
  "sqrt": unary { $0.sqrt() },
  "rsqrt": unary { $0.rsqrt() },
  "exp": unary { $0.exp() },
  "log": unary { $0.log() },
  "tanh": unary { $0.tanh() },
  "erf": unary { $0.erf() },
  "square": unary { $0.squared() },
  "reciprocal": unary { $0.reciprocal() },

  "add": scaled(plus),
  "sub": scaled(minus),
  "rsub": scaled(isReversed: true, minus),
  "mul": binary(times),
  "div@no_rounding_mode": binary(over),
  "true_divide": binary(over),
  "__radd__": reflected(plus),
  "__rsub__": reflected(minus),
  "__rmul__": reflected(times),
  "__rdiv__": reflected(over),

  "maximum": ofTensors { maximum($0, $1) },
  "minimum": ofTensors { minimum($0, $1) },
  "max@binary": extreme({ maximum($0, $1) }) { $0.max(over: $1) },
  "min@binary": extreme({ minimum($0, $1) }) { $0.min(over: $1) },

  "eq": comparison({ $0 .== $1 }) { tensor, number in tensor .== number },
  "ne": comparison({ $0 .!= $1 }) { tensor, number in tensor .!= number },
  "lt": comparison({ $0 .< $1 }) { tensor, number in tensor .< number },
  "le": comparison({ $0 .<= $1 }) { tensor, number in tensor .<= number },
  "gt": comparison({ $0 .> $1 }) { tensor, number in tensor .> number },
  "ge": comparison({ $0 .>= $1 }) { tensor, number in tensor .>= number },

  "where": choose,
  "clamp": { try [clamped($0, minimum: 1, maximum: 2)] },
  "clamp_min": { try [clamped($0, minimum: 1, maximum: nil)] },
  "clamp_max": { try [clamped($0, minimum: nil, maximum: 1)] },

  "clone": unary { $0 },
  "contiguous": unary { $0 },
  "positive": unary { $0 },
  "bool": conversion(.bool),
  "byte": conversion(.uint8),
  "char": conversion(.int8),
  "short": conversion(.int16),
  "int": conversion(.int32),
  "long": conversion(.int64),
  "half": conversion(.float16),
  "bfloat16": conversion(.bfloat16),
  "float": conversion(.float32),
  "double": conversion(.float64),
]

private func unary(_ function: @escaping @Sendable (Tensor) -> Tensor) -> CaseOperation {
  { [function(try $0.tensor(0))] }
}

private func conversion(_ dtype: DType) -> CaseOperation {
  { [try $0.tensor(0).cast(to: dtype)] }
}

private typealias OperandRule = @Sendable (Operand, Operand) throws -> Tensor

private func binary(_ rule: @escaping OperandRule) -> CaseOperation {
  { [try rule(.tensor($0.tensor(0)), $0.operand(1, "other"))] }
}

/// `add(a, b, alpha: 2)` is `a + 2 * b`, and `rsub(a, b, alpha: 2)` is `b - 2 * a`.
private func scaled(isReversed: Bool = false, _ rule: @escaping OperandRule) -> CaseOperation {
  { arguments in
    let tensor = Operand.tensor(try arguments.tensor(0))
    let other = try arguments.operand(1, "other")
    let a: Operand
    var b: Operand
    (a, b) = isReversed ? (other, tensor) : (tensor, other)
    if case .number(let factor)? = try arguments.optionalOperand(2, "alpha") {
      b = try scaled(b, by: factor)
    }
    return [try rule(a, b)]
  }
}

private func scaled(_ operand: Operand, by factor: any TensorElement) throws -> Operand {
  if case .number(let value) = operand {
    return .number(value.asDouble * factor.asDouble)
  }
  return .tensor(try times(operand, .number(factor)))
}

/// `a.__rsub__(b)` is `b - a`; Python has it for tensors only.
private func reflected(_ rule: @escaping OperandRule) -> CaseOperation {
  { [try rule($0.operand(1, "other"), .tensor($0.tensor(0)))] }
}

private func ofTensors(
  _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
) -> CaseOperation {
  { [function(try $0.tensor(0), try $0.tensor(1, "other"))] }
}

/// `torch.max(a, b)`, which is a reduction if `b` is an integer.
private func extreme(
  _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor,
  _ reduction: @escaping @Sendable (Tensor, [Int]) -> Tensor
) -> CaseOperation {
  { arguments in
    if case .number = try arguments.operand(1, "other") {
      let axis = try arguments.int(1, "dim") ?? 0
      return [reduction(try arguments.tensor(0), [axis])]
    }
    return [function(try arguments.tensor(0), try arguments.tensor(1, "other"))]
  }
}

private func comparison(
  _ ofTensors: @escaping @Sendable (Tensor, Tensor) -> Tensor,
  _ withNumber: @escaping @Sendable (Tensor, any TensorElement) -> Tensor
) -> CaseOperation {
  { arguments in
    let a = try arguments.tensor(0)
    switch try arguments.operand(1, "other") {
    case .tensor(let b): return [ofTensors(a, b)]
    case .number(let b): return [withNumber(a, b)]
    }
  }
}

private let bothNumbers = CaseObstacle.notWritable("no operand is a tensor")

@Sendable private func plus(_ a: Operand, _ b: Operand) throws -> Tensor {
  switch (a, b) {
  case (.tensor(let a), .tensor(let b)): a + b
  case (.tensor(let a), .number(let b)): a + b
  case (.number(let a), .tensor(let b)): a + b
  case (.number, .number): throw bothNumbers
  }
}

@Sendable private func minus(_ a: Operand, _ b: Operand) throws -> Tensor {
  switch (a, b) {
  case (.tensor(let a), .tensor(let b)): a - b
  case (.tensor(let a), .number(let b)): a - b
  case (.number(let a), .tensor(let b)): a - b
  case (.number, .number): throw bothNumbers
  }
}

@Sendable private func times(_ a: Operand, _ b: Operand) throws -> Tensor {
  switch (a, b) {
  case (.tensor(let a), .tensor(let b)): a * b
  case (.tensor(let a), .number(let b)): a * b
  case (.number(let a), .tensor(let b)): a * b
  case (.number, .number): throw bothNumbers
  }
}

@Sendable private func over(_ a: Operand, _ b: Operand) throws -> Tensor {
  switch (a, b) {
  case (.tensor(let a), .tensor(let b)): a / b
  case (.tensor(let a), .number(let b)): a / b
  case (.number(let a), .tensor(let b)): a / b
  case (.number, .number): throw bothNumbers
  }
}

/// `torch.where(condition, a, b)`, or the method of `a`, whose second argument is the condition.
@Sendable private func choose(_ arguments: CaseArguments) throws -> [Tensor] {
  var (condition, a) = (try arguments.tensor(0), try arguments.operand(1, "input"))
  if case .tensor(let second) = a, second.dtype == .bool {
    (condition, a) = (second, .tensor(condition))
  }
  switch (a, try arguments.operand(2, "other")) {
  case (.tensor(let a), .tensor(let b)): return [Tensor.where(condition, a, b)]
  case (.tensor(let a), .number(let b)): return [choose(condition, a, b)]
  case (.number(let a), .tensor(let b)): return [choose(condition, a, b)]
  case (.number, .number): throw bothNumbers
  }
}

private func choose(_ condition: Tensor, _ a: Tensor, _ b: some TensorElement) -> Tensor {
  .where(condition, a, b)
}

private func choose(_ condition: Tensor, _ a: some TensorElement, _ b: Tensor) -> Tensor {
  .where(condition, a, b)
}

private func clamped(
  _ arguments: CaseArguments, minimum: Int?, maximum: Int?
) throws -> Tensor {
  let x = try arguments.tensor(0)
  let low = try minimum.flatMap { try arguments.optionalOperand($0, "min") }
  let high = try maximum.flatMap { try arguments.optionalOperand($0, "max") }
  switch (low, high) {
  case (nil, nil): return x.clamped(min: nil as Tensor?, max: nil)
  case (.tensor(let low), nil): return x.clamped(min: low)
  case (nil, .tensor(let high)): return x.clamped(max: high)
  case (.tensor(let low), .tensor(let high)): return x.clamped(min: low, max: high)
  case (.number(let low), nil): return clamped(x, min: low)
  case (nil, .number(let high)): return clamped(x, max: high)
  case (.number(let low), .number(let high)):
    if let low = low as? Int, let high = high as? Int { return x.clamped(min: low, max: high) }
    return x.clamped(min: low.asDouble, max: high.asDouble)
  default: throw CaseObstacle.notWritable("one bound is a tensor and the other a number")
  }
}

private func clamped(_ x: Tensor, min: some TensorElement) -> Tensor { x.clamped(min: min) }
private func clamped(_ x: Tensor, max: some TensorElement) -> Tensor { x.clamped(max: max) }
