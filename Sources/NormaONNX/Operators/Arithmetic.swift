import NormaTensor

extension OperatorTable {
  /// Functions of two or more values that stretch to a common shape.
  static var arithmetic: Entries {
    [
      "Add": binary(&+) { $0 + $1 },
      "Sub": binary(&-) { $0 - $1 },
      "Mul": binary(&*) { $0 * $1 },
      "Div": binary({ $1 == 0 || $1 == -1 ? nil : $0 / $1 }) {
        $0.dtype.isFloatingPoint ? $0 / $1 : Tensor.divide($0, $1, rounding: .trunc)
      },
      "Pow": { node in
        let power = try binary(nil) { a, b in pow(a, b).cast(to: a.dtype) }(node)
        guard let exponent = node.constant(1)?.tensor, exponent.rank == 0, exponent.item() == 2
        else { return power }
        return { operands in
          let x = try operands.tensor(0)
          return x.dtype.isFloatingPoint ? [.tensor(x.squared())] : try power(operands)
        }
      },
      "Mod": { node in
        let isC = try node.flag("fmod")
        return try binary(nil) { isC ? fmod($0, $1) : Tensor.remainder($0, $1) }(node)
      },
      "BitShift": { node in
        let direction = try node.string("direction", "")
        try node.require(direction == "LEFT" || direction == "RIGHT", "direction \(direction)")
        return { operands in
          let (x, count) = try (operands.tensor(0), operands.tensor(1))
          return [.tensor(direction == "LEFT" ? x << count : x >> count)]
        }
      },
      "BitwiseAnd": binary(&) { $0 .& $1 },
      "BitwiseOr": binary(|) { $0 .| $1 },
      "BitwiseXor": binary(^) { $0 .^ $1 },
      "Max": variadic { maximum($0, $1) },
      "Min": variadic { minimum($0, $1) },
      "Sum": variadic { $0 + $1 },
      "Mean": { node in
        let count = node.inputCount
        let sum = try variadic { $0 + $1 }(node)
        return { [.tensor(try sum($0)[0].tensor / Double(count))] }
      },
    ]
  }

  static var comparisons: Entries {
    [
      "Equal": comparison(==) { $0 .== $1 },
      "Greater": comparison(>) { $0 .> $1 },
      "GreaterOrEqual": comparison(>=) { $0 .>= $1 },
      "Less": comparison(<) { $0 .< $1 },
      "LessOrEqual": comparison(<=) { $0 .<= $1 },
      "And": binary(&) { logicalAnd($0, $1) },
      "Or": binary(|) { logicalOr($0, $1) },
      "Xor": binary(^) { logicalXor($0, $1) },
      "Where": { _ in
        { operands in
          if case .host(let condition) = try operands.value(0), condition.values.count == 1,
            case .host(let a) = try operands.value(1), case .host(let b) = try operands.value(2),
            a.shape == b.shape, condition.shape.count <= a.shape.count
          {
            return [.host(condition.values[0] != 0 ? a : b)]
          }
          return [
            .tensor(
              Tensor.where(
                try operands.tensor(0), try operands.tensor(1), try operands.tensor(2)))
          ]
        }
      },
    ]
  }

  /// An operator of two values: on the host if both are there, and if `host` has a result.
  private static func binary(
    _ host: ((Int, Int) -> Int?)?, _ apply: @escaping (Tensor, Tensor) -> Tensor
  ) -> Builder {
    { node in
      let legacy = try legacyAxis(node)
      if legacy == nil, let operation = ChannelArithmetic(rawValue: node.node.op) {
        node.role = .arithmetic(operation)
      }
      return { operands in
        let (a, b) = try (operands.value(0), operands.value(1))
        if let host, case .host(let x) = a, case .host(let y) = b,
          let result = HostIntegers.combined(x, y, as: x.dtype, host)
        {
          return [.host(result)]
        }
        let (x, y) = (a.tensor, b.tensor)
        return [.tensor(apply(x, try legacy?(x, y, operands) ?? y))]
      }
    }
  }

  private static func comparison(
    _ host: @escaping (Int, Int) -> Bool, _ apply: @escaping (Tensor, Tensor) -> Tensor
  ) -> Builder {
    { node in
      let legacy = try legacyAxis(node)
      return { operands in
        let (a, b) = try (operands.value(0), operands.value(1))
        if case .host(let x) = a, case .host(let y) = b,
          let result = HostIntegers.combined(x, y, as: .bool, { host($0, $1) ? 1 : 0 })
        {
          return [.host(result)]
        }
        let (x, y) = (a.tensor, b.tensor)
        return [.tensor(apply(x, try legacy?(x, y, operands) ?? y))]
      }
    }
  }

  /// Up to version 6, the second operand stretches only with `broadcast`, from `axis` on.
  private static func legacyAxis(
    _ node: NodeContext
  ) throws -> ((Tensor, Tensor, Operands) throws -> Tensor)? {
    guard node.opset < 7 else { return nil }
    _ = try node.int("broadcast")
    guard let axis = try node.int("axis") else { return nil }
    return { x, y, operands in
      let first = try x.axis(axis, operands)
      let rest = max(x.rank - first - y.rank, 0)
      return y.reshaped(y.shape + [Int](repeating: 1, count: rest))
    }
  }

  private static func variadic(_ apply: @escaping (Tensor, Tensor) -> Tensor) -> Builder {
    { _ in
      { operands in
        var result = try operands.tensor(0)
        for index in operands.values.indices.dropFirst() {
          result = apply(result, try operands.tensor(index))
        }
        return [.tensor(result)]
      }
    }
  }
}

extension HostIntegers {
  /// An elementwise function of two values of which one may be a single number; nil for other
  /// shapes, and where the function has no result.
  static func combined(
    _ a: HostIntegers, _ b: HostIntegers, as dtype: DType, _ apply: (Int, Int) -> Int?
  ) -> HostIntegers? {
    let shape: [Int]
    if a.shape == b.shape {
      shape = a.shape
    } else if b.values.count == 1 && b.shape.count <= a.shape.count {
      shape = a.shape
    } else if a.values.count == 1 && a.shape.count <= b.shape.count {
      shape = b.shape
    } else {
      return nil
    }
    var values: [Int] = []
    for index in 0..<shape.reduce(1, *) {
      let x = a.values[a.values.count == 1 ? 0 : index]
      let y = b.values[b.values.count == 1 ? 0 : index]
      guard let value = apply(x, y) else { return nil }
      values.append(dtype == .int32 ? Int(Int32(truncatingIfNeeded: value)) : value)
    }
    return HostIntegers(values, shape: shape, dtype: dtype)
  }
}
