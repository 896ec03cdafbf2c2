import NormaTensor

extension OperatorTable {
  /// Operators that join, cut, surround and reorder.
  static var joins: Entries {
    [
      "Concat": { node in
        let axis = try node.int("axis", 1)
        return { operands in
          let values = try operands.values.indices.map { try operands.value($0) }
          let hosts = values.compactMap { value -> HostIntegers? in
            if case .host(let integers) = value, integers.shape.count == 1 { return integers }
            return nil
          }
          let total = hosts.reduce(0) { $0 + $1.values.count }
          if hosts.count == values.count, let first = hosts.first, total <= HostIntegers.most {
            return [.host(HostIntegers(hosts.flatMap(\.values), dtype: first.dtype))]
          }
          return [.tensor(Tensor.concatenated(values.map(\.tensor), over: axis))]
        }
      },
      "Split": split,
      "Slice": slice,
      "Pad": pad,
      "Compress": { node in
        let axis = try node.int("axis")
        return { operands in
          let x = try operands.tensor(0)
          let kept = try operands.value(1).integers.enumerated().filter { $0.element != 0 }
            .map { Int64($0.offset) }
          let indices = Tensor(kept, shape: [kept.count])
          let source = axis == nil ? x.flattened() : x
          return [.tensor(source.indexSelected(indices, over: axis ?? 0))]
        }
      },
      "ReverseSequence": { node in
        let (batch, time) = try (node.int("batch_axis", 1), node.int("time_axis", 0))
        return { operands in
          let x = try operands.tensor(0)
          let lengths = try operands.value(1).integers
          guard x.shape.indices.contains(batch), x.shape.indices.contains(time),
            batch != time, lengths.count == x.shape[batch],
            lengths.allSatisfy({ (0...x.shape[time]).contains($0) })
          else {
            throw operands.failure("\(lengths.count) lengths for shape \(x.shape)")
          }
          let steps = x.shape[time]
          let indices = (0..<steps).flatMap { step in
            lengths.map { Int64(step < $0 ? $0 - 1 - step : step) }
          }
          var shape = [Int](repeating: 1, count: x.rank)
          (shape[time], shape[batch]) = (steps, lengths.count)
          let table = Tensor(indices, shape: [steps, lengths.count])
          let positions = (time < batch ? table : table.transposed()).reshaped(shape)
          return [.tensor(x.gathered(positions.broadcast(to: x.shape), over: time))]
        }
      },
      "CenterCropPad": { node in
        let axes = try node.ints("axes")
        return { operands in
          var x = try operands.tensor(0)
          let sizes = try operands.value(1).integers
          for (axis, size) in zip(axes ?? Array(x.shape.indices), sizes) {
            let axis = try x.axis(axis, operands)
            let extra = size - x.shape[axis]
            if extra < 0 {
              x = x.narrowed(over: axis, from: -extra / 2, count: size)
            } else if extra > 0 {
              var amounts = [Int](repeating: 0, count: 2 * x.rank)
              amounts[2 * (x.rank - 1 - axis)] = extra / 2
              amounts[2 * (x.rank - 1 - axis) + 1] = extra - extra / 2
              x = x.padded(amounts)
            }
          }
          return [.tensor(x)]
        }
      },
    ]
  }

  /// Sizes are an attribute, an operand, or equal parts of which the last may be smaller.
  private static func split(_ node: NodeContext) throws -> GraphPlan.Run {
    let axis = try node.int("axis", 0)
    let sizes = try node.integers("split", input: 1)
    let count = try node.int("num_outputs", node.outputCount)
    try node.require((1...1 << 20).contains(count), "\(count) results")
    return { operands in
      let x = try operands.tensor(0)
      let axis = try x.axis(axis, operands)
      let length = x.shape[axis]
      let step = (length + count - 1) / max(count, 1)
      let parts =
        try sizes(operands)
        ?? (0..<count).map { Swift.max(Swift.min(step, length - $0 * step), 0) }
      return x.split(parts, over: axis).map { .tensor($0) }
    }
  }

