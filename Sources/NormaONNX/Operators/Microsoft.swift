import NormaTensor

extension OperatorTable {
  /// Fused operators that ONNX Runtime and exporters for it write.
  static var microsoftFused: Entries {
    [
      "Gelu": unary { $0.gelu() },
      "FastGelu": { _ in
        { operands in
          let x = try operands.tensor(0)
          let sum = operands.optional(1).map { x + $0 } ?? x
          return [.tensor(sum.gelu(approximatingByTanh: true))]
        }
      },
      "BiasGelu": { _ in { [.tensor((try $0.tensor(0) + $0.tensor(1)).gelu())] } },
      "QuickGelu": unary("alpha", 1.702) { $0 * ($0 * $1).sigmoid() },
      "FusedMatMul": { node in
        let alpha = try node.float("alpha", 1)
        let (turnsA, turnsB) = try (node.flag("transA"), node.flag("transB"))
        let isBatched = try node.flag("transBatchA") || node.flag("transBatchB")
        try node.require(!isBatched, "transposed batches")
        return { operands in
          let (a, b) = try (operands.tensor(0), operands.tensor(1))
          let product = (turnsA ? a.transposed() : a).matmul(turnsB ? b.transposed() : b)
          return [.tensor(alpha == 1 ? product : product * alpha)]
        }
      },
      "FusedConv": { node in
        let (windows, groups) = try (Windows(node), node.int("group", 1))
        let activation = try activation(node)
        return { operands in
          let (x, weight) = try (operands.tensor(0), operands.tensor(1))
          var y = try convolve(x, weight, operands.optional(2), windows, groups, operands)
          if let sum = operands.optional(3) { y = y + sum }
          return [.tensor(activation(y))]
        }
      },
      "SkipLayerNormalization": { node in
        try skipNorm(node) { x, eps in
          let mean = x.mean(over: -1, keepDims: true)
          let variance = x.variance(over: -1, correction: 0, keepDims: true)
          return (x - mean) * (variance + eps).rsqrt()
        }
      },
      "SkipSimplifiedLayerNormalization": { node in
        try skipNorm(node, hasShift: false) { x, eps in
          x * (x.squared().mean(over: -1, keepDims: true) + eps).rsqrt()
        }
      },
      "QuantizeLinear": { node in try standardBuilder("QuantizeLinear", node) },
      "DequantizeLinear": { node in try standardBuilder("DequantizeLinear", node) },
      "DynamicQuantizeMatMul": { _ in
        { operands in
          let (a, b) = try (operands.tensor(0), operands.tensor(1))
          let weight = weights(b, operands.optional(2), operands.optional(3))
          let product = rounded(a).matmul(weight)
          return [.tensor(operands.optional(4).map { product + $0 } ?? product)]
        }
      },
      "DynamicQuantizeLSTM": { node in
        let layers = try RecurrentDirections(.lstm, node)
        return { operands in
          // Weights lie transposed: [directions, inputs, 4 hidden].
          func weight(_ index: Int, scale: Int) throws -> Tensor {
            let w = try operands.tensor(index)
            let scales = try operands.tensor(scale)
            let points = operands.optional(scale + 1)
            return weights(w, scales.ofDirections, points?.ofDirections)
              .transposed()
          }
          func part(_ index: Int) -> Tensor? { operands.optional(index) }
          return try layers.run(
            rounded(operands.tensor(0)), weight: weight(1, scale: 8),
            recurrent: weight(2, scale: 10), bias: part(3), lengths: operands.integers(4),
            hidden: part(5), cell: part(6), peepholes: part(7), operands)
        }
      },
    ]
  }

  private static func standardBuilder(
    _ name: String, _ node: NodeContext
  ) throws -> GraphPlan.Run {
    guard let make = builder("", name) else { throw Unsupported("operator \(name)") }
    return try make(node)
  }

  private static func activation(_ node: NodeContext) throws -> (Tensor) -> Tensor {
    let name = try node.string("activation", "")
    let numbers = try node.floats("activation_params") ?? []
    switch name {
    case "": return { $0 }
    case "Relu": return { $0.relu() }
    case "Sigmoid": return { $0.sigmoid() }
    case "Tanh": return { $0.tanh() }
    case "LeakyRelu" where numbers.count == 1: return { $0.leakyRelu(slope: numbers[0]) }
    case "Clip" where numbers.count == 2: return { $0.clamped(min: numbers[0], max: numbers[1]) }
    case "HardSigmoid" where numbers.count == 2:
      return { ($0 * numbers[0] + numbers[1]).clamped(min: 0, max: 1) }
    default: throw Unsupported("\(node.node.title) with the activation \(name)")
    }
  }

  /// The norm of a sum: input, skip, weight, then shift and bias, of which the latter is added to
  /// the sum. The fourth result is the sum.
  private static func skipNorm(
    _ node: NodeContext, hasShift: Bool = true, _ norm: @escaping (Tensor, Double) -> Tensor
  ) throws -> GraphPlan.Run {
    let eps = try node.float("epsilon", 1e-12)
    try node.require(!node.wants(1) && !node.wants(2), "the statistics as results")
    return { operands in
      var sum = try operands.tensor(0) + operands.tensor(1)
      if let bias = operands.optional(hasShift ? 4 : 3) { sum = sum + bias }
      var y = norm(sum, eps) * (try operands.tensor(2))
      if hasShift, let shift = operands.optional(3) { y = y + shift }
      let none = Value.tensor(Tensor.zeros([0]))
      return [.tensor(y), none, none, .tensor(sum)]
    }
  }

  /// The real numbers that quantized weights represent.
  private static func weights(_ w: Tensor, _ scale: Tensor?, _ point: Tensor?) -> Tensor {
    let whole = w.cast(to: .int32)
    let shifted = point.map { whole - $0.cast(to: .int32) } ?? whole
    return shifted.cast(to: .float32) * (scale ?? Tensor(Float(1)))
  }

  /// The values rounded to the 256 steps that ONNX Runtime uses for them.
  private static func rounded(_ x: Tensor) -> Tensor {
    let axes = Array(x.shape.indices)
    let zero = Tensor.zeros([], dtype: x.dtype)
    let (low, high) = (minimum(x.min(over: axes), zero), maximum(x.max(over: axes), zero))
    let scale = (high - low) / 255
    let safe = Tensor.where(scale .== 0, Tensor.ones([], dtype: x.dtype), scale)
    let point = (-low / safe).rounded()
    return ((x / safe).rounded() + point).clamped(min: 0.0, max: 255.0) * safe - point * safe
  }
}

extension Tensor {
  /// A scale or zero point of each direction `[D]`, or of each column `[D, columns]`, in a shape
  /// that stretches to weights `[D, rows, columns]`.
  fileprivate var ofDirections: Tensor {
    rank == 2 ? unsqueezed(1) : count == 1 ? reshaped([]) : reshaped([-1, 1, 1])
  }
}
