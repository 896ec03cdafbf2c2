import NormaTensor

/// Diagonals, flips, moved axes, repetitions, parts and stacks.
let shapeOperations: [String: CaseOperation] = [
  "diag": { [try $0.tensor(0).diag(try $0.int(1, "diagonal") ?? 0)] },
  "diag_embed": { arguments in
    let x = try arguments.tensor(0)
    let offset = try arguments.int(1, "offset") ?? 0
    let first = try arguments.int(2, "dim1") ?? -2
    return [x.diagEmbedded(offset: offset, axes: (first, try arguments.int(3, "dim2") ?? -1))]
  },
  "diagonal": { arguments in
    let x = try arguments.tensor(0)
    let offset = try arguments.int(1, "offset") ?? 0
    let first = try arguments.int(2, "dim1") ?? 0
    return [x.diagonal(offset: offset, axes: (first, try arguments.int(3, "dim2") ?? 1))]
  },
  "diagonal_scatter": { arguments in
    let (x, part) = (try arguments.tensor(0), try arguments.tensor(1, "src"))
    let offset = try arguments.int(2, "offset") ?? 0
    let first = try arguments.int(3, "dim1") ?? 0
    let axes = (first, try arguments.int(4, "dim2") ?? 1)
    return [x.replacingDiagonal(with: part, offset: offset, axes: axes)]
  },
  "trace": { [try $0.tensor(0).trace()] },
  "flip": { [try $0.tensor(0).flipped(over: try $0.ints(1, "dims") ?? [])] },
  "fliplr": { [try $0.tensor(0).flippedLeftRight()] },
  "flipud": { [try $0.tensor(0).flippedUpDown()] },
  "rot90": { arguments in
    let axes = try arguments.ints(2, "dims") ?? [0, 1]
    guard axes.count == 2 else { throw arguments.mistyped("dims", "a pair of axes") }
    let times = try arguments.int(1, "k") ?? 1
    return [try arguments.tensor(0).rotated90(times, axes: (axes[0], axes[1]))]
  },
  "roll": { arguments in
    let x = try arguments.tensor(0)
    let shifts = try arguments.ints(1, "shifts") ?? []
    guard let axes = try arguments.ints(2, "dims") else {
      guard shifts.count == 1 else { throw arguments.mistyped("shifts", "one integer") }
      return [x.rolled(by: shifts[0])]
    }
    return [x.rolled(by: shifts, over: axes)]
  },
  "movedim": { arguments in
    let axes = try arguments.ints(1, "source") ?? []
    return [try arguments.tensor(0).movedAxes(axes, to: try arguments.ints(2, "destination") ?? [])]
  },
  "t": { [try $0.tensor(0).rank < 2 ? $0.tensor(0) : $0.tensor(0).permuted(1, 0)] },
  "unflatten": { arguments in
    let axis = try arguments.int(1, "dim") ?? 0
    return [
      try arguments.tensor(0).unflattened(axis, into: try arguments.ints(2, "sizes") ?? [])
    ]
  },
  "atleast_1d": { try each($0) { $0.atLeast1D() } },
  "atleast_2d": { try each($0) { $0.atLeast2D() } },
  "atleast_3d": { try each($0) { $0.atLeast3D() } },
  "broadcast_tensors": { arguments in
    Tensor.broadcastTogether(try all(arguments))
  },
  "repeat": { [try $0.tensor(0).repeated(try $0.variadicInts(from: 1, "repeats"))] },
  "tile": { [try $0.tensor(0).tiled(try $0.variadicInts(from: 1, "dims"))] },
  "repeat_interleave": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(2, "dim")
    switch try arguments.operand(1, "repeats") {
    case .tensor(let counts): return [x.repeatedInterleaved(counts, over: axis)]
    case .number(let count): return [x.repeatedInterleaved(Int(count.asDouble), over: axis)]
    }
  },
  "narrow": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(1, "dim") ?? 0
    guard let size = try arguments.int(3, "length") else { throw arguments.missing("length") }
    switch try arguments.operand(2, "start") {
    case .tensor(let start): return [x.narrowed(over: axis, from: start, count: size)]
    case .number(let start):
      return [x.narrowed(over: axis, from: Int(start.asDouble), count: size)]
    }
  },
  "select": { arguments in
    let axis = try arguments.int(1, "dim") ?? 0
    return [try arguments.tensor(0).selected(over: axis, at: try arguments.int(2, "index") ?? 0)]
  },
  "select_scatter": { arguments in
    let (x, part) = (try arguments.tensor(0), try arguments.tensor(1, "src"))
    let axis = try arguments.int(2, "dim") ?? 0
    return [x.replacing(over: axis, at: try arguments.int(3, "index") ?? 0, with: part)]
  },
  "slice": { arguments in
    let (axis, from, to, step) = try slice(arguments, first: 1)
    return [try arguments.tensor(0).sliced(over: axis, from: from, to: to, by: step)]
  },
  "slice_scatter": { arguments in
    let (axis, from, to, step) = try slice(arguments, first: 2)
    let part = try arguments.tensor(1, "src")
    return [
      try arguments.tensor(0).replacing(over: axis, from: from, to: to, by: step, with: part)
    ]
  },
  "tensor_split": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(2, "dim") ?? 0
    switch arguments.value(1, "tensor_indices_or_sections") {
    case .int(let count): return x.split(into: count, over: axis)
    case .tensor(let tensor) where tensor.rank == 0:
      return x.split(into: tensor.item(as: Int.self), over: axis)
    case .tensor(let tensor): return x.split(at: tensor.array(of: Int.self), over: axis)
    default: return x.split(at: try arguments.ints(1, "indices") ?? [], over: axis)
    }
  },
  "unfold": { arguments in
    let axis = try arguments.int(1, "dimension") ?? 0
    let size = try arguments.int(2, "size") ?? 1
    return [
      try arguments.tensor(0).unfolded(
        over: axis, size: size, step: try arguments.int(3, "step") ?? 1)
    ]
  },
  "as_strided": strided,
  "as_strided@partial_views": strided,
  "hstack": { [.hstacked(try $0.tensors(0, "tensors"))] },
  "vstack": { [.vstacked(try $0.tensors(0, "tensors"))] },
  "dstack": { [.dstacked(try $0.tensors(0, "tensors"))] },
  "column_stack": { [.columnStacked(try $0.tensors(0, "tensors"))] },
  "nn.functional.channel_shuffle": { arguments in
    [channelShuffle(try arguments.tensor(0), groups: try arguments.int(1, "groups") ?? 1)]
  },
  "nn.functional.pixel_shuffle": { arguments in
    let factor = try arguments.int(1, "upscale_factor") ?? 1
    return [pixelShuffle(try arguments.tensor(0), upscaleFactor: factor)]
  },
  "nn.functional.pixel_unshuffle": { arguments in
    let factor = try arguments.int(1, "downscale_factor") ?? 1
    return [pixelUnshuffle(try arguments.tensor(0), downscaleFactor: factor)]
  },
]

