import NormaTensor

/// Elements selected and set by indices and Booleans.
let placeOperations: [String: CaseOperation] = [
  "__getitem__": { [try $0.tensor(0).taking(try indices($0.value(1, "index")))] },
  "index_put": { arguments in
    let x = try arguments.tensor(0)
    let places = try indices(arguments.value(1, "indices"))
    let values = try arguments.tensor(2, "values")
    let accumulates = try arguments.bool(3, "accumulate") ?? false
    return [x.replacing(at: places, with: values, accumulating: accumulates)]
  },
  "index_add": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(1, "dim") ?? 0
    let (places, source) = (try arguments.tensor(2, "index"), try arguments.tensor(3, "source"))
    let scale = try arguments.double(nil, "alpha") ?? 1
    return [x.indexAdded(places, source, over: axis, scale: scale)]
  },
  "index_copy": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(1, "dim") ?? 0
    let places = try arguments.tensor(2, "index")
    return [x.indexCopied(places, try arguments.tensor(3, "source"), over: axis)]
  },
  "index_fill": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(1, "dim") ?? 0
    let places = try arguments.tensor(2, "index")
    switch try arguments.operand(3, "value") {
    case .tensor(let value): return [x.indexFilled(places, over: axis, with: value)]
    case .number(let value): return [x.indexFilled(places, over: axis, with: value.asDouble)]
    }
  },
  "take": { [try $0.tensor(0).taken(try $0.tensor(1, "index"))] },
  "put": { arguments in
    let x = try arguments.tensor(0)
    let places = try arguments.tensor(1, "index")
    let source = try arguments.tensor(2, "source")
    return [x.putting(places, source, accumulating: try arguments.bool(3, "accumulate") ?? false)]
  },
  "take_along_dim": { arguments in
    let x = try arguments.tensor(0)
    return [x.takenAlong(try arguments.tensor(1, "indices"), over: try arguments.int(2, "dim"))]
  },
  "scatter": { arguments in
    let x = try arguments.tensor(0)
    let axis = try arguments.int(1, "dim") ?? 0
    let places = try arguments.tensor(2, "index")
    if try arguments.text("reduce") != nil { throw CaseObstacle.unsupported("reduce") }
    switch try arguments.operand(3, "src") {
    case .tensor(let source): return [x.scattered(places, source, over: axis)]
    case .number(let number): return [x.scattered(places, number.asDouble, over: axis)]
    }
  },
  "scatter_reduce@sum": scatterReduce,
  "scatter_reduce@prod": scatterReduce,
  "scatter_reduce@mean": scatterReduce,
  "scatter_reduce@amin": scatterReduce,
  "scatter_reduce@amax": scatterReduce,
  "nonzero": { arguments in
    let x = try arguments.tensor(0)
    return try arguments.bool(nil, "as_tuple") == true ? x.nonzeroByAxis() : [x.nonzero()]
  },
  "argwhere": { [try $0.tensor(0).nonzero()] },
  "masked_select": { [try $0.tensor(0).selected(where: try $0.tensor(1, "mask"))] },
  "masked_scatter": { arguments in
    let mask = try arguments.tensor(1, "mask")
    return [try arguments.tensor(0).scattered(where: mask, try arguments.tensor(2, "source"))]
  },
  "masked_fill": { arguments in
    let x = try arguments.tensor(0)
    let mask = try arguments.tensor(1, "mask")
    switch try arguments.operand(2, "value") {
    case .number(let number): return [x.filled(where: mask, with: number.asDouble)]
    case .tensor(let value): return [x.filled(where: mask, with: value)]
    }
  },
]

@Sendable private func scatterReduce(_ arguments: CaseArguments) throws -> [Tensor] {
  let x = try arguments.tensor(0)
  let axis = try arguments.int(1, "dim") ?? 0
  let (places, source) = (try arguments.tensor(2, "index"), try arguments.tensor(3, "src"))
  let names: [String: ScatterReduction] = [
    "sum": .sum, "prod": .product, "mean": .mean, "amin": .min, "amax": .max,
  ]
  guard case .text(let name)? = arguments.value(4, "reduce"), let reduction = names[name] else {
    throw arguments.mistyped("reduce", "one of \(names.keys.sorted())")
  }
  let includes = try arguments.bool(nil, "include_self") ?? true
  return [x.scattered(places, source, over: axis, reducing: reduction, includingSelf: includes)]
}

/// The expression in brackets, alone or in a tuple.
private func indices(_ value: CaseValue?) throws -> [any TensorIndex] {
  if case .tuple(let parts) = value { return try parts.map(index) }
  guard let value else { throw CaseObstacle.unreadable("no index") }
  return [try index(value)]
}

private func index(_ value: CaseValue) throws -> any TensorIndex {
  switch value {
  case .int(let position): position
  case .slice(let start, let stop, let step): AxisSlice(from: start, to: stop, by: step ?? 1)
  case .ellipsis: Ellipsis()
  case .none: NewAxis()
  case .tensor(let tensor): tensor
  case .list(let values): try list(values)
  default: throw CaseObstacle.unsupported("such an index")
  }
}

private func list(_ values: [CaseValue]) throws -> any TensorIndex {
  let numbers = values.compactMap { value -> Int? in
    if case .int(let number) = value { return number }
    return nil
  }
  if numbers.count == values.count { return numbers }
  return try values.map { value -> Bool in
    guard case .bool(let truth) = value else {
      throw CaseObstacle.unsupported("a list of lists as index")
    }
    return truth
  }
}
