import NormaTensor

extension OperatorTable {
  static var indexing: Entries {
    [
      "Gather": { node in
        let axis = try node.int("axis", 0)
        return { operands in
          let (x, indices) = try (operands.value(0), operands.value(1))
          if case .host(let table) = x, case .host(let places) = indices, table.shape.count == 1 {
            let count = table.values.count
            let values = places.values.compactMap { place -> Int? in
              let index = place < 0 ? place + count : place
              return (0..<count).contains(index) ? table.values[index] : nil
            }
            guard values.count == places.values.count else {
              throw operands.failure("indices \(places.values) for \(count) elements")
            }
            return [.host(HostIntegers(values, shape: places.shape, dtype: table.dtype))]
          }
          let source = x.tensor
          let along = try source.axis(axis, operands)
          let shape =
            source.shape[..<along] + indices.shape + source.shape[(along + 1)...]
          if case .host(let places) = indices, places.values.count == 1 {
            let part = source.selected(over: along, at: places.values[0])
            return [Value.tensor(part.reshaped(Array(shape))).onHost]
          }
          let flat = fromFront(indices.tensor.flattened(), source.shape[along])
          return [.tensor(source.indexSelected(flat, over: along).reshaped(Array(shape)))]
        }
      },
      "GatherElements": { node in
        let axis = try node.int("axis", 0)
        return { operands in
          let x = try operands.tensor(0)
          let along = try x.axis(axis, operands)
          let indices = fromFront(try operands.tensor(1), x.shape[along])
          return [.tensor(x.gathered(indices, over: along))]
        }
      },
      "GatherND": { node in
        let batch = try node.int("batch_dims", 0)
        return { operands in
          let (x, indices) = try (operands.tensor(0), operands.tensor(1))
          guard let depth = indices.shape.last, batch + depth <= x.rank, batch < indices.rank else {
            throw operands.failure("indices \(indices.shape) for shape \(x.shape)")
          }
          let flat = rows(indices, in: x, batch: batch)
          let rest = x.shape[(batch + depth)...]
          let table = x.reshaped([-1, rest.reduce(1, *)])
          return [
            .tensor(
              table.indexSelected(flat, over: 0).reshaped(Array(indices.shape.dropLast()) + rest))
          ]
        }
      },
      "ScatterElements": scatterElements,
      "Scatter": scatterElements,
      "ScatterND": { node in
        let reduction = try node.string("reduction", "none")
        let rule = try rule(reduction, node)
        return { operands in
          let (x, indices) = try (operands.tensor(0), operands.tensor(1))
          let updates = try operands.tensor(2)
          guard let depth = indices.shape.last, depth <= x.rank else {
            throw operands.failure("indices \(indices.shape) for shape \(x.shape)")
          }
          let flat = rows(indices, in: x, batch: 0)
          let width = x.shape[depth...].reduce(1, *)
          let table = x.reshaped([-1, width])
          let source = updates.reshaped([-1, width])
          let places = flat.reshaped([-1, 1]).broadcast(to: source.shape)
          let result =
            rule.map { table.scattered(places, source, over: 0, reducing: $0) }
            ?? table.scattered(places, source, over: 0)
          return [.tensor(result.reshaped(x.shape))]
        }
      },
      "NonZero": { _ in
        { operands in
          let x = try operands.tensor(0)
          if x.rank == 0 {
            return [.tensor(Tensor.zeros([0, x.item() != 0 ? 1 : 0], dtype: .int64))]
          }
          return [.tensor(x.nonzero().transposed())]
        }
      },
      "Unique": unique,
      "TensorScatter": tensorScatter,
    ]
  }

  /// Indices that count from the end as those from the front.
  static func fromFront(_ indices: Tensor, _ length: Int) -> Tensor {
    let whole = indices.cast(to: .int64)
    return Tensor.where(whole .< 0, whole + length, whole)
  }

