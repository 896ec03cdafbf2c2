import NormaTensor

let reductionOperations: [String: CaseOperation] = [
  "sum": sumLike { $0.sum(over: $1, keepDims: $2) },
  "mean": sumLike { $0.mean(over: $1, keepDims: $2) },
  "amax": extreme { $0.max(over: $1, keepDims: $2) },
  "amin": extreme { $0.min(over: $1, keepDims: $2) },
  "max@reduction_no_dim": { [try $0.tensor(0).max()] },
  "min@reduction_no_dim": { [try $0.tensor(0).min()] },
  "var": spread(variance),
  "var@unbiased": spread(variance),
  "std": spread(std),
  "std@unbiased": spread(std),
  "var_mean": spread(variance, mean),
  "var_mean@unbiased": spread(variance, mean),
  "std_mean": spread(std, mean),
  "std_mean@unbiased": spread(std, mean),
]

private typealias Reduction = @Sendable (Tensor, [Int], Bool) -> Tensor
private typealias Spread = @Sendable (Tensor, [Int], _ correction: Double, Bool) -> Tensor

/// A reduction that computes in the requested type.
private func sumLike(_ reduction: @escaping Reduction) -> CaseOperation {
  { arguments in
    var x = try arguments.tensor(0)
    let axes = try arguments.axes(1, of: x)
    let keepDims = try arguments.bool(2, "keepdim") ?? false
    if let dtype = try arguments.dtype(nil) { x = x.cast(to: dtype) }
    return [reduction(x, axes, keepDims)]
  }
}

private func extreme(_ reduction: @escaping Reduction) -> CaseOperation {
  { arguments in
    let x = try arguments.tensor(0)
    let axes = try arguments.axes(1, of: x)
    return [reduction(x, axes, try arguments.bool(2, "keepdim") ?? false)]
  }
}

/// `var(x, dim, correction: 1, keepdim: false)` and the older `var(x, unbiased)`.
private func spread(_ reductions: Spread...) -> CaseOperation {
  { arguments in
    let x = try arguments.tensor(0)
    var axes = try arguments.axes(nil, of: x)
    var unbiased: Bool?
    if case .bool(let value) = arguments.value(1, "unbiased") {
      unbiased = value
    } else {
      axes = try arguments.axes(1, of: x)
      unbiased = try arguments.bool(2, "unbiased")
    }
    let keepDims = try arguments.bool(3, "keepdim") ?? false
    let correction = try arguments.double(nil, "correction") ?? (unbiased == false ? 0 : 1)
    return reductions.map { $0(x, axes, correction, keepDims) }
  }
}

@Sendable private func variance(
  _ x: Tensor, _ axes: [Int], _ correction: Double, _ keepDims: Bool
) -> Tensor {
  x.variance(over: axes, correction: correction, keepDims: keepDims)
}

@Sendable private func std(
  _ x: Tensor, _ axes: [Int], _ correction: Double, _ keepDims: Bool
) -> Tensor {
  x.std(over: axes, correction: correction, keepDims: keepDims)
}

@Sendable private func mean(
  _ x: Tensor, _ axes: [Int], _ correction: Double, _ keepDims: Bool
) -> Tensor {
  x.mean(over: axes, keepDims: keepDims)
}
