import NormaKernels

/// What a normalization's rule gives; nil for what nobody wants.
struct NormalizationGradients {
  let input: Tensor?
  let weight: Tensor?
  let bias: Tensor?
}

/// The gradient of a normalization, in as few trips as its layout allows.
///
/// With g the upstream gradient, u = g weight, c = x - mean, r = 1 / √(variance + eps), and sums over
/// the n values of a statistic:
///
///     dx = r u - r³ c Σ(u c) / n - r Σ(u) / n        dweight = Σ(g c r)        dbias = Σ(g)
///
/// Both sums are taken in one trip in `float64`, slice by slice with dx where slices stay in cache:
/// then x and g are read once. A weight that is one number to a statistic stays outside of the
/// sums, which then are dweight and dbias as well.
struct NormalizationGradient {
  private let rule: Backward
  private let type: DType
  private let x: Tensor
  private let center: Center
  private let inverse: Tensor
  private let upstream: Tensor
  private let weight: Tensor?
  /// Whether the weight is one number to a statistic.
  private let isOutside: Bool
  /// Whether the statistics are the input's own; constants otherwise.
  private let isOwn: Bool
  /// Σ(u c) and Σ(u).
  private let group: ReductionGroup?

  /// - Parameter weight: with as many axes as the input.
  init(_ rule: Backward, eps: Double, weight: Tensor?, ownAxes: [Int]?) {
    self.rule = rule
    x = rule.saved[0].detached()
    type = x.dtype == .float64 ? .float64 : .float32
    let mean = rule.saved[1]
    center = Center(mean, in: type)
    inverse = (rule.saved[2] + eps).rsqrt()
    upstream = rule.upstream.cast(to: type)
    self.weight = weight?.detached()
    isOutside = weight?.isConstant(along: mean) ?? true
    isOwn = ownAxes != nil
    let axes = ownAxes ?? mean.shape.indices.filter { mean.shape[$0] == 1 }
    group = NormalizationGradient.sums(
      of: x, center, isOutside ? upstream : upstream * rule.saved[3].detached().cast(to: type),
      over: axes)
  }

  /// Σ(c u) as the sum of a group, Σ(u) as that of its companion.
  private static func sums(
    of x: Tensor, _ center: Center, _ u: Tensor, over axes: [Int]
  ) -> ReductionGroup? {
    if x.count == 0 || axes.isEmpty { return nil }
    return ReductionGroup(
      source: center.product(x, u), companion: u, axes: axes.sorted())
  }

  var gradients: NormalizationGradients {
    let (weight, bias) = parameters
    return NormalizationGradients(
      input: rule.whenNeeded(0) { input }, weight: weight, bias: bias)
  }

  private var input: Tensor {
    let scale = isOutside ? weight.map { inverse * $0.cast(to: .float64) } ?? inverse : inverse
    guard let group, isOwn else {
      // A statistic over nothing is the input itself, which does not change its own distance.
      if isOwn { return Center.zeros(x.shape, type) }
      let u = isOutside ? upstream : weight.map { upstream * $0.cast(to: type) } ?? upstream
      return u * scale.cast(to: type)
    }
    let share = scale / -Double(group.countPerResult)
    let slope = share * inverse.squared() * group.tensor(.sum)
    let shift = share * group.tensor(.companionSum)
    return checked { () throws(TensorError) in
      try Tensor.elementwise(
        .normalizeGradient,
        [
          x, center.high, center.low, group.companion ?? upstream, scale.cast(to: type),
          slope.cast(to: type), shift.cast(to: type),
        ], in: type, result: x.dtype, call: "normalized")
    }
  }

  /// The gradients of weight and bias.
  private var parameters: (weight: Tensor?, bias: Tensor?) {
    let place = weight == nil ? 1 : 2
    guard rule.needs(1) || rule.needs(place) else { return (nil, nil) }
    if let group, isOutside {
      return (
        weight == nil ? nil : group.tensor(.sum) * inverse, group.tensor(.companionSum)
      )
    }
    // Σ(g c r) and Σ(g) over the axes along which there is one weight.
    guard let weight else { return (nil, upstream) }
    let shift = x.rank - weight.rank
    let axes = x.shape.indices.filter { $0 < shift || weight.shape[$0 - shift] == 1 }
    let scaled = upstream * inverse.cast(to: type)
    guard !axes.isEmpty, x.count > 0 else {
      return (scaled * centered, upstream)
    }
    let group = ReductionGroup(
      source: center.product(x, scaled), companion: upstream, axes: axes)
    return (group.tensor(.sum), group.tensor(.companionSum))
  }

  private var centered: Tensor {
    checked { () throws(TensorError) in
      try x.cast(to: type).centered(at: rule.saved[1], call: "normalized")
    }
  }
}

extension Center {
  /// (x - mean) * g, in one instruction.
  fileprivate func product(_ x: Tensor, _ g: Tensor) -> Tensor {
    checked { () throws(TensorError) in
      try Tensor.elementwise(
        .centeredProduct, [x, high, low, g], in: g.dtype, result: g.dtype, call: "normalized")
    }
  }
}

/// The same formula from differentiable operations, for gradients of gradients.
func composedNormalizationGradients(
  _ rule: Backward, eps: Double, weight: Tensor?, ownAxes: [Int]?
) -> NormalizationGradients {
  let type = rule.saved[0].dtype == .float64 ? DType.float64 : .float32
  let x = rule.saved[0].cast(to: type)
  let upstream = rule.upstream.cast(to: type)
  let weighted = weight.map { upstream * $0.cast(to: type) } ?? upstream
  let normalized: Tensor
  let input: Tensor
  if let ownAxes, !ownAxes.isEmpty {
    let inverse = (x.variance(over: ownAxes, correction: 0, keepDims: true) + eps).rsqrt()
    normalized = (x - x.mean(over: ownAxes, keepDims: true)) * inverse
    let mean = weighted.mean(over: ownAxes, keepDims: true)
    let share = (weighted * normalized).mean(over: ownAxes, keepDims: true)
    input = (weighted - mean - normalized * share) * inverse
  } else {
    let inverse = (rule.saved[2] + eps).rsqrt().cast(to: type)
    normalized = (x - rule.saved[1].cast(to: type)) * inverse
    input = ownAxes == nil ? weighted * inverse : weighted * 0
  }
  return NormalizationGradients(
    input: rule.whenNeeded(0) { input }, weight: weight == nil ? nil : upstream * normalized,
    bias: upstream)
}
