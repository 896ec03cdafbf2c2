import NormaTensor

extension OperatorTable {
  /// Operators that read images between their elements.
  static var sampling: Entries {
    [
      "AffineGrid": affineGrid,
      "GridSample": gridSample,
      "DeformConv": deformConv,
      "Col2Im": col2im,
    ]
  }

  private static func affineGrid(_ node: NodeContext) throws -> GraphPlan.Run {
    let isAligned = try node.flag("align_corners")
    return { operands in
      let theta = try operands.tensor(0)
      let sizes = try operands.value(1).integers
      let lengths = Array(sizes.dropFirst(2))
      guard theta.rank == 3, theta.shape[1] == lengths.count else {
        throw operands.failure("shapes \(theta.shape) and \(sizes)")
      }
      // Coordinates from the last axis to the first, then 1.
      var columns: [Tensor] = []
      for (axis, length) in lengths.enumerated().reversed() {
        let step = Tensor.arange(length).cast(to: .float64)
        let line =
          isAligned
          ? (length > 1 ? step * (2 / Double(length - 1)) - 1 : step)
          : (step * 2 + 1) / Double(length) - 1
        var shape = [Int](repeating: 1, count: lengths.count)
        shape[axis] = length
        columns.append(line.reshaped(shape).broadcast(to: lengths))
      }
      columns.append(Tensor.ones(lengths, dtype: .float64))
      let points = Tensor.stacked(columns, over: -1).flattened(from: 0, through: -2)
        .cast(to: theta.dtype)
      let grid = points.unsqueezed(0).matmul(theta.transposed())
      return [.tensor(grid.reshaped([sizes[0]] + lengths + [lengths.count]))]
    }
  }

  private static func gridSample(_ node: NodeContext) throws -> GraphPlan.Run {
    let mode = try node.string("mode", node.opset < 20 ? "bilinear" : "linear")
    let padding = try node.string("padding_mode", "zeros")
    let isAligned = try node.flag("align_corners")
    let modes = ["linear", "bilinear", "nearest", "cubic", "bicubic"]
    try node.require(modes.contains(mode), "mode \(mode)")
    try node.require(["zeros", "border", "reflection"].contains(padding), "padding \(padding)")
    return { operands in
      let (x, grid) = try (operands.tensor(0), operands.tensor(1))
      let space = x.rank - 2
      guard space > 0, grid.rank == x.rank, grid.shape[x.rank - 1] == space else {
        throw operands.failure("shapes \(x.shape) and \(grid.shape)")
      }
      let outer = Array(grid.shape[1..<grid.rank - 1])
      let positions = (0..<space).map { axis -> Tensor in
        let length = Double(x.shape[axis + 2])
        let place = grid.selected(over: -1, at: space - 1 - axis).reshaped([x.shape[0], -1])
        return isAligned ? (place + 1) * ((length - 1) / 2) : ((place + 1) * length - 1) / 2
      }
      let sampler = Sampler(
        mode: mode.replacing("bi", with: ""), padding: padding, isAligned: isAligned)
      return [
        .tensor(
          sampler.values(of: x, at: positions).reshaped(
            [x.shape[0], x.shape[1]] + outer))
      ]
    }
  }

  private static func deformConv(_ node: NodeContext) throws -> GraphPlan.Run {
    let windows = try Windows(node)
    let (groups, offsetGroups) = try (node.int("group", 1), node.int("offset_group", 1))
    return { operands in
      let (x, weight) = try (operands.tensor(0), operands.tensor(1))
      let offset = try operands.tensor(2)
      guard x.rank == 4, weight.rank == 4, groups > 0, offsetGroups > 0 else {
        throw operands.failure("shape \(x.shape)")
      }
      let kernel = Array(weight.shape.suffix(2))
      let place = try windows.place(lengths: Array(x.shape.suffix(2)), kernel: kernel)
      let taps = kernel[0] * kernel[1]
      let outputs = place.sizes
      // [N, groups, taps, (y, x), positions].
      let moves = offset.reshaped([x.shape[0], offsetGroups, taps, 2, outputs[0] * outputs[1]])
      let mask = operands.optional(4)?.reshaped(
        [x.shape[0], offsetGroups, 1, taps * outputs[0] * outputs[1]])
      let width = x.shape[1] / offsetGroups
      var columns: [Tensor] = []
      for group in 0..<offsetGroups {
        let positions = (0..<2).map { axis -> Tensor in
          var shape = [taps, 1, 1]
          shape[1 + axis] = outputs[axis]
          let fixed = (0..<taps).flatMap { tap -> [Float] in
            let index = axis == 0 ? tap / kernel[1] : tap % kernel[1]
            let start = index * place.dilations[axis] - place.before[axis]
            return (0..<outputs[axis]).map { Float(start + $0 * place.strides[axis]) }
          }
          let grid = Tensor(fixed, shape: shape).broadcast(to: [taps] + outputs)
          let moved = moves.selected(over: 1, at: group).selected(over: 2, at: axis)
          return (moved + grid.reshaped([taps, -1]).cast(to: x.dtype)).flattened(from: 1)
        }
        let part = x.narrowed(over: 1, from: group * width, count: width)
        var values = Sampler(mode: "linear", padding: "zeros", isAligned: true)
          .values(of: part, at: positions)
        if let mask { values = values * mask.selected(over: 1, at: group) }
        columns.append(values)
      }
      // [N, groups, channels taps, positions] times [groups, outputs, channels taps].
      let all = Tensor.concatenated(columns, over: 1).reshaped(
        [x.shape[0], groups, x.shape[1] / groups * taps, -1])
      let rows = weight.reshaped([groups, weight.shape[0] / groups, -1])
      var y = rows.matmul(all).reshaped([x.shape[0], weight.shape[0]] + outputs)
      if let bias = operands.optional(3) { y = y + bias.reshaped([-1, 1, 1]) }
      return [.tensor(y)]
    }
  }

