import NormaTensor

// Medians, quantiles, covariances.

let statisticOperations: [String: CaseOperation] = [
  "median": middle({ $0.median() }, { $0.medianWithIndices(over: $1, keepDims: $2) }),
  "nanmedian": middle({ $0.nanMedian() }, { $0.nanMedianWithIndices(over: $1, keepDims: $2) }),
  "mode": {
    pair(
      try $0.tensor(0).mode(
        over: try $0.int(1, "dim") ?? -1, keepDims: try $0.bool(2, "keepdim") ?? false))
  },
  "kthvalue": { arguments in
    guard let k = try arguments.int(1, "k") else { throw arguments.missing("k") }
    return pair(
      try arguments.tensor(0).kthValue(
        k, over: try arguments.int(2, "dim") ?? -1,
        keepDims: try arguments.bool(3, "keepdim") ?? false))
  },
  "quantile": quantile { $0.quantile($1, over: $2, interpolation: $3, keepDims: $4) },
  "nanquantile": quantile {
    let result = $0.nanQuantile($1.array(), over: $2, interpolation: $3, keepDims: $4)
    return $1.rank == 0 ? result.squeezed(0) : result
  },
  "cov": {
    [
      try $0.tensor(0).covariance(
        correction: try $0.double(nil, "correction") ?? 1,
        frequencies: try $0.optionalTensor(nil, "fweights"),
        weights: try $0.optionalTensor(nil, "aweights"))
    ]
  },
  "corrcoef": { [try $0.tensor(0).correlation()] },
]

/// `median(x)` and `median(x, dim, keepdim)`
private func middle(
  _ whole: @escaping @Sendable (Tensor) -> Tensor,
  _ along: @escaping @Sendable (Tensor, Int, Bool) -> (values: Tensor, indices: Tensor)
) -> CaseOperation {
  { arguments in
    let x = try arguments.tensor(0)
    guard let axis = try arguments.int(1, "dim") else { return [whole(x)] }
    return pair(along(x, axis, try arguments.bool(2, "keepdim") ?? false))
  }
}

/// `quantile(x, q, dim, keepdim, interpolation)`
private func quantile(
  _ call: @escaping @Sendable (Tensor, Tensor, [Int], QuantileInterpolation, Bool) -> Tensor
) -> CaseOperation {
  { arguments in
    let x = try arguments.tensor(0)
    let axes = try arguments.axes(2, of: x)
    let keepDims = try arguments.bool(3, "keepdim") ?? false
    let name = try arguments.text("interpolation") ?? "linear"
    guard let interpolation = QuantileInterpolation(rawValue: name) else {
      throw CaseObstacle.notWritable("there is no interpolation \(name)")
    }
    switch try arguments.operand(1, "q") {
    case .number(let q):
      return [call(x, Tensor(q.asDouble), axes, interpolation, keepDims)]
    case .tensor(let q):
      return [call(x, q, axes, interpolation, keepDims)]
    }
  }
}