  /// Positions are attributes up to version 9, and operands after that.
  private static func slice(_ node: NodeContext) throws -> GraphPlan.Run {
    let starts = try node.integers("starts", input: 1)
    let ends = try node.integers("ends", input: 2)
    let axes = try node.integers("axes", input: 3)
    return { operands in
      let value = try operands.value(0)
      guard let first = try starts(operands), let last = try ends(operands) else {
        throw operands.failure("has no positions")
      }
      let steps = operands.integers(4) ?? [Int](repeating: 1, count: first.count)
      let along = try axes(operands) ?? Array(first.indices)
      guard last.count == first.count, along.count == first.count, steps.count == first.count,
        !steps.contains(0)
      else { throw operands.failure("positions, axes and steps do not fit together") }
      if case .host(let integers) = value, integers.shape.count == 1, along.count == 1 {
        let range = positions(first[0], last[0], steps[0], integers.values.count)
        let values = range.map { integers.values[$0] }
        return [.host(HostIntegers(values, dtype: integers.dtype))]
      }
      var x = value.tensor
      for (index, axis) in along.enumerated() {
        let axis = try x.axis(axis, operands)
        let length = x.shape[axis]
        if steps[index] > 0 {
          let range = bounds(first[index], last[index], length)
          if range.isEmpty {
            x = x.narrowed(over: axis, from: 0, count: 0)
          } else if range.count < length || steps[index] > 1 {
            x = x.sliced(
              over: axis, from: range.lowerBound, to: range.upperBound, by: steps[index])
          }
        } else {
          let range = positions(first[index], last[index], steps[index], length).map { Int64($0) }
          x = x.indexSelected(Tensor(range, shape: [range.count]), over: axis)
        }
      }
      return [.tensor(x)]
    }
  }

  /// The positions of a slice with any step but 0, as in Python.
  private static func positions(_ start: Int, _ end: Int, _ step: Int, _ count: Int) -> [Int] {
    if step > 0 {
      let range = bounds(start, end, count)
      return Array(stride(from: range.lowerBound, to: range.upperBound, by: step))
    }
    func clamped(_ index: Int) -> Int {
      min(max(index < 0 ? max(index, -count - 1) + count : index, -1), count - 1)
    }
    return Array(stride(from: clamped(start), to: clamped(end), by: step))
  }

  /// Amounts are an attribute up to version 10, and an operand after that.
  private static func pad(_ node: NodeContext) throws -> GraphPlan.Run {
    let mode = try node.string("mode", "constant")
    try node.require(["constant", "reflect", "edge", "wrap"].contains(mode), "mode \(mode)")
    let amounts = try node.integers(node.opset < 2 ? "paddings" : "pads", input: 1)
    let fixed = try node.float("value")
    return { operands in
      let x = try operands.tensor(0)
      guard let given = try amounts(operands) else { throw operands.failure("has no amounts") }
      let axes =
        try operands.integers(3)?.map { try x.axis($0, operands) } ?? Array(x.shape.indices)
      guard given.count == 2 * axes.count,
        given.allSatisfy({ (-(1 << 31)...1 << 31).contains($0) })
      else {
        throw operands.failure("\(given.count) amounts for shape \(x.shape)")
      }
      var (before, after) = ([Int](repeating: 0, count: x.rank), [Int](repeating: 0, count: x.rank))
      for (index, axis) in axes.enumerated() {
        (before[axis], after[axis]) = (given[index], given[index + axes.count])
      }
      if mode == "constant" {
        let value = try fixed ?? operands.number(2) ?? 0
        let flat = x.shape.indices.reversed().flatMap { [before[$0], after[$0]] }
        return [.tensor(x.padded(flat, mode: .constant(value)))]
      }
      var result = x
      for axis in x.shape.indices where before[axis] != 0 || after[axis] != 0 {
        let length = x.shape[axis]
        let sides = (min(before[axis], after[axis]), max(before[axis], after[axis]))
        if mode == "reflect" && sides.0 >= 0 && sides.1 < length {
          result = reflected(result, axis, before[axis], after[axis])
          continue
        }
        guard length > 0 else { throw operands.failure("axis \(axis) of \(x.shape) is empty") }
        let sources = (-before[axis]..<max(length + after[axis], -before[axis])).map {
          Int64(source($0, length, mode))
        }
        result = result.indexSelected(Tensor(sources, shape: [sources.count]), over: axis)
      }
      return [.tensor(result)]
    }
  }

  /// An axis with its neighbors mirrored at both ends.
  private static func reflected(_ x: Tensor, _ axis: Int, _ before: Int, _ after: Int) -> Tensor {
    let length = x.shape[axis]
    let parts = [(1, before), (length - 1 - after, after)].map { start, count in
      count > 0 ? [x.narrowed(over: axis, from: start, count: count).flipped(over: axis)] : []
    }
    return Tensor.concatenated(parts[0] + [x] + parts[1], over: axis)
  }

  /// The element that stands at a position outside of an axis.
  private static func source(_ position: Int, _ length: Int, _ mode: String) -> Int {
    switch mode {
    case "edge": return min(max(position, 0), length - 1)
    case "wrap": return ((position % length) + length) % length
    default:
      if length == 1 { return 0 }
      let period = 2 * (length - 1)
      let inside = ((position % period) + period) % period
      return inside < length ? inside : period - inside
    }
  }
}
