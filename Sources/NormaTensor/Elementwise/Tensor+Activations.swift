// Activations: elementwise functions of one operand. All are pending, so that they are fused with
// the operations before and after; their gradients are programs too. Integers give `float32` unless
// the result is whole.

extension Tensor {
  /// max(x, 0); NaN stays NaN. The gradient at 0 is 0. PyTorch: `torch.relu`.
  public func relu(file: StaticString = #fileID, line: UInt = #line) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      if dtype == .bool { throw TensorError("relu()", "Booleans have no sign") }
      return try Tensor.binary(
        .maximum, self, Scalar(0), position: 1, call: "relu()", gradient: .relu)
    }
  }

  /// x clamped to 0 ... 6; the gradient at the ends is 0. PyTorch: `F.relu6`.
  public func relu6() -> Tensor { hardtanh(min: 0, max: 6) }

  /// x clamped to `min ... max`; the gradient at the ends is 0. PyTorch: `F.hardtanh`.
  public func hardtanh(
    min low: Double = -1, max high: Double = 1, file: StaticString = #fileID,
    line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "hardtanh(min:max:)"
      guard low <= high else { throw TensorError(call, "min \(low) is above max \(high)") }
      return custom(call, detached().clamped(min: low, max: high)) { g, x in
        .where((x .> low) * (x .< high), g, 0)
      }
    }
  }

  /// x if positive, else `slope` x. PyTorch: `F.leaky_relu`.
  public func leakyRelu(slope: Double = 0.01) -> Tensor {
    Tensor.where(self .> 0, self, self * slope)
  }

  /// x if positive, else weight · x, with one weight, or one for each channel in axis 1.
  /// PyTorch: `F.prelu`.
  public func prelu(
    _ weight: Tensor, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, weight, file: file, line: line) { () throws(TensorError) in
      let channels = rank > 1 ? shape[1] : 1
      guard weight.count == 1 || weight.shape == [channels] else {
        throw TensorError(
          "prelu(_:)",
          "the weight has shape \(weight.shape); expected one number, or \(channels), one for each "
            + "channel")
      }
      let factors =
        weight.count == 1
        ? weight.reshaped([])
        : weight.reshaped([-1] + [Int](repeating: 1, count: Swift.max(rank - 2, 0)))
      let x = narrowed
      return Tensor.where(x .> 0, x, x * factors.narrowed)
    }
  }

  /// x if positive, else alpha (eˣ - 1). PyTorch: `F.elu`.
  public func elu(alpha: Double = 1) -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      let value = Tensor.where(y .> 0, y, y.clamped(max: 0.0).expm1() * alpha)
      return x.custom("elu(alpha:)", value) { g, x in g * x.eluSlope(alpha) }
    }
  }

  /// scale · elu(x, alpha) with the constants that preserve mean 0 and variance 1 from layer to
  /// layer.
  /// PyTorch: `F.selu`.
  public func selu() -> Tensor {
    let (alpha, scale) = (1.6732632423543772848170429916717, 1.0507009873554804934193349852946)
    // The product of scale and alpha, rounded once.
    let slope = 1.7580993408473768599402175208123
    return roundedOnce { x in
      x.custom("selu()", x.detached().elu(alpha: alpha) * scale) { g, x in
        g * x.eluSlope(slope, above: scale)
      }
    }
  }

  /// max(x, 0) + min(alpha (eˣᐟᵃ - 1), 0), smooth at 0. PyTorch: `F.celu`.
  public func celu(alpha: Double = 1) -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      let value = Tensor.where(y .> 0, y, (y.clamped(max: 0.0) / alpha).expm1() * alpha)
      return x.custom("celu(alpha:)", value) { g, x in
        g * x.clamped(max: 0.0).celuSlope(alpha)
      }
    }
  }

  /// x Φ(x), with the normal distribution Φ, or its approximation by tanh. With Φ, value and
  /// gradient keep their precision far below 0, where both nearly vanish; -0 at -∞; worst error in
  /// `float32` 0.92 ulp.
  /// PyTorch: `F.gelu`, which loses all digits there and is NaN at -∞.
  public func gelu(approximatingByTanh: Bool = false) -> Tensor {
    roundedOnce { x in
      guard approximatingByTanh else {
        return x.real(.gelu, "gelu()", #fileID, #line, .slope { $0.geluSlope })
      }
      // For large |x| the hyperbolic tangent is ±1, and a cube may be infinite.
      let low = x.clamped(min: -100.0)
      let near = low.clamped(max: 100.0)
      let inner = (near + near * near * near * 0.044715) * (2 / Double.pi).squareRoot()
      return low * 0.5 * (inner.tanh() + 1)
    }
  }

  /// x sigmoid(x); -0 at -∞, where PyTorch has NaN. PyTorch: `F.silu`.
  public func silu() -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      return x.custom("silu()", y.notFarBelow * y.sigmoid()) { g, x in g * x.siluSlope }
    }
  }

  /// x tanh(softplus(x)); -0 at -∞, where PyTorch has NaN. PyTorch: `F.mish`.
  public func mish() -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      return x.custom("mish()", y.notFarBelow * y.softplus().tanh()) { g, x in g * x.mishSlope }
    }
  }

  /// log(1 + e^(beta x)) / beta, or x itself if beta x is above `threshold`.
  /// PyTorch: `F.softplus`.
  public func softplus(beta: Double = 1, threshold: Double = 20) -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      let scaled = y * beta
      // log(1 + eˣ) without overflow.
      let sum = scaled.clamped(min: 0.0) + (-scaled.abs()).exp().log1p()
      return x.custom(
        "softplus(beta:threshold:)", Tensor.where(scaled .> threshold, y, sum / beta)
      ) { g, x in
        let scaled = x * beta
        return .where(scaled .> threshold, g.wide, g.wide * scaled.sigmoidShare)
      }
    }
  }

  /// log sigmoid(x), without overflow. PyTorch: `F.logsigmoid`.
  public func logSigmoid() -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      return x.custom("logSigmoid()", y.clamped(max: 0.0) - (-y.abs()).exp().log1p()) { g, x in
        g * (-x).sigmoidShare
      }
    }
  }

  /// x / (1 + |x|); ±1 at ±∞, where PyTorch has NaN. PyTorch: `F.softsign`.
  public func softsign() -> Tensor {
    roundedOnce { x in
      // Numbers this large give ±1, and infinite ones would give NaN.
      let y = x.detached().clamped(min: -0x1p64, max: 0x1p64)
      return x.custom("softsign()", y / (y.abs() + 1)) { g, x in g * x.softsignSlope }
    }
  }

  /// x - tanh x. PyTorch: `F.tanhshrink`.
  public func tanhshrink() -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      return x.custom("tanhshrink()", y - y.tanh()) { g, x in g * x.tanhSquared }
    }
  }

  /// x moved towards zero by `lambda`, but not across it. PyTorch: `F.softshrink`.
  public func softshrink(
    lambda: Double = 0.5, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      try demand(lambda >= 0, "softshrink(lambda:)", "lambda must not be negative, got \(lambda)")
      let low = Tensor.where(self .< -lambda, self + lambda, self * 0)
      return Tensor.where(self .> lambda, self - lambda, low)
    }
  }

  /// x, or 0 within ±`lambda`. PyTorch: `F.hardshrink`.
  public func hardshrink(lambda: Double = 0.5) -> Tensor {
    Tensor.where((self .>= -lambda) * (self .<= lambda), 0, self)
  }

  /// (x + 3) / 6 clamped to 0 ... 1; the gradient at the ends is 0. PyTorch: `F.hardsigmoid`.
  public func hardsigmoid() -> Tensor { roundedOnce { ($0 + 3).relu6() / 6 } }

  /// x hardsigmoid(x); -0 at -∞, where PyTorch has NaN. PyTorch: `F.hardswish`.
  public func hardswish() -> Tensor {
    roundedOnce { x in
      let y = x.detached()
      // The factor first: six times a large number may be infinite.
      return x.custom("hardswish()", y.notFarBelow * ((y + 3).relu6() / 6)) { g, x in
        .where(x .<= -3, 0, .where(x .>= 3, g, g * (x / 3 + 0.5)))
      }
    }
  }

  /// x if above `threshold`, else `value`. PyTorch: `F.threshold`.
  public func thresholded(
    at threshold: Double, value: Double, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(file: file, line: line) { () throws(TensorError) in
      let call = "thresholded(at:value:)"
      try Scalar(value).require(dtype, call)
      return try Tensor.choose(self .> threshold, self, Scalar(value), position: 2, call)
        .cast(to: dtype)
    }
  }

  /// The first half along an axis times the sigmoid of the second. PyTorch: `F.glu`.
  public func glu(
    over axis: Int = -1, file: StaticString = #fileID, line: UInt = #line
  ) -> Tensor {
    checked(self, file: file, line: line) { () throws(TensorError) in
      let front = try Shape.axis(axis, of: shape, call: "glu(over:)")
      guard rank > 0, shape[front] % 2 == 0 else {
        throw TensorError("glu(over:)", "axis \(axis) of shape \(shape) has an odd size")
      }
      let half = shape[front] / 2
      return roundedOnce { $0.narrowed(front, 0, half) * $0.narrowed(front, half, half).sigmoid() }
    }
  }

  /// These elements, clamped to finite ones where they are so far below 0 that a factor is 0.
  private var notFarBelow: Tensor { clamped(min: -1e5) }

  /// A result computed without history, recorded with a rule that computes the gradient from
  /// upstream and the input.
  private func custom(
    _ call: String, _ result: Tensor, _ rule: @escaping @Sendable (Tensor, Tensor) -> Tensor
  ) -> Tensor {
    result.recorded(call, from: [self], saving: [self]) { [rule($0.upstream, $0.saved[0])] }
  }
}

extension ElementwiseRule {
  /// 1 where the result is positive; the result is kept anyway, as the next operation's input.
  static let relu = ofResult { rule in
    if rule.isRecording { return [.where(rule.result .> 0, rule.upstream, 0)] }
    return [
      checked { () throws(TensorError) in
        try Tensor.elementwise(
          .gate, [rule.result, rule.upstream], in: rule.result.dtype, result: rule.result.dtype,
          call: "relu()")
      }
    ]
  }
}
