import NormaTensor

extension OperatorTable {
  /// Integers that represent real numbers: x = scale (q - zero point). Products run on integers.
  static var quantized: Entries {
    [
      "QuantizeLinear": quantizeLinear,
      "DequantizeLinear": dequantizeLinear,
      "DynamicQuantizeLinear": { _ in
        { operands in
          let x = try operands.tensor(0)
          let zero = Tensor.zeros([], dtype: x.dtype)
          let low = minimum(x.min(over: Array(x.shape.indices)), zero)
          let high = maximum(x.max(over: Array(x.shape.indices)), zero)
          let scale = (high - low) / 255
          let safe = Tensor.where(scale .== 0, Tensor.ones([], dtype: x.dtype), scale)
          let point = saturated((-low / safe).rounded(), .uint8)
          let y = saturated((x / safe).rounded() + point.cast(to: x.dtype), .uint8)
          return [.tensor(y), .tensor(scale), .tensor(point)]
        }
      },
      "MatMulInteger": { _ in
        { operands in
          let a = try shifted(operands, 0, 2, isLeft: true)
          let b = try shifted(operands, 1, 3, isLeft: false)
          return [.tensor(integerProduct(a, b))]
        }
      },
      "ConvInteger": { node in
        let (windows, groups) = try (Windows(node), node.int("group", 1))
        return { operands in
          let x = try shifted(operands, 0, 2, isLeft: true)
          let w = try operands.tensor(1)
          var point = operands.optional(3)?.cast(to: .int32)
          if let vector = point, vector.count > 1 {
            point = vector.reshaped([-1] + [Int](repeating: 1, count: w.rank - 1))
          }
          let weight = point.map { w.cast(to: .int32) - $0.reshapedIfSingle } ?? w.cast(to: .int32)
          return [
            .tensor(try integerConvolution(x, weight, windows, groups, operands).cast(to: .int32))
          ]
        }
      },
      "QLinearMatMul": { _ in
        { operands in
          let (a, b) = try (operands.tensor(0), operands.tensor(3))
          let x = a.cast(to: .int32) - (try operands.tensor(2).cast(to: .int32)).asRows(a)
          let y = b.cast(to: .int32) - (try operands.tensor(5).cast(to: .int32)).asColumns(b)
          let scale =
            (try operands.tensor(1)).cast(to: .float32).asRows(a)
            * (try operands.tensor(4)).cast(to: .float32).asColumns(b)
            / (try operands.tensor(6)).cast(to: .float32)
          let point = try operands.tensor(7)
          let real = (integerProduct(x, y).cast(to: .float32) * scale).rounded()
          return [.tensor(saturated(real + point.cast(to: .float32), point.dtype))]
        }
      },
      "QLinearConv": { node in
        let (windows, groups) = try (Windows(node), node.int("group", 1))
        return { operands in
          let x = try operands.tensor(0).cast(to: .int32)
          let w = try operands.tensor(3)
          let channels = [-1] + [Int](repeating: 1, count: w.rank - 1)
          let source = x - (try operands.tensor(2).cast(to: .int32).reshapedIfSingle)
          let weight =
            w.cast(to: .int32) - (try operands.tensor(5).cast(to: .int32).reshaped(channels))
          var sums = try integerConvolution(source, weight, windows, groups, operands)
          let spread = [1, -1] + [Int](repeating: 1, count: w.rank - 2)
          if let bias = operands.optional(8) {
            sums = sums + bias.cast(to: .float64).reshaped(spread)
          }
          let scale =
            (try operands.tensor(1)).reshapedIfSingle * (try operands.tensor(4)).reshaped(spread)
            / (try operands.tensor(6)).reshapedIfSingle
          let point = try operands.tensor(7)
          let real = (sums.cast(to: .float32) * scale).rounded()
          return [
            .tensor(
              saturated(real + point.cast(to: .float32).reshapedIfSingle, point.dtype))
          ]
        }
      },
    ]
  }

