import NormaTensor

/// Functions of one element, of two and of three, beyond arithmetic.
let elementwiseFunctionOperations: [String: CaseOperation] = [
  "acos": unary { $0.acos() }, "acosh": unary { $0.acosh() }, "asin": unary { $0.asin() },
  "asinh": unary { $0.asinh() }, "atan": unary { $0.atan() }, "atanh": unary { $0.atanh() },
  "tan": unary { $0.tan() }, "sinh": unary { $0.sinh() }, "cosh": unary { $0.cosh() },
  "exp2": unary { $0.exp2() }, "log2": unary { $0.log2() }, "log10": unary { $0.log10() },
  "erfc": unary { $0.erfc() }, "erfinv": unary { $0.erfinv() },
  "lgamma": unary { $0.lgamma() }, "digamma": unary { $0.digamma() },
  "sinc": unary { $0.sinc() }, "deg2rad": unary { $0.deg2rad() },
  "rad2deg": unary { $0.rad2deg() },
  "logit": { [try $0.tensor(0).logit(eps: try $0.double(1, "eps"))] },

  "ceil": unary { $0.ceil() }, "floor": unary { $0.floor() }, "trunc": unary { $0.trunc() },
  "frac": unary { $0.frac() }, "round": rounded, "round@decimals_0": rounded,
  "round@decimals_3": rounded, "round@decimals_neg_3": rounded,
  "sign": unary { $0.sign() }, "sgn": unary { $0.sign() }, "signbit": unary { $0.signBit() },
  "angle": unary { $0.angle() },
  "isnan": unary { $0.isNaN() }, "isinf": unary { $0.isInfinite() },
  "isfinite": unary { $0.isFinite() }, "isposinf": unary { $0.isPositiveInfinity() },
  "isneginf": unary { $0.isNegativeInfinity() },
  "nan_to_num": { arguments in
    let x = try arguments.tensor(0)
    return [
      x.nanToNum(
        nan: try arguments.double(1, "nan") ?? 0,
        positiveInfinity: try arguments.double(2, "posinf"),
        negativeInfinity: try arguments.double(3, "neginf"))
    ]
  },
  "logical_not": unary { $0.logicalNot() }, "bitwise_not": unary { .!$0 },

  "atan2": ofTensors { atan2($0, $1) }, "hypot": ofTensors { hypot($0, $1) },
  "fmax": ofTensors { fmax($0, $1) }, "fmin": ofTensors { fmin($0, $1) },
  "heaviside": ofTensors { heaviside($0, $1) }, "nextafter": ofTensors { nextafter($0, $1) },
  "logaddexp": ofTensors { logAddExp($0, $1) }, "logaddexp2": ofTensors { logAddExp2($0, $1) },
  "logical_and": ofTensors { logicalAnd($0, $1) },
  "logical_or": ofTensors { logicalOr($0, $1) },
  "logical_xor": ofTensors { logicalXor($0, $1) },
  "gcd": ofTensors { gcd($0, $1) }, "lcm": ofTensors { lcm($0, $1) },
  "copysign": withNumber({ copysign($0, $1) }) { copysign($0, $1) },
  "fmod": withNumber({ fmod($0, $1) }) { fmod($0, $1) },
  "remainder": withNumber({ Tensor.remainder($0, $1) }) { Tensor.remainder($0, $1) },
  "xlogy": withNumber({ xlogy($0, $1) }) { xlogy($0, $1) },
  "bitwise_and": withNumber({ $0 .& $1 }) { $0 .& $1 },
  "bitwise_or": withNumber({ $0 .| $1 }) { $0 .| $1 },
  "bitwise_xor": withNumber({ $0 .^ $1 }) { $0 .^ $1 },
  "floor_divide": withNumber({ Tensor.divide($0, $1, rounding: .floor) }) {
    Tensor.divide($0, $1, rounding: .floor)
  },
  "div@floor_rounding": divided, "div@trunc_rounding": divided,
  "pow": powered, "__rpow__": { try powered($0, reversed: true) },
  "float_power": withNumber({ floatPower($0, $1) }) { floatPower($0, $1) },

  "lerp": { arguments in
    let (start, end) = (try arguments.tensor(0), try arguments.tensor(1, "end"))
    switch try arguments.operand(2, "weight") {
    case .tensor(let weight): return [lerp(start, end, weight)]
    case .number(let weight): return [lerp(start, end, weight.asDouble)]
    }
  },
  "addcmul": { try blended($0) { addcmul($0, $1, $2, value: $3) } },
  "addcdiv": { try blended($0) { addcdiv($0, $1, $2, value: $3) } },
  "isclose": { arguments in
    [
      try arguments.tensor(0).isClose(
        to: try arguments.tensor(1, "other"), rtol: try arguments.double(2, "rtol") ?? 1e-5,
        atol: try arguments.double(3, "atol") ?? 1e-8,
        equalNaN: try arguments.bool(4, "equal_nan") ?? false)
    ]
  },
]

