import NormaTensor

// Products and norms beyond `matmul`.

let linearOperations: [String: CaseOperation] = [
  "vdot": pair { $0.dot($1) },
  "inner": pair { $0.inner($1) },
  "outer": pair { $0.outer($1) },
  "ger": pair { $0.outer($1) },
  "kron": pair { $0.kron($1) },
  "linalg.vecdot": { arguments in
    let axis = try arguments.int(nil, "dim") ?? -1
    return try pair { $0.vecdot($1, over: axis) }(arguments)
  },
  // The older function takes the first axis of size 3.
  "cross": { arguments in
    let x = try arguments.tensor(0)
    return try cross(arguments, axis: x.shape.firstIndex(of: 3) ?? -1)
  },
  "linalg.cross": { try cross($0, axis: -1) },
  "addmm": addedProduct { $0.addmm($1, $2, beta: $3, alpha: $4) },
  "addmm@decomposed": addedProduct { $0.addmm($1, $2, beta: $3, alpha: $4) },
  "addmv": addedProduct { $0.addmv($1, $2, beta: $3, alpha: $4) },
  "addr": addedProduct { $0.addr($1, $2, beta: $3, alpha: $4) },
  "addbmm": addedProduct { $0.addbmm($1, $2, beta: $3, alpha: $4) },
  "baddbmm": addedProduct { $0.baddbmm($1, $2, beta: $3, alpha: $4) },
  "einsum": { arguments in
    guard let equation = try arguments.text(1, "equation") else {
      throw arguments.missing("equation")
    }
    return [einsum(equation, try arguments.tensors(0, "operands"))]
  },
  "tensordot": tensordot,
  "linalg.multi_dot": { [.multiDot(try $0.tensors(0, "tensors"))] },
  "chain_matmul": { arguments in
    [
      .multiDot(
        try (0..<arguments.count).map { try arguments.tensor($0) })
    ]
  },
  "linalg.matrix_power": matrixPower,
  "matrix_power": matrixPower,
  "cdist": { arguments in
    // How PyTorch computes it is not Norma's concern.
    _ = try arguments.text(3, "compute_mode")
    let p = try arguments.double(2, "p") ?? 2
    return [try arguments.tensor(0, "x1").cdist(try arguments.tensor(1, "x2"), p: p)]
  },
  "linalg.matrix_norm": matrixNorm,
  "linalg.norm": anyNorm,
  "linalg.norm@subgradients_at_zero": anyNorm,
]

private func pair(_ product: @escaping @Sendable (Tensor, Tensor) -> Tensor) -> CaseOperation {
  { [product(try $0.tensor(0), try $0.tensor(1, "other"))] }
}

private func addedProduct(
  _ product: @escaping @Sendable (Tensor, Tensor, Tensor, Double, Double) -> Tensor
) -> CaseOperation {
  { arguments in
    [
      product(
        try arguments.tensor(0), try arguments.tensor(1), try arguments.tensor(2),
        try arguments.double(nil, "beta") ?? 1, try arguments.double(nil, "alpha") ?? 1)
    ]
  }
}

/// `cross(x, other, dim)`
private func cross(_ arguments: CaseArguments, axis: Int) throws -> [Tensor] {
  let axis = try arguments.int(2, "dim") ?? axis
  return [try arguments.tensor(0).cross(try arguments.tensor(1, "other"), over: axis)]
}

/// `matrix_power(x, n)`
@Sendable private func matrixPower(_ arguments: CaseArguments) throws -> [Tensor] {
  guard let exponent = try arguments.int(1, "n") else { throw arguments.missing("n") }
  return [try arguments.tensor(0).matrixPower(exponent)]
}

/// `tensordot(a, b, dims)`, with a number or two lists.
@Sendable private func tensordot(_ arguments: CaseArguments) throws -> [Tensor] {
  let (a, b) = (try arguments.tensor(0), try arguments.tensor(1, "other"))
  switch arguments.value(2, "dims") {
  case nil: return [a.tensordot(b)]
  case .int(let count): return [a.tensordot(b, axes: count)]
  case .list(let lists), .tuple(let lists):
    let axes = lists.map { list in
      switch list {
      case .list(let values), .tuple(let values):
        values.compactMap { value -> Int? in
          if case .int(let axis) = value { return axis }
          return nil
        }
      default: [Int]()
      }
    }
    guard axes.count == 2 else { throw arguments.mistyped("dims", "a pair of lists") }
    return [a.tensordot(b, over: axes[0], and: axes[1])]
  default: throw arguments.mistyped("dims", "axes")
  }
}

extension CaseArguments {
  /// The order of a matrix norm; nil if it was omitted.
  fileprivate func order(_ position: Int, _ name: String) throws -> MatrixNormOrder? {
    switch value(position, name) {
    case nil, .some(.none): return nil
    case .text("fro"): return .frobenius
    case .text("nuc"): throw CaseObstacle.unsupported("ord nuc, which needs singular values")
    case .int(let value): return try order(Double(value))
    case .double(let value): return try order(value)
    default: throw mistyped(name, "an order")
    }
  }

  private func order(_ number: Double) throws -> MatrixNormOrder {
    if number.magnitude == 2 {
      throw CaseObstacle.unsupported("ord \(number), which needs singular values")
    }
    return .number(number)
  }
}

/// `matrix_norm(x, ord, dim, keepdim)`
@Sendable private func matrixNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  let axes = try arguments.ints(2, "dim") ?? [-2, -1]
  guard axes.count == 2 else { throw arguments.mistyped("dim", "two axes") }
  return [
    try arguments.tensor(0).matrixNorm(
      try arguments.order(1, "ord") ?? .frobenius, over: (axes[0], axes[1]),
      keepDims: try arguments.bool(3, "keepdim") ?? false)
  ]
}

/// `norm(x, ord, dim, keepdim)`: a matrix norm if there are two axes and an order, otherwise a
/// vector norm.
@Sendable private func anyNorm(_ arguments: CaseArguments) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  let axes = try arguments.ints(2, "dim")
  let keepDims = try arguments.bool(3, "keepdim") ?? false
  let isMatrix = axes.map { $0.count == 2 } ?? (x.rank == 2)
  if isMatrix, let order = try arguments.order(1, "ord") {
    let pair = axes ?? [0, 1]
    return [x.matrixNorm(order, over: (pair[0], pair[1]), keepDims: keepDims)]
  }
  guard let order = try arguments.double(1, "ord") else {
    return [x.norm(2, over: axes ?? Array(x.shape.indices), keepDims: keepDims)]
  }
  guard axes?.count ?? x.rank == 1 else {
    throw TensorError("norm", "an order needs one axis or two")
  }
  return [x.norm(order, over: axes ?? Array(x.shape.indices), keepDims: keepDims)]
}