  /// The values in an integer type, with what does not fit at its ends.
  static func saturated(_ x: Tensor, _ dtype: DType) -> Tensor {
    guard let (low, high) = dtype.integerBounds else { return x.cast(to: dtype) }
    return x.clamped(min: Double(low), max: Double(high)).cast(to: .int64).cast(to: dtype)
  }

  /// An operand less its zero point, in `int32`.
  private static func shifted(
    _ operands: Operands, _ index: Int, _ point: Int, isLeft: Bool
  ) throws -> Tensor {
    let x = try operands.tensor(index)
    let wide = x.cast(to: .int32)
    guard let zero = operands.optional(point)?.cast(to: .int32) else { return wide }
    return wide - (isLeft ? zero.asRows(x) : zero.asColumns(x))
  }

  private static func integerProduct(_ a: Tensor, _ b: Tensor) -> Tensor {
    a.matmul(b).cast(to: .int32)
  }

  /// A convolution of integers, exact in `float64`.
  private static func integerConvolution(
    _ x: Tensor, _ weight: Tensor, _ windows: Windows, _ groups: Int, _ operands: Operands
  ) throws -> Tensor {
    try convolve(
      x.cast(to: .float64), weight.cast(to: .float64), nil, windows, groups, operands)
  }

  private static func quantizeLinear(_ node: NodeContext) throws -> GraphPlan.Run {
    let (axis, block) = try (node.int("axis", 1), node.int("block_size", 0))
    _ = try node.int("saturate")
    let precision = try node.dtype("precision")
    let dtype = try node.int("output_dtype", 0) == 0 ? nil : node.dtype("output_dtype")
    return { operands in
      let x = try operands.tensor(0)
      let scale = try spread(operands.tensor(1), x, axis, block, operands)
      let type = operands.optional(2)?.dtype ?? dtype ?? .uint8
      let real = precision ?? (x.dtype.isFloatingPoint ? x.dtype : .float32)
      var y = (x.cast(to: real) / scale.cast(to: real)).rounded()
      if let point = operands.optional(2) {
        y = y + (try spread(point, x, axis, block, operands)).cast(to: real)
      }
      return [.tensor(saturated(y, type))]
    }
  }

  private static func dequantizeLinear(_ node: NodeContext) throws -> GraphPlan.Run {
    let (axis, block) = try (node.int("axis", 1), node.int("block_size", 0))
    let dtype = try node.int("output_dtype", 0) == 0 ? nil : node.dtype("output_dtype")
    return { operands in
      let x = try operands.tensor(0)
      let scale = try spread(operands.tensor(1), x, axis, block, operands)
      var y = x.cast(to: .int32)
      if let point = operands.optional(2) {
        y = y - (try spread(point, x, axis, block, operands)).cast(to: .int32)
      }
      let type = dtype ?? scale.dtype
      return [.tensor((y.cast(to: .float32) * scale.cast(to: .float32)).cast(to: type))]
    }
  }

  /// Scales or zero points in a shape that stretches to `x`: one, one for each position of an
  /// axis, or one for each block of an axis.
  private static func spread(
    _ values: Tensor, _ x: Tensor, _ axis: Int, _ block: Int, _ operands: Operands
  ) throws -> Tensor {
    if values.count == 1 && block == 0 { return values.reshaped([]) }
    let along = try x.axis(axis, operands)
    if block > 0 {
      return values.repeatedInterleaved(block, over: along)
        .narrowed(over: along, from: 0, count: x.shape[along])
    }
    var shape = [Int](repeating: 1, count: x.rank)
    shape[along] = -1
    return values.reshaped(shape)
  }
}

extension Tensor {
  /// One number without axes, so that it stretches to any shape.
  fileprivate var reshapedIfSingle: Tensor { count == 1 ? reshaped([]) : self }

  /// A number for each row of a left operand: a vector, or with the operand's leading axes.
  fileprivate func asRows(_ operand: Tensor) -> Tensor {
    if count == 1 { return reshaped([]) }
    return rank == 1 && operand.rank > 1 ? unsqueezed(-1) : self
  }

  /// A number for each column of a right operand.
  fileprivate func asColumns(_ operand: Tensor) -> Tensor {
    count == 1 ? reshaped([]) : self
  }
}