@Sendable private func strided(_ arguments: CaseArguments) throws -> [Tensor] {
  let shape = try arguments.ints(1, "size") ?? []
  let strides = try arguments.ints(2, "stride") ?? []
  let offset = try arguments.int(3, "storage_offset")
  return [try arguments.tensor(0).strided(shape, strides: strides, offset: offset)]
}

/// All tensors, one after the other or in a sequence.
private func all(_ arguments: CaseArguments) throws -> [Tensor] {
  if case .tensor? = arguments.value(0, "tensors") {
    return try arguments.rest(from: 0).map { value in
      guard case .tensor(let tensor) = value else { throw arguments.mistyped("input", "a tensor") }
      return tensor
    }
  }
  return try arguments.tensors(0, "tensors")
}

private func each(
  _ arguments: CaseArguments, _ body: (Tensor) -> Tensor
) throws -> [Tensor] {
  try all(arguments).map(body)
}

private func slice(
  _ arguments: CaseArguments, first: Int
) throws -> (axis: Int, from: Int?, to: Int?, step: Int) {
  let axis = try arguments.int(first, "dim") ?? 0
  let from = try arguments.int(first + 1, "start")
  let to = try arguments.int(first + 2, "end")
  return (axis, from, to, try arguments.int(first + 3, "step") ?? 1)
}
