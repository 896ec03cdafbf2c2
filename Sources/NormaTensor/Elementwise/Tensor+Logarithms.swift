import NormaValues

// Powers of two, logarithms, and functions made of them. `float32` logarithms are computed in
// double and rounded once, which leaves errors of at most 0.51 ulp, the same on every processor;
// `float64` uses the C library. Integers give `float32`.

private let ln2 = 0.693147180559945309417

extension Tensor {
  /// 2ˣ. Worst error in `float32` 1.30 ulp. PyTorch: `torch.exp2`.
  public func exp2(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.exp2, "exp2()", file, line, .ofResult { [$0.upstream * ($0.result.wide * ln2)] })
  }

  /// The logarithm to base 2: -∞ at zero, NaN below. Worst error in `float32` 0.51 ulp.
  /// PyTorch: `torch.log2`.
  public func log2(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.log2, "log2()", file, line, .inverse(times: 1.44269504088896340736))
  }

  /// The logarithm to base 10: -∞ at zero, NaN below. Worst error in `float32` 0.51 ulp.
  /// PyTorch: `torch.log10`.
  public func log10(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    real(.log10, "log10()", file, line, .inverse(times: 0.43429448190325182765))
  }

  /// log(x / (1 - x)), the inverse of the sigmoid; NaN outside of 0 ... 1. With `eps`, x is first
  /// clamped to eps ... 1 - eps, and the gradient is zero where it was clamped.
  /// PyTorch: `torch.logit`.
  public func logit(eps: Double? = nil) -> Tensor { roundedOnce { $0.logOdds(eps) } }

  private func logOdds(_ eps: Double?) -> Tensor {
    let x = cast(to: dtype.isFloatingPoint ? dtype : .float32)
    let moved = eps.map { x.detached().clamped(min: $0, max: 1 - $0) } ?? x.detached()
    return (moved / (1 - moved)).log().recorded("logit(eps:)", from: [x], saving: [x]) { rule in
      let x = rule.saved[0].wide
      let slope = rule.upstream.wide / (x * (1 - x))
      let (low, high) = (eps ?? 0, 1 - (eps ?? 0))
      let outside: Double = eps == nil ? .nan : 0
      let inside = (x .>= low) .& (x .<= high)
      return [.where(inside .| x.isNaN(), slope, outside)]
    }
  }
}

/// a log b, and 0 where a is 0 and b is not NaN. Shapes broadcast; integers give `float32`. Worst
/// error in `float32` 0.51 ulp.
/// PyTorch: `torch.xlogy`.
public func xlogy(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.binary(.xLogY, a, b, toFloat: true, call: "xlogy(_:_:)", gradient: .xLogY)
  }
}

/// a log b for a number b.
public func xlogy<T: TensorElement>(
  _ a: Tensor, _ b: T, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  xlogy(a, a.companion(b, .xLogY, "xlogy(_:_:)", file: file, line: line), file: file, line: line)
}

/// a log b for a number a.
public func xlogy<T: TensorElement>(
  _ a: T, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  xlogy(b.companion(a, .xLogY, "xlogy(_:_:)", file: file, line: line), b, file: file, line: line)
}

/// log(eᵃ + eᵇ) without overflow: the larger operand + log(1 + e^-|a - b|). Shapes broadcast; two
/// integer tensors are not allowed. Worst error in `float32` 0.51 ulp, or 1e-10 of the larger
/// operand if that is more, because both cancel.
/// PyTorch: `torch.logaddexp`.
public func logAddExp(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.refuseIntegers(a, b, "logAddExp(_:_:)")
    return try Tensor.binary(
      .logAddExp, a, b, call: "logAddExp(_:_:)", gradient: .shares(scale: 1))
  }
}

/// log₂(2ᵃ + 2ᵇ) without overflow, as accurate as ``logAddExp(_:_:file:line:)``. Shapes broadcast;
/// two integer tensors are not allowed.
/// PyTorch: `torch.logaddexp2`.
public func logAddExp2(
  _ a: Tensor, _ b: Tensor, file: StaticString = #fileID, line: UInt = #line
) -> Tensor {
  checked(file: file, line: line) { () throws(TensorError) in
    try Tensor.refuseIntegers(a, b, "logAddExp2(_:_:)")
    return try Tensor.binary(
      .logAddExp2, a, b, call: "logAddExp2(_:_:)", gradient: .shares(scale: ln2))
  }
}

extension ElementwiseRule {
  fileprivate static let xLogY = ofOperands { rule in
    let (x, y) = (rule.saved[0], rule.saved[1])
    return [
      rule.whenNeeded(0) { .where((x .== 0) .& (y .<= 0), 0, rule.upstream * y.log()) },
      rule.whenNeeded(1) { rule.upstream * (x.wide / y.wide) },
    ]
  }

  fileprivate static func shares(scale: Double) -> ElementwiseRule {
    ofOperands { rule in
      let (x, y) = (rule.saved[0], rule.saved[1])
      return [
        rule.whenNeeded(0) { rule.share(of: x, beside: y, scale: scale) },
        rule.whenNeeded(1) { rule.share(of: y, beside: x, scale: scale) },
      ]
    }
  }
}

extension Backward {
  /// The upstream gradient times e^a / (e^a + e^b).
  fileprivate func share(of a: Tensor, beside b: Tensor, scale: Double) -> Tensor {
    let type = gradientType(of: a)
    let formula = { @Sendable (a: Tensor, b: Tensor) in
      // The difference of equal infinities counts as 0; other differences may be infinite.
      let (a, b) = (a.wide, b.wide)
      let isSame = (a .== b) .& (a.abs() .== Double.infinity)
      let distance = Tensor.where(isSame, 0.0, b - Tensor.where(isSame, 0.0, a))
      // In powers that do not overflow.
      let isBehind = distance .> 0
      let power = (Tensor.where(isBehind, -distance, distance) * scale).exponential(as: type)
      return Tensor.where(isBehind, power, 1.0) / (power + 1)
    }
    guard type == .float64 else { return upstream * formula(a, b) }
    return upstream * Tensor.slope(scale == 1 ? .expShare : .exp2Share, a, b, formula)
  }
}

extension ElementwiseRule {
  /// The upstream gradient times a number, divided by x.
  fileprivate static func inverse(times number: Double) -> ElementwiseRule {
    ofOperands { [$0.upstream.wide * number / $0.saved[0]] }
  }
}
