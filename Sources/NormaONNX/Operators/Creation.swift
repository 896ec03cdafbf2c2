import NormaTensor

extension OperatorTable {
  static var creation: Entries {
    [
      "Constant": constant,
      "ConstantOfShape": { node in
        let value = try node.tensor("value") ?? Tensor(Float(0))
        return { operands in
          let shape = try operands.value(0).integers
          guard !shape.contains(where: { $0 < 0 }) else { throw operands.failure("shape \(shape)") }
          let whole = value.reshaped([Int](repeating: 1, count: shape.count)).broadcast(to: shape)
          return [Value.tensor(whole).onHost]
        }
      },
      "Range": { _ in
        { operands in
          let (start, end, step) = try (operands.value(0), operands.value(1), operands.value(2))
          if case .host(let a) = start, case .host(let b) = end, case .host(let c) = step,
            let first = a.values.first, let last = b.values.first, let by = c.values.first, by != 0,
            (Double(last) - Double(first)) / Double(by) <= Double(HostIntegers.most)
          {
            let values = stride(from: first, to: last, by: by).map(Int64.init)
            return [
              Value.tensor(Tensor(values, shape: [values.count]).cast(to: a.dtype)).onHost
            ]
          }
          let (a, b, c) = (start.tensor.item(), end.tensor.item(), step.tensor.item())
          guard c != 0, abs((b - a) / c) < 0x1p40 else { throw operands.failure("step \(c)") }
          let count = Swift.max(Int(((b - a) / c).rounded(.up)), 0)
          let values = Tensor.arange(count).cast(to: .float64) * c + a
          return [.tensor(values.cast(to: start.dtype))]
        }
      },
      "EyeLike": { node in
        let (dtype, k) = try (node.dtype("dtype"), node.int("k", 0))
        return { operands in
          let x = try operands.tensor(0)
          guard x.rank == 2 else { throw operands.failure("shape \(x.shape) is no matrix") }
          let (rows, columns) = (x.shape[0], x.shape[1])
          let row = Tensor.arange(rows).reshaped([rows, 1])
          let column = Tensor.arange(columns).reshaped([1, columns])
          return [.tensor(((column - row) .== k).cast(to: dtype ?? x.dtype))]
        }
      },
      "Trilu": { node in
        let isUpper = try node.flag("upper", true)
        return { operands in
          let x = try operands.tensor(0)
          let k = operands.integers(1)?.first ?? 0
          return [.tensor(isUpper ? x.triu(k) : x.tril(k))]
        }
      },
      "OneHot": { node in
        let axis = try node.int("axis", -1)
        return { operands in
          let (indices, values) = try (operands.tensor(0), operands.tensor(2))
          guard let depth = operands.integers(1)?.first, depth >= 0 else {
            throw operands.failure("has no depth")
          }
          let place = try indices.axis(axis, operands, rank: indices.rank + 1)
          var shape = [Int](repeating: 1, count: indices.rank + 1)
          shape[place] = depth
          let whole = indices.cast(to: .int64)
          let counted = Tensor.where(whole .< 0, whole + depth, whole)
          let isOn = counted.unsqueezed(place) .== Tensor.arange(depth).reshaped(shape)
          return [
            .tensor(
              Tensor.where(
                isOn, values.selected(over: 0, at: 1), values.selected(over: 0, at: 0)))
          ]
        }
      },
    ]
  }

  private static func constant(_ node: NodeContext) throws -> GraphPlan.Run {
    for name in ["sparse_value", "value_string", "value_strings"] {
      let isThere = node.node.attributes.contains { $0.name == name }
      try node.require(!isThere, name)
    }
    let value: Tensor
    if let tensor = try node.tensor("value") {
      value = tensor
    } else if let number = try node.float("value_float") {
      value = Tensor(Float(number))
    } else if let numbers = try node.floats("value_floats") {
      value = Tensor(numbers.map(Float.init), shape: [numbers.count])
    } else if let number = try node.whole("value_int") {
      value = Tensor(Int64(number))
    } else if let numbers = try node.wholes("value_ints") {
      value = Tensor(numbers.map(Int64.init), shape: [numbers.count])
    } else {
      throw Unsupported("Constant without a value")
    }
    return { _ in [.tensor(value)] }
  }
}
