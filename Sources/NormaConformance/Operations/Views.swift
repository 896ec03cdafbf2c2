import NormaTensor

let viewOperations: [String: CaseOperation] = [
  "reshape": reshape,
  "view": reshape,
  "ravel": { [try $0.tensor(0).flattened()] },
  "flatten": { arguments in
    let first = try arguments.int(1, "start_dim") ?? 0
    let last = try arguments.int(2, "end_dim") ?? -1
    return [try arguments.tensor(0).flattened(from: first, through: last)]
  },
  "permute": { [try $0.tensor(0).permuted(try $0.variadicInts(from: 1, "dims"))] },
  "transpose": { arguments in
    guard let first = try arguments.int(1, "dim0"), let second = try arguments.int(2, "dim1")
    else { throw arguments.missing("dim0 or dim1") }
    return [try arguments.tensor(0).transposed(first, second)]
  },
  "T": { arguments in
    let x = try arguments.tensor(0)
    return [x.permuted(Array((0..<x.rank).reversed()))]
  },
  "mT": { [try $0.tensor(0).transposed()] },
  "squeeze": squeeze,
  "squeeze@multiple": squeeze,
  "unsqueeze": { arguments in
    guard let axis = try arguments.int(1, "dim") else { throw arguments.missing("dim") }
    return [try arguments.tensor(0).unsqueezed(axis)]
  },
  "expand": { [try $0.tensor(0).broadcast(to: try $0.variadicInts(from: 1, "size"))] },
  "expand_as": { [try $0.tensor(0).broadcast(to: try $0.tensor(1, "other").shape)] },
  "broadcast_to": { [try $0.tensor(0).broadcast(to: try $0.variadicInts(from: 1, "size"))] },
]

@Sendable private func reshape(_ arguments: CaseArguments) throws -> [Tensor] {
  if case .dtype = arguments.value(1, "dtype") {
    throw CaseObstacle.unsupported("another type for the same bits")
  }
  return [try arguments.tensor(0).reshaped(try arguments.variadicInts(from: 1, "shape"))]
}

@Sendable private func squeeze(_ arguments: CaseArguments) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  guard let axes = try arguments.ints(1, "dim") else { return [x.squeezed()] }
  if axes.count == 1 { return [x.squeezed(axes[0])] }
  // From the last axis to the first, so that the indices of the remaining axes stay valid.
  let front = axes.map { $0 < 0 ? $0 + x.rank : $0 }.sorted(by: >)
  return [front.reduce(x) { $0.squeezed($1) }]
}