private func unary(_ function: @escaping @Sendable (Tensor) -> Tensor) -> CaseOperation {
  { [function(try $0.tensor(0))] }
}

private func ofTensors(
  _ function: @escaping @Sendable (Tensor, Tensor) -> Tensor
) -> CaseOperation {
  { [function(try $0.tensor(0), try $0.tensor(1, "other"))] }
}

private func withNumber(
  _ ofTensors: @escaping @Sendable (Tensor, Tensor) -> Tensor,
  _ ofNumber: @escaping @Sendable (Tensor, any TensorElement) -> Tensor
) -> CaseOperation {
  { arguments in
    let a = try arguments.tensor(0)
    switch try arguments.operand(1, "other") {
    case .tensor(let b): return [ofTensors(a, b)]
    case .number(let b): return [ofNumber(a, b)]
    }
  }
}

@Sendable private func rounded(_ arguments: CaseArguments) throws -> [Tensor] {
  [try arguments.tensor(0).rounded(decimals: try arguments.int(1, "decimals") ?? 0)]
}

@Sendable private func divided(_ arguments: CaseArguments) throws -> [Tensor] {
  let rounding: DivisionRounding
  switch try arguments.text("rounding_mode") {
  case "floor": rounding = .floor
  case "trunc": rounding = .trunc
  case let other: throw CaseObstacle.notWritable("rounding \(other ?? "None")")
  }
  let a = try arguments.tensor(0)
  switch try arguments.operand(1, "other") {
  case .tensor(let b): return [Tensor.divide(a, b, rounding: rounding)]
  case .number(let b): return [divided(a, b, rounding)]
  }
}

private func divided(
  _ a: Tensor, _ b: some TensorElement, _ rounding: DivisionRounding
) -> Tensor {
  Tensor.divide(a, b, rounding: rounding)
}

@Sendable private func powered(_ arguments: CaseArguments) throws -> [Tensor] {
  try powered(arguments, reversed: false)
}

private func powered(_ arguments: CaseArguments, reversed: Bool) throws -> [Tensor] {
  var (a, b) = (try arguments.operand(0, "input"), try arguments.operand(1, "exponent"))
  if reversed { (a, b) = (b, a) }
  switch (a, b) {
  case (.tensor(let a), .tensor(let b)): return [pow(a, b)]
  case (.tensor(let a), .number(let b)): return [power(a, b)]
  case (.number(let a), .tensor(let b)): return [power(a, b)]
  case (.number, .number): throw CaseObstacle.notWritable("no operand is a tensor")
  }
}

private func power(_ a: Tensor, _ b: some TensorElement) -> Tensor { pow(a, b) }
private func power(_ a: some TensorElement, _ b: Tensor) -> Tensor { pow(a, b) }

private func blended(
  _ arguments: CaseArguments,
  _ function: (Tensor, Tensor, Tensor, any TensorElement) -> Tensor
) throws -> [Tensor] {
  let (x, a) = (try arguments.tensor(0), try arguments.tensor(1, "tensor1"))
  let b = try arguments.tensor(2, "tensor2")
  guard case .number(let value)? = try arguments.optionalOperand(3, "value") else {
    return [function(x, a, b, 1)]
  }
  return [function(x, a, b, value)]
}
