import NormaTensor

extension OperatorTable {
  static var activations: Entries {
    [
      "Relu": unary { $0.relu() },
      "Sigmoid": unary { $0.sigmoid() },
      "Softplus": unary { $0.softplus(threshold: .infinity) },
      "Softsign": unary { $0.softsign() },
      "Mish": unary { $0.mish() },
      "HardSwish": unary { $0 * ($0 * (1.0 / 6) + 0.5).clamped(min: 0, max: 1) },
      "LeakyRelu": unary("alpha", 0.01) { $0.leakyRelu(slope: $1) },
      "Elu": unary("alpha", 1) { $0.elu(alpha: $1) },
      "Celu": unary("alpha", 1) { $0.celu(alpha: $1) },
      "Swish": unary("alpha", 1) { $1 == 1 ? $0.silu() : $0 * ($0 * $1).sigmoid() },
      "ThresholdedRelu": unary("alpha", 1) { $0.thresholded(at: $1, value: 0) },
      "Selu": { node in
        let alpha = try node.float("alpha", 1.67326319217681884765625)
        let gamma = try node.float("gamma", 1.05070102214813232421875)
        return { operands in
          let x = try operands.tensor(0)
          return [.tensor(x.elu(alpha: alpha) * gamma)]
        }
      },
      "HardSigmoid": { node in
        let (alpha, beta) = try (node.float("alpha", 0.2), node.float("beta", 0.5))
        return { [.tensor((try $0.tensor(0) * alpha + beta).clamped(min: 0, max: 1))] }
      },
      "Gelu": { node in
        let kind = try node.string("approximate", "none")
        try node.require(["none", "tanh"].contains(kind), "approximate \(kind)")
        return { [.tensor(try $0.tensor(0).gelu(approximatingByTanh: kind == "tanh"))] }
      },
      "PRelu": { node in
        // Up to version 6, a slope for each channel needs no axes after the channels.
        let isOfChannels = node.opset < 7
        return { operands in
          let (x, given) = try (operands.tensor(0), operands.tensor(1))
          let isVector = isOfChannels && given.rank == 1 && given.count > 1 && x.rank > 1
          let slope =
            isVector ? given.reshaped([-1] + [Int](repeating: 1, count: x.rank - 2)) : given
          let zero = Tensor.zeros([], dtype: x.dtype)
          return [.tensor(Tensor.where(x .< zero, x * slope, x))]
        }
      },
      "Shrink": { node in
        let (bias, lambda) = try (node.float("bias", 0), node.float("lambd", 0.5))
        return { operands in
          let x = try operands.tensor(0)
          let wide = x.dtype.isFloatingPoint ? x : x.cast(to: .float64)
          let zero = Tensor.zeros([], dtype: wide.dtype)
          let result = Tensor.where(
            wide .< -lambda, wide + bias, Tensor.where(wide .> lambda, wide - bias, zero))
          return [.tensor(result.cast(to: x.dtype))]
        }
      },
      "Softmax": alongAxis { $0.softmax(over: $1) },
      "LogSoftmax": alongAxis { $0.logSoftmax(over: $1) },
      "Hardmax": alongAxis { x, axis in
        let first = x.argmax(over: axis, keepDims: true)
        var shape = [Int](repeating: 1, count: x.rank)
        shape[axis] = x.shape[axis]
        return (Tensor.arange(x.shape[axis]).reshaped(shape) .== first).cast(to: x.dtype)
      },
    ]
  }

  /// An operator along an axis. Up to version 12, it sees a matrix: the axes before `axis` and
  /// those from it on.
  private static func alongAxis(_ apply: @escaping (Tensor, Int) -> Tensor) -> Builder {
    { node in
      let isFlat = node.opset < 13
      let axis = try node.int("axis", isFlat ? 1 : -1)
      return { operands in
        let x = try operands.tensor(0)
        if x.rank == 0 { return [.tensor(apply(x.reshaped([1]), 0).reshaped([]))] }
        let first = try x.axis(axis, operands)
        if !isFlat || first == x.rank - 1 { return [.tensor(apply(x, first))] }
        let rows = x.shape[..<first].reduce(1, *)
        let columns = x.shape[first...].reduce(1, *)
        return [.tensor(apply(x.reshaped([rows, columns]), 1).reshaped(x.shape))]
      }
    }
  }
}