  /// Adds the columns of windows to the image that they come from.
  private static func col2im(_ node: NodeContext) throws -> GraphPlan.Run {
    let windows = try Windows(node)
    return { operands in
      let x = try operands.tensor(0)
      let (lengths, kernel) = try (operands.value(1).integers, operands.value(2).integers)
      let place = try windows.place(lengths: lengths, kernel: kernel)
      let padded = zip(lengths, zip(place.before, place.after)).map { $0 + $1.0 + $1.1 }
      let taps = kernel.reduce(1, *)
      let columns = place.sizes.reduce(1, *)
      guard x.rank == 3, x.shape[1] % max(taps, 1) == 0, x.shape[2] == columns else {
        throw operands.failure("shape \(x.shape) for blocks \(kernel) of \(lengths)")
      }
      var indices = [Int64](repeating: 0, count: taps * columns)
      for tap in 0..<taps {
        for column in 0..<columns {
          var (t, c, step, index) = (tap, column, 1, 0)
          for axis in lengths.indices.reversed() {
            let position =
              (c % place.sizes[axis]) * place.strides[axis]
              + (t % kernel[axis]) * place.dilations[axis]
            index += position * step
            step *= padded[axis]
            (t, c) = (t / kernel[axis], c / place.sizes[axis])
          }
          indices[tap * columns + column] = Int64(index)
        }
      }
      let (batch, channels) = (x.shape[0], x.shape[1] / taps)
      let source = x.reshaped([batch, channels, taps * columns])
      let places = Tensor(indices, shape: [1, 1, indices.count]).broadcast(to: source.shape)
      var y = Tensor.zeros([batch, channels, padded.reduce(1, *)], dtype: x.dtype)
        .scatteredAdding(places, source, over: 2).reshaped([batch, channels] + padded)
      for axis in lengths.indices {
        y = y.narrowed(over: axis + 2, from: place.before[axis], count: lengths[axis])
      }
      return [.tensor(y)]
    }
  }
}

/// Reads images at positions between their elements.
private struct Sampler {
  /// `nearest`, `linear` or `cubic`.
  let mode: String
  let padding: String
  let isAligned: Bool

  /// - Parameters:
  ///   - x: `[N, C, ...]`.
  ///   - positions: for each spatial axis, `[N, count]`.
  /// - Returns: `[N, C, count]`.
  func values(of x: Tensor, at positions: [Tensor]) -> Tensor {
    let (batch, channels) = (x.shape[0], x.shape[1])
    let flat = x.flattened(from: 2)
    let count = positions[0].shape[1]
    var taps: [(index: Tensor, weight: Tensor?)] = [(Tensor(Int64(0)), nil)]
    for (axis, position) in positions.enumerated() {
      let length = x.shape[axis + 2]
      var next: [(index: Tensor, weight: Tensor?)] = []
      for (place, share) in self.taps(position) {
        let (inside, isIn) = self.inside(place.cast(to: .int64), length)
        var weight = share
        if let isIn {
          let present = isIn.cast(to: x.dtype)
          weight = weight.map { $0 * present } ?? present
        }
        for tap in taps {
          let both = tap.weight.map { old in weight.map { old * $0 } ?? old } ?? weight
          next.append((tap.index * length + inside, both))
        }
      }
      taps = next
    }
    var result: Tensor?
    for tap in taps {
      let index = tap.index.unsqueezed(1).broadcast(to: [batch, channels, count])
      var part = flat.gathered(index, over: 2)
      if let weight = tap.weight { part = part * weight.unsqueezed(1) }
      result = result.map { $0 + part } ?? part
    }
    return result ?? flat
  }

  /// The neighbors of positions, with their weights; nil is 1.
  private func taps(_ position: Tensor) -> [(place: Tensor, weight: Tensor?)] {
    if mode == "nearest" { return [(position.rounded(), nil)] }
    let left = position.floor()
    let share = position - left
    if mode == "linear" { return [(left, 1 - share), (left + 1, share)] }
    let a = -0.75
    func near(_ x: Tensor) -> Tensor { ((a + 2) * x - (a + 3)) * x * x + 1 }
    func far(_ x: Tensor) -> Tensor { ((a * x - 5 * a) * x + 8 * a) * x - 4 * a }
    return [
      (left - 1, far(share + 1)), (left, near(share)), (left + 1, near(1 - share)),
      (left + 2, far(2 - share)),
    ]
  }

  /// Indices inside of an axis, and which ones were inside; nil if all count.
  private func inside(_ index: Tensor, _ length: Int) -> (Tensor, isIn: Tensor?) {
    switch padding {
    case "border": return (index.clamped(min: 0, max: length - 1), nil)
    case "reflection":
      let period = isAligned ? max(2 * (length - 1), 1) : 2 * length
      let turned = Tensor.remainder(index, period)
      let mirrored = isAligned ? period - turned : period - 1 - turned
      return (Tensor.where(turned .>= length, mirrored, turned), nil)
    default:
      let isIn = logicalAnd(index .>= 0, index .< length)
      return (index.clamped(min: 0, max: length - 1), isIn)
    }
  }
}