  /// The rows of a table that index tuples name: tuples in the last axis, after `batch` axes that
  /// both tensors share.
  private static func rows(_ indices: Tensor, in x: Tensor, batch: Int) -> Tensor {
    let depth = indices.shape[indices.rank - 1]
    var result = Tensor.zeros(Array(indices.shape.dropLast()), dtype: .int64)
    for axis in 0..<batch {
      var shape = [Int](repeating: 1, count: result.rank)
      shape[axis] = x.shape[axis]
      result = result * x.shape[axis] + Tensor.arange(x.shape[axis]).reshaped(shape)
    }
    for axis in 0..<depth {
      let length = x.shape[batch + axis]
      let index = fromFront(indices.selected(over: -1, at: axis), length)
      result = result * length + index
    }
    return result.flattened()
  }

  private static func rule(_ name: String, _ node: NodeContext) throws -> ScatterReduction? {
    let rules: [String: ScatterReduction] = [
      "add": .sum, "mul": .product, "max": .max, "min": .min,
    ]
    try node.require(name == "none" || rules[name] != nil, "reduction \(name)")
    return rules[name]
  }

  private static func scatterElements(_ node: NodeContext) throws -> GraphPlan.Run {
    let axis = try node.int("axis", 0)
    let rule = try rule(node.string("reduction", "none"), node)
    return { operands in
      let (x, updates) = try (operands.tensor(0), operands.tensor(2))
      let along = try x.axis(axis, operands)
      let indices = fromFront(try operands.tensor(1), x.shape[along])
      return [
        .tensor(
          rule.map { x.scattered(indices, updates, over: along, reducing: $0) }
            ?? x.scattered(indices, updates, over: along))
      ]
    }
  }

  /// The different elements, sorted or in the order of their first appearance.
  private static func unique(_ node: NodeContext) throws -> GraphPlan.Run {
    let axis = try node.int("axis")
    let isSorted = try node.flag("sorted", true)
    return { operands in
      let x = try operands.tensor(0)
      let along = try axis.map { try x.axis($0, operands) }
      let (values, inverse, counts) = x.unique(over: along)
      let flat = inverse.array(of: Int64.self).map(Int.init)
      var first = [Int](repeating: -1, count: counts.count)
      for (index, group) in flat.enumerated() where first[group] < 0 { first[group] = index }
      // The groups in the order of the result.
      let order = isSorted ? Array(first.indices) : first.indices.sorted { first[$0] < first[$1] }
      var place = [Int](repeating: 0, count: order.count)
      for (index, group) in order.enumerated() { place[group] = index }
      func list(_ values: [Int]) -> Value {
        .tensor(Tensor(values.map(Int64.init), shape: [values.count]))
      }
      let picks = Tensor(order.map(Int64.init), shape: [order.count])
      return [
        .tensor(values.indexSelected(picks, over: along ?? 0)), list(order.map { first[$0] }),
        list(flat.map { place[$0] }), .tensor(counts.indexSelected(picks, over: 0)),
      ]
    }
  }

  /// Writes rows into a cache, from a position for each sample on.
  private static func tensorScatter(_ node: NodeContext) throws -> GraphPlan.Run {
    let (axis, mode) = try (node.int("axis", -2), node.string("mode", "linear"))
    try node.require(["linear", "circular"].contains(mode), "mode \(mode)")
    return { operands in
      let (x, update) = try (operands.tensor(0), operands.tensor(1))
      let along = try x.axis(axis, operands)
      let starts = operands.integers(2) ?? [Int](repeating: 0, count: x.shape[0])
      let (length, count) = (x.shape[along], update.shape[along])
      guard along > 0, starts.count == x.shape[0] else {
        throw operands.failure("axis \(axis) for shape \(x.shape)")
      }
      let places = starts.flatMap { start in
        (0..<count).map { Int64(mode == "circular" ? (start + $0) % length : start + $0) }
      }
      var shape = [Int](repeating: 1, count: x.rank)
      (shape[0], shape[along]) = (starts.count, count)
      let indices = Tensor(places, shape: shape).broadcast(to: update.shape)
      return [.tensor(x.scattered(indices, update, over: along))]
    }
  }
}
