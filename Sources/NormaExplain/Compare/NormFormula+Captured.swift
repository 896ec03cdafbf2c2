import NormaTensor

extension NormFormula {
  /// The formula of a captured layer for inputs of a shape.
  init(_ numbers: LayerNumbers, _ shape: [Int]) {
    func along(_ axes: [Int], _ values: [Double]?) -> Tensor? {
      values.map { Tensor($0, shape: shape.indices.map { axes.contains($0) ? shape[$0] : 1 }) }
    }
    switch numbers.reach {
    case .batch: reach = .channels
    case .instance(let axes): reach = .space(axes)
    case .groups(let groups): reach = .groups(groups)
    case .axes(let axes, let sizes): reach = .axes(axes, last: sizes.count)
    }
    eps = numbers.epsilon
    subtractsMean = numbers.subtractsMean
    usesInput = numbers.usesBatch
    runningMean = numbers.runningMean
    runningVariance = numbers.runningVariance
    hasUpdates = false
    let axes: [Int]
    switch reach {
    case .channels, .groups: axes = [1]
    case .space(let space): axes = [shape.count - space - 1]
    case .axes: axes = Self.axes(reach, shape.count)
    }
    weight = along(axes, numbers.weight)
    bias = along(axes, numbers.bias)
  }

  /// A bound for the effect of a few roundings on each result for a `float64` input: those of the
  /// input and of the mean, scaled by the slope, of the result and of the bias.
  func rounding(_ x: Tensor, _ y: Tensor, unit: Double) -> Tensor {
    let center: Tensor
    let variance: Tensor
    if usesInput || runningMean == nil {
      let (seen, mean, square) = own(x)
      center = mean.broadcast(to: seen.shape).reshaped(x.shape)
      variance = square.broadcast(to: seen.shape).reshaped(x.shape)
    } else {
      center = Tensor(runningMean ?? [], dtype: .float64).reshaped(channelShape(x))
      variance = Tensor(runningVariance ?? [], dtype: .float64).reshaped(channelShape(x))
    }
    var slope = Tensor(1, dtype: .float64) / (variance + eps).sqrt()
    if let weight { slope = slope * weight.abs() }
    var bound = y.abs() + slope * (x.abs() + center.abs())
    if let bias { bound = bound + bias.abs() }
    // Half types may round at every step of the formula; sums in `float32` lose a few more digits.
    return (bound * ((unit > 0x1p-20 ? 16 : 64) * unit)).evaluated()
  }
}

extension CapturedLayer {
  /// The possible formulas of the layer for its captured input, most likely first.
  ///
  /// A custom class has no known formula; what its name suggests is tried, and is used if it
  /// reproduces the captured output.
  func candidates(for x: Tensor) -> [LayerNumbers] {
    if let known = comparedNumbers(for: x) { return [known] }
    guard kind == "custom" else { return [] }
    let name = className.split(separator: ".").last.map(String.init)?.lowercased() ?? ""
    var guesses: [CapturedLayer] = []
    if name.contains("rms") || name.contains("t5layernorm") { guesses.append(with("RMSNorm")) }
    if name.contains("layer") { guesses.append(with("LayerNorm")) }
    if name.contains("group") { guesses.append(with("GroupNorm")) }
    if name.contains("batch") { guesses.append(with("BatchNorm2d")) }
    if name.contains("instance") { guesses.append(with("InstanceNorm2d")) }
    return guesses.compactMap { $0.comparedNumbers(for: x) }
  }

  private func with(_ kind: String) -> CapturedLayer {
    var layer = self
    layer.kind = kind
    layer.options.epsilon = epsilon
    if layer.options.groups == nil {
      layer.options.groups = options.texts["groups"].flatMap { Int($0) }
    }
    if layer.options.features == nil { layer.options.features = weight?.count }
    return layer
  }

  /// The layer's formula for its captured input, even if it uses that input's statistics.
  private func comparedNumbers(for x: Tensor) -> LayerNumbers? {
    let isInstance = kind.hasPrefix("InstanceNorm")
    guard isBatchNorm || isInstance || kind.hasPrefix("FrozenBatchNorm"), x.rank >= 2 else {
      return numbers(for: x)
    }
    let fits = { (tensor: Tensor?) in tensor.map { $0.count == x.shape[1] } ?? true }
    guard [weight, bias, runningMean, runningVariance].allSatisfy(fits),
      !isInstance || x.rank >= 3, (runningMean == nil) == (runningVariance == nil)
    else { return numbers(for: x) }
    return LayerNumbers(
      name: kind, reach: isInstance ? .instance(axes: x.rank - 2) : .batch, features: x.shape[1],
      epsilon: epsilon ?? 1e-5,
      weight: weight?.array(of: Double.self), bias: bias?.array(of: Double.self),
      runningMean: runningMean?.array(of: Double.self),
      runningVariance: runningVariance?.array(of: Double.self), isTraining: false)
  }
}
