import NormaTensor

/// Ranges, unit matrices, triangles and grids.
let creationOperations: [String: CaseOperation] = [
  "linspace": linspace,
  "linspace@tensor_overload": linspace,
  "logspace": logspace,
  "logspace@tensor_overload": logspace,
  "eye": { arguments in
    guard let rows = try arguments.int(0, "n") else { throw arguments.missing("n") }
    let columns = try arguments.int(1, "m")
    return [.eye(rows, columns, dtype: try arguments.dtype(nil) ?? .float32)]
  },
  "tril": { [try $0.tensor(0).tril(try $0.int(1, "diagonal") ?? 0)] },
  "triu": { [try $0.tensor(0).triu(try $0.int(1, "diagonal") ?? 0)] },
  "tril_indices": { arguments in
    let (rows, columns, offset, dtype) = try triangle(arguments)
    return [.trilIndices(rows, columns, offset: offset, dtype: dtype)]
  },
  "triu_indices": { arguments in
    let (rows, columns, offset, dtype) = try triangle(arguments)
    return [.triuIndices(rows, columns, offset: offset, dtype: dtype)]
  },
  "meshgrid@variadic_tensors": { arguments in
    let tensors = try arguments.rest(from: 0).map { value in
      guard case .tensor(let tensor) = value else { throw arguments.mistyped("input", "a tensor") }
      return tensor
    }
    return try grid(tensors, arguments)
  },
  "meshgrid@list_of_tensors": { try grid(try $0.tensors(0, "tensors"), $0) },
]

private func triangle(
  _ arguments: CaseArguments
) throws -> (rows: Int, columns: Int, offset: Int, dtype: DType) {
  guard let rows = try arguments.int(0, "row"), let columns = try arguments.int(1, "col") else {
    throw arguments.missing("row or col")
  }
  let offset = try arguments.int(2, "offset") ?? 0
  return (rows, columns, offset, try arguments.dtype(nil) ?? .int64)
}

private func grid(_ tensors: [Tensor], _ arguments: CaseArguments) throws -> [Tensor] {
  let indexing = try arguments.text("indexing") ?? "ij"
  return Tensor.meshgrid(tensors, indexing: indexing == "xy" ? .xy : .ij)
}

/// Two bounds, numbers or tensors, as tensors without axes.
private func bounds(_ arguments: CaseArguments) throws -> (Tensor, Tensor) {
  func bound(_ position: Int, _ name: String) throws -> Tensor {
    switch try arguments.operand(position, name) {
    case .tensor(let tensor): tensor
    case .number(let number): Tensor(number.asDouble)
    }
  }
  return (try bound(0, "start"), try bound(1, "end"))
}

@Sendable private func linspace(_ arguments: CaseArguments) throws -> [Tensor] {
  let (start, end) = try bounds(arguments)
  guard let steps = try arguments.int(2, "steps") else { throw arguments.missing("steps") }
  return [.linspace(start, end, count: steps, dtype: try arguments.dtype(nil) ?? .float32)]
}

@Sendable private func logspace(_ arguments: CaseArguments) throws -> [Tensor] {
  let (start, end) = try bounds(arguments)
  guard let steps = try arguments.int(2, "steps") else { throw arguments.missing("steps") }
  let base = try arguments.double(3, "base") ?? 10
  return [
    .logspace(start, end, count: steps, base: base, dtype: try arguments.dtype(nil) ?? .float32)
  ]
}
