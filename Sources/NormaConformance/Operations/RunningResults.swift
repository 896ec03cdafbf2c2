import NormaTensor

// Scans, and reductions beyond sums, moments and extremes.

let runningOperations: [String: CaseOperation] = [
  "cumprod": { [try typed($0).cumulativeProduct(over: try $0.int(1, "dim") ?? 0)] },
  "cummax": { pair(try $0.tensor(0).cumulativeMax(over: try $0.int(1, "dim") ?? 0)) },
  "cummin": { pair(try $0.tensor(0).cumulativeMin(over: try $0.int(1, "dim") ?? 0)) },
  "logcumsumexp": { [try $0.tensor(0).logCumulativeSumExp(over: try $0.int(1, "dim") ?? 0)] },
  "diff": {
    [
      try $0.tensor(0).difference(
        try $0.int(1, "n") ?? 1, over: try $0.int(2, "dim") ?? -1,
        prepending: try $0.optionalTensor(3, "prepend"),
        appending: try $0.optionalTensor(4, "append"))
    ]
  },
  "max@reduction_with_dim": {
    pair(
      try $0.tensor(0).maxWithIndices(
        over: try $0.int(1, "dim") ?? 0, keepDims: try $0.bool(2, "keepdim") ?? false))
  },
  "min@reduction_with_dim": {
    pair(
      try $0.tensor(0).minWithIndices(
        over: try $0.int(1, "dim") ?? 0, keepDims: try $0.bool(2, "keepdim") ?? false))
  },
  "aminmax": { arguments in
    if arguments.value(nil, "out") != nil {
      throw CaseObstacle.notWritable("no call writes into a tensor that it is given")
    }
    let x = try arguments.tensor(0)
    let axes = try arguments.axes(nil, of: x)
    let keepDims = try arguments.bool(nil, "keepdim") ?? false
    return [x.min(over: axes, keepDims: keepDims), x.max(over: axes, keepDims: keepDims)]
  },
  "all": over { $0.all(over: $1, keepDims: $2) },
  "any": over { $0.any(over: $1, keepDims: $2) },
  "count_nonzero": over { $0.countNonZero(over: $1, keepDims: $2) },
  "nanmean": over { $0.nanMean(over: $1, keepDims: $2) },
  "nansum": over { $0.nanSum(over: $1, keepDims: $2) },
  "prod": over { $0.product(over: $1, keepDims: $2) },
  "dist": {
    [Tensor.distance(try $0.tensor(0), try $0.tensor(1, "other"), p: try $0.double(2, "p") ?? 2)]
  },
  "renorm": { arguments in
    let (p, maximum) = (try arguments.double(1, "p"), try arguments.double(3, "maxnorm"))
    guard let p, let maximum else { throw arguments.missing("maxnorm") }
    return [
      try arguments.tensor(0).renormalized(
        p, over: try arguments.int(2, "dim") ?? 0, maximum: maximum)
    ]
  },
  "sum_to_size": { [try $0.tensor(0).summed(to: try $0.variadicInts(from: 1, "size"))] },
]

/// Values and indices as two results.
func pair(_ result: (values: Tensor, indices: Tensor)) -> [Tensor] {
  [result.values, result.indices]
}

/// The first argument, in the type of the computation.
private func typed(_ arguments: CaseArguments) throws -> Tensor {
  let x = try arguments.tensor(0)
  return try arguments.dtype(nil).map { x.cast(to: $0) } ?? x
}

/// `f(x, dim, keepdim, dtype)`
private func over(
  _ reduction: @escaping @Sendable (Tensor, [Int], Bool) -> Tensor
) -> CaseOperation {
  { arguments in
    let x = try typed(arguments)
    let axes = try arguments.axes(1, of: x)
    return [reduction(x, axes, try arguments.bool(2, "keepdim") ?? false)]
  }
}
