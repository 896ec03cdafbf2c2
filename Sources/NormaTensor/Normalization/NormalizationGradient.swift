import NormaValues

/// The gradients of a normalization; nil for those that are not needed.
struct NormalizationGradients {
  let input: Tensor?
  let weight: Tensor?
  let bias: Tensor?
}

/// The gradient of a normalization, in as few passes as its layout allows.
///
/// With g the upstream gradient, u = g weight, c = x - mean, r = 1 / √(variance + eps), and sums
/// over the n values of a statistic:
///
///     dx = r u - r³ c Σ(u c) / n - r Σ(u) / n        dweight = Σ(g c r)        dbias = Σ(g)
///
/// If the mean is given as zero, as in root mean square norm, it does not contribute to dx: Σ(u) is
/// omitted.
///
/// Both sums are taken in one pass in `float64`, slice by slice together with dx if slices stay in
/// cache: x and g are then read once. A weight that is constant within each statistic is factored
/// out of the sums, which then also give dweight and dbias. With a mask, excluded values are 0 in x
/// and g, and n is the number of the others. Contiguous groups of `float32` have kernels of their
/// own, which compute all three gradients while a group is in cache (`NormalizedGroups`).
struct NormalizationGradient {
  private let rule: Backward
  private let type: DType
  private let x: Tensor
  private let mean: Tensor
  private let inverse: Tensor
  private let upstream: Tensor
  private let weight: Tensor?
  /// Whether the weight is constant within each statistic.
  private let isOutside: Bool
  /// Nil if the statistics are constants.
  private let own: OwnStatistics?
  /// The reductions of x with u as companion: Σ(u c) and Σ(u).
  private let group: ReductionGroup?
  private let mask: NormalizationMask?

  /// - Parameter weight: with as many axes as the input.
  init(
    _ rule: Backward, eps: Double, weight: Tensor?, own: OwnStatistics?,
    mask: NormalizationMask? = nil
  ) {
    func kept(_ values: Tensor) -> Tensor { mask?.kept(values) ?? values }
    (self.rule, self.own, self.mask) = (rule, own, mask)
    x = kept(rule.saved[0].detached())
    type = x.dtype == .float64 ? .float64 : .float32
    mean = rule.saved[1].cast(to: .float64)
    inverse = (rule.saved[2].cast(to: .float64) + eps).rsqrt()
    upstream = kept(rule.upstream.cast(to: type))
    self.weight = weight?.detached()
    isOutside = weight?.isConstant(along: mean) ?? true
    let axes = own?.axes ?? mean.shape.indices.filter { rule.saved[1].shape[$0] == 1 }
    guard x.count > 0, !axes.isEmpty else {
      group = nil
      return
    }
    var weighted = upstream
    if !isOutside { weighted = weighted * rule.saved[3].detached().cast(to: type) }
    group = ReductionGroup(
      source: x, companion: weighted,
      center: Tensor(node: mean.node, layout: mean.layout.broadcast(to: x.shape)),
      axes: axes)
  }

  var gradients: NormalizationGradients {
    let (weight, bias) = parameters
    return NormalizationGradients(
      input: rule.whenNeeded(0) { input }, weight: weight, bias: bias)
  }

  private var input: Tensor {
    let scale = isOutside ? weight.map { inverse * $0.cast(to: .float64) } ?? inverse : inverse
    if own?.origin == .mean && mask == nil && (group?.countPerResult ?? 1) == 1 {
      // A single value is its own mean, so its distance is zero.
      return Center.zeros(x.shape, type)
    }
    guard let group, let own else {
      let u = isOutside ? upstream : weight.map { upstream * $0.cast(to: type) } ?? upstream
      return u * scale.cast(to: type)
    }
    let share = mask.map { -scale / $0.count } ?? scale / -Double(group.countPerResult)
    let gradient = checked { () throws(TensorError) in
      try x.normalizationGradient(
        upstream: group.companion ?? upstream, mean: mean, inverse: inverse, scale: scale,
        share: share, centered: group.tensor(.centeredSum),
        plain: own.origin == .mean ? group.tensor(.companionSum) : nil, call: "normalized")
    }
    return mask?.kept(gradient) ?? gradient
  }

  /// The gradients of weight and bias.
  private var parameters: (weight: Tensor?, bias: Tensor?) {
    let index = weight == nil ? 1 : 2
    guard rule.needs(1) || rule.needs(index) else { return (nil, nil) }
    if let group, isOutside {
      return (
        weight == nil ? nil : group.tensor(.centeredSum) * inverse, group.tensor(.companionSum)
      )
    }
    // Σ(g c r) and Σ(g) over the axes along which the weight is constant.
    guard let weight else { return (nil, upstream) }
    let shift = x.rank - weight.rank
    let axes = x.shape.indices.filter { $0 < shift || weight.shape[$0 - shift] == 1 }
    let products = upstream * normalized
    guard !axes.isEmpty, x.count > 0 else { return (products, upstream) }
    let group = ReductionGroup(source: products, companion: upstream, axes: axes)
    return (group.tensor(.sum), group.tensor(.companionSum))
  }

  /// (x - mean) r.
  private var normalized: Tensor {
    let center = Center(rule.saved[1], in: type)
    return checked { () throws(TensorError) in
      try Tensor.elementwise(
        .normalize,
        [x, center.high, center.low, inverse.cast(to: type), Center.zeros(inverse.shape, type)],
        in: type, result: type, call: "normalized")
    }
  }
}

/// The same formula from differentiable operations, for second derivatives.
func composedNormalizationGradients(
  _ rule: Backward, eps: Double, weight: Tensor?, own: OwnStatistics?,
  mask: NormalizationMask? = nil
) -> NormalizationGradients {
  func kept(_ values: Tensor) -> Tensor { mask?.kept(values) ?? values }
  let isWide = rule.saved[0].dtype == .float64 || mask != nil
  let type = isWide ? DType.float64 : .float32
  let x = kept(rule.saved[0].cast(to: type))
  let upstream = kept(rule.upstream.cast(to: type))
  let weighted = weight.map { upstream * $0.cast(to: type) } ?? upstream
  let normalized: Tensor
  let input: Tensor
  func mean(_ values: Tensor, _ axes: [Int]) -> Tensor {
    mask.map { values.sum(over: axes, keepDims: true) / $0.count }
      ?? values.mean(over: axes, keepDims: true)
  }
  switch own {
  case nil:
    let inverse = (rule.saved[2].cast(to: .float64) + eps).rsqrt().cast(to: type)
    normalized = (x - rule.saved[1].cast(to: type)) * inverse
    input = weighted * inverse
  case let own? where own.origin == .zero:
    let inverse = (mean(x.squared(), own.axes) + eps).rsqrt()
    normalized = x * inverse
    input = (weighted - normalized * mean(weighted * normalized, own.axes)) * inverse
  case let own? where own.axes.isEmpty:
    normalized =
      (x - rule.saved[1].cast(to: type))
      * (rule.saved[2].cast(to: .float64) + eps).rsqrt().cast(to: type)
    input = weighted * 0
  case let own?:
    let center = kept(x - mean(x, own.axes))
    let variance =
      mask == nil
      ? x.variance(over: own.axes, correction: 0, keepDims: true)
      : mean(center.squared(), own.axes)
    let inverse = (variance + eps).rsqrt()
    normalized = center * inverse
    let share = mean(weighted * normalized, own.axes)
    input = kept((weighted - mean(weighted, own.axes) - normalized * share) * inverse)
  }
  return NormalizationGradients(
    input: rule.whenNeeded(0) { input }, weight: weight == nil ? nil : upstream * normalized,
    bias: upstream)
}
