import NormaValues

// Functions of two and three tensors, made of a few instructions that run in one pass.

/// Linear interpolation: start + weight (end - start), computed from the end where the weight is at
/// least 1/2, so that weight 1 gives `end` exactly. Both have the same real type. Shapes broadcast.
/// PyTorch: `torch.lerp`.
public func lerp(
  _ start: Tensor, _ end: Tensor, _ weight: Double, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try refuseMixedTypes([start, end], "lerp(_:_:_:)")
    if start.isPoisoned { return .poisoned }
    return try Tensor.elementwise(
      .lerp, [start, end], in: start.dtype, result: start.dtype,
      immediate: Operation.Immediate(
        Scalar(weight), at: 2, in: start.dtype, of: .lerp, call: "lerp(_:_:_:)"),
      call: "lerp(_:_:_:)",
      gradient: .linear { rule in
        [
          rule.whenNeeded(0) { rule.upstream * (1 - weight) },
          rule.whenNeeded(1) { rule.upstream * weight },
        ]
      })
  }
}

/// Linear interpolation with a weight for each element. PyTorch: `torch.lerp`.
public func lerp(
  _ start: Tensor, _ end: Tensor, _ weight: Tensor, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try refuseMixedTypes([start, end, weight], "lerp(_:_:_:)")
    if start.isPoisoned { return .poisoned }
    return try Tensor.elementwise(
      .lerp, [start, end, weight], in: start.dtype, result: start.dtype, call: "lerp(_:_:_:)",
      gradient: .ofOperands { rule in
        let (start, end, weight) = (rule.saved[0], rule.saved[1], rule.saved[2])
        return [
          rule.whenNeeded(0) { rule.upstream * (1 - weight) },
          rule.whenNeeded(1) { rule.upstream * weight },
          rule.whenNeeded(2) { rule.upstream * (end - start) },
        ]
      })
  }
}

/// x + value · a · b. Shapes broadcast. PyTorch: `torch.addcmul`.
public func addcmul<T: TensorElement>(
  _ x: Tensor, _ a: Tensor, _ b: Tensor, value: T = 1, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let type = Promotion.type([x, a, b])
    if type.isHalf {
      let parts = [x, a, b].map { $0.cast(to: .float32) }
      return addcmul(parts[0], parts[1], parts[2], value: value).cast(to: type)
    }
    return x + scaled(a.cast(to: type), by: value) * b
  }
}

/// x + value · a / b. Shapes broadcast; three integer tensors are not allowed.
/// PyTorch: `torch.addcdiv`.
public func addcdiv<T: TensorElement>(
  _ x: Tensor, _ a: Tensor, _ b: Tensor, value: T = 1, file: StaticString = #fileID,
  line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.refuseIntegers(a, b, "addcdiv(_:_:_:value:)")
    let number = value.asDouble
    let common = Promotion.type([x, a, b])
    if common.isHalf {
      let parts = [x, a, b].map { $0.cast(to: .float32) }
      return addcdiv(parts[0], parts[1], parts[2], value: value).cast(to: common)
    }
    let quotient = scaled(a.detached().cast(to: common), by: value) / b.detached()
    return (x.detached() + quotient).recorded(
      "addcdiv(_:_:_:value:)", from: [x, a, b], saving: [a, b]
    ) { rule in
      let (a, b) = (rule.saved[0], rule.saved[1])
      return [
        rule.upstream,
        rule.whenNeeded(1) { rule.upstream * (number / b) },
        // The product in the type of a, as in PyTorch.
        rule.whenNeeded(2) { -(rule.upstream * (a * number / b / b)) },
      ]
    }
  }
}

/// The tensor times a number of its own type; the tensor itself if the number is 1.
private func scaled<T: TensorElement>(_ x: Tensor, by value: T) -> Tensor {
  value.asDouble == 1 ? x : x * Tensor(value).cast(to: x.dtype)
}

/// 0 where x is negative, 1 where it is positive, and the element of `values` where it is 0. Shapes
/// broadcast; types must be equal.
/// PyTorch: `torch.heaviside`.
public func heaviside(
  _ x: Tensor, _ values: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    if x.dtype != values.dtype && !x.isPoisoned && !values.isPoisoned {
      throw TensorError(
        "heaviside(_:_:)", "the types \(x.dtype) and \(values.dtype) differ; cast one of them")
    }
    return try Tensor.binary(
      .heaviside, x, values, call: "heaviside(_:_:)",
      gradient: .ofOperands { rule in
        [
          rule.whenNeeded(0) { rule.upstream.asZeros },
          rule.whenNeeded(1) { .where(rule.saved[0] .== 0, rule.upstream, 0) },
        ]
      })
  }
}

/// The larger of two elements; if one is NaN, the other. Shapes broadcast. The gradient goes to `a`
/// where both are equal.
/// PyTorch: `torch.fmax`.
public func fmax(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let isReal = Promotion.type([a, b]).isFloatingPoint
    return try Tensor.binary(
      isReal ? .fmax : .maximum, a, b, call: "fmax(_:_:)",
      gradient: .ofOperands { chosen($0, ($0.saved[0] .>= $0.saved[1]) .| $0.saved[1].isNaN()) })
  }
}

/// The smaller of two elements; if one is NaN, the other. Shapes broadcast. The gradient goes to
/// `a` where both are equal.
/// PyTorch: `torch.fmin`.
public func fmin(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    let isReal = Promotion.type([a, b]).isFloatingPoint
    return try Tensor.binary(
      isReal ? .fmin : .minimum, a, b, call: "fmin(_:_:)",
      gradient: .ofOperands { chosen($0, ($0.saved[0] .<= $0.saved[1]) .| $0.saved[1].isNaN()) })
  }
}

/// The upstream gradient: to the first operand where it was chosen, else to the second.
private func chosen(_ rule: Backward, _ isFirst: Tensor) -> [Tensor?] {
  [
    rule.whenNeeded(0) { .where(isFirst, rule.upstream, 0) },
    rule.whenNeeded(1) { .where(isFirst, 0, rule.upstream) },
  ]
}

/// The next representable number after `a` towards `b`. `float32` and `float64`. Shapes broadcast.
/// The gradient goes to `a` where both differ.
/// PyTorch: `torch.nextafter`.
public func nextafter(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(a, b, file: file, line: line) { () throws(TensorError) in
    let type = Promotion.type([a, b])
    guard type == .float32 || type == .float64 else {
      throw TensorError("nextafter(_:_:)", "\(type) is not supported; cast to float32 first")
    }
    return try Tensor.binary(
      .nextAfter, a, b, call: "nextafter(_:_:)",
      gradient: .ofOperands {
        [.where($0.saved[0] .== $0.saved[1], 0, $0.upstream), $0.upstream.asZeros]
      })
  }
}

/// Throws unless all have the same real type.
private func refuseMixedTypes(_ tensors: [Tensor], _ call: String) throws(TensorError) {
  if tensors.contains(where: \.isPoisoned) { return }
  for tensor in tensors where tensor.dtype != tensors[0].dtype {
    throw TensorError(
      call, "the types \(tensors[0].dtype) and \(tensor.dtype) differ; cast one of them")
  }
  guard tensors[0].dtype.isFloatingPoint else {
    throw TensorError(call, "expected a real type, got \(tensors[0].dtype); cast it first")
  }
}
