import NormaTensor

extension OperatorTable {
  /// Random numbers, from Norma's generator: a seed in the file is another library's.
  static var random: Entries {
    [
      "RandomNormal": shaped(normal),
      "RandomNormalLike": like(normal),
      "RandomUniform": shaped(uniform),
      "RandomUniformLike": like(uniform),
      "Bernoulli": { node in
        _ = try node.float("seed")
        let dtype = try node.dtype("dtype")
        return { operands in
          let p = try operands.tensor(0)
          return [.tensor(Tensor.bernoulli(p).cast(to: dtype ?? p.dtype))]
        }
      },
      "Multinomial": { node in
        _ = try node.float("seed")
        let (dtype, count) = try (node.dtype("dtype") ?? .int32, node.int("sample_size", 1))
        return { operands in
          let weights = try operands.tensor(0).softmax(over: -1)
          let draws = Tensor.multinomial(weights, count: count, replacement: true)
          return [.tensor(draws.cast(to: dtype))]
        }
      },
    ]
  }

  private typealias Draw = ([Int], DType) -> Tensor

  private static func normal(_ node: NodeContext) throws -> Draw {
    let (mean, scale) = try (node.float("mean", 0), node.float("scale", 1))
    return { Tensor.normal($0, mean: mean, std: scale, dtype: $1) }
  }

  private static func uniform(_ node: NodeContext) throws -> Draw {
    let (low, high) = try (node.float("low", 0), node.float("high", 1))
    return { Tensor.uniform($0, low: low, high: high, dtype: $1) }
  }

  private static func shaped(_ make: @escaping (NodeContext) throws -> Draw) -> Builder {
    { node in
      _ = try node.float("seed")
      let (dtype, shape) = try (node.dtype("dtype") ?? .float32, node.ints("shape") ?? [])
      let draw = try make(node)
      return { _ in [.tensor(draw(shape, dtype))] }
    }
  }

  private static func like(_ make: @escaping (NodeContext) throws -> Draw) -> Builder {
    { node in
      _ = try node.float("seed")
      let dtype = try node.dtype("dtype")
      let draw = try make(node)
      return { operands in
        let x = try operands.value(0)
        return [.tensor(draw(x.shape, dtype ?? x.dtype))]
      }
    }
  }
}
