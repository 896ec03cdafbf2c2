import NormaKernels

/// The statistics that a normalization takes from its input, pending, in `float64`.
///
/// Reduced axes have size 1. Their reductions run in one trip, or together with the normalization
/// where the slices of the kept axes stay in cache.
package struct NormalizationStatistics: Sendable {
  package let mean: Tensor
  /// The sum of squared distances from the mean.
  package let squares: Tensor
  /// How many values each statistic rests on.
  package let count: Int

  /// The biased variance, which normalizes.
  package var variance: Tensor { squares / Double(count) }

  /// The variance of an unbiased estimate, which running statistics follow.
  package var unbiasedVariance: Tensor { squares / Double(max(count - 1, 0)) }
}

extension Tensor {
  /// Mean and squared distances over `axes`, kept as axes of size 1.
  package func normalizationStatistics(over axes: [Int]) -> NormalizationStatistics {
    let group = node.group(of: self, over: axes.sorted())
    let count = group.countPerResult
    let squares = group.tensor(.squares)
    return NormalizationStatistics(
      mean: group.tensor(.sum) / Double(count), squares: squares, count: count)
  }

  /// (x - mean) / √(variance + eps) * weight + bias with the input's own statistics over `axes`.
  ///
  /// One operation to gradients. `weight` and `bias` broadcast to the shape.
  package func normalized(
    over axes: [Int], eps: Double, weight: Tensor?, bias: Tensor?, call: String
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics) {
    let statistics = detached().normalizationStatistics(over: axes)
    let output = try normalized(
      mean: statistics.mean, variance: statistics.variance, eps: eps, weight: weight, bias: bias,
      ownAxes: axes, call: call)
    return (output, statistics)
  }

  /// (x - mean) / √(variance + eps) * weight + bias, in one instruction.
  ///
  /// The mean is carried as two numbers of the computing type, so that data far from zero keep
  /// their digits: y = ((x - high) - low) * scale + shift, each step rounded once. Half types
  /// are computed in `float32` and rounded at the end. To gradients, mean and variance are
  /// constants unless they are the input's own over `ownAxes`.
  /// - Parameters: `mean` and `variance` (usually in `float64`), `weight` and `bias` broadcast to
  ///   the shape.
  package func normalized(
    mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?,
    ownAxes: [Int]? = nil, call: String
  ) throws(TensorError) -> Tensor {
    let type = dtype == .float64 ? DType.float64 : .float32
    let high = mean.cast(to: type)
    // Zeros of the mean's shape: what is one number for all channels would be spread in every tile.
    func zeros() -> Tensor {
      Tensor(shape: mean.shape, dtype: type) {
        $0.initializeMemory(as: UInt8.self, repeating: 0)
      }
    }
    // A mean of the computing type is whole, also where it is infinite.
    let low =
      mean.dtype == type ? zeros() : (mean - high.cast(to: .float64)).cast(to: type)
    var scale = (variance + eps).rsqrt()
    if let weight { scale = scale * weight.detached().cast(to: .float64) }
    let shift = bias?.detached().cast(to: type) ?? zeros()
    let output = try Tensor.elementwise(
      .normalize, [self, high, low, scale.cast(to: type), shift], in: type, result: dtype,
      call: call)
    let inputs = [self] + [weight, bias].compactMap { $0 }
    guard Tensor.isRecorded(inputs) else { return output }
    let hasWeight = weight != nil
    let saving = [self, mean, variance] + (weight.map { [$0] } ?? [])
    return output.recorded(call, from: inputs, saving: saving) { rule in
      let gradient = NormalizationGradient(
        rule, eps: eps, weight: hasWeight ? rule.saved[3] : nil, ownAxes: ownAxes)
      var result = [gradient.input]
      if hasWeight { result.append(rule.whenNeeded(1) { gradient.weightGradient }) }
      let place = result.count
      if place < inputs.count { result.append(rule.whenNeeded(place) { gradient.biasGradient }) }
      return result
    }
  }

  /// x - mean, in one instruction, with the mean as two numbers.
  func centered(at mean: Tensor, call: String) throws(TensorError) -> Tensor {
    let type = dtype == .float64 ? DType.float64 : .float32
    let high = mean.cast(to: type)
    let low = (mean - high.cast(to: .float64)).cast(to: type)
    return try Tensor.elementwise(
      .normalize,
      [self, high, low, .ones(mean.shape, dtype: type), .zeros(mean.shape, dtype: type)],
      in: type, result: dtype, call: call)
  }
}

/// The gradient of a normalization.
///
/// With g the upstream gradient, u = g weight, c = x - mean, r = 1 / √(variance + eps), and sums over
/// the n values of a statistic:
///
///     dx = r u - r³ c Σ(u c) / n - r Σ(u) / n        dweight = Σ(g c r)        dbias = Σ(g)
///
/// Both sums are taken in one trip, slice by slice with dx where slices stay in cache: then x and g
/// are read once. A weight that is one number to a statistic stays outside of the sums.
private struct NormalizationGradient {
  private let upstream: Tensor
  private let weight: Tensor?
  /// The axes of the statistics; nil where they are constants.
  private let axes: [Int]?
  private let x: Tensor
  private let centered: Tensor
  private let inverse: Tensor
  private let rule: Backward
  private let group: ReductionGroup?
  private let isWeightOutside: Bool

  init(_ rule: Backward, eps: Double, weight: Tensor?, ownAxes: [Int]?) {
    self.rule = rule
    axes = ownAxes
    self.weight = weight
    x = rule.saved[0]
    let type = x.dtype == .float64 ? DType.float64 : .float32
    upstream = rule.upstream.cast(to: type)
    let outside =
      weight.map { weight in
        let reduced = ownAxes ?? weight.shape.indices.filter { weight.shape[$0] == 1 }
        return reduced.allSatisfy { weight.shape[$0] == 1 }
      } ?? true
    isWeightOutside = outside
    if rule.isRecording, let ownAxes {
      let wide = x.cast(to: type)
      centered = wide - wide.mean(over: ownAxes, keepDims: true)
      inverse = (wide.variance(over: ownAxes, correction: 0, keepDims: true) + eps).rsqrt()
      group = nil
      return
    }
    inverse = (rule.saved[2] + eps).rsqrt()
    let x = x
    centered = checked { () throws(TensorError) in
      try (rule.isRecording ? x : x.detached()).cast(to: type)
        .centeredRecorded(at: rule.saved[1])
    }
    let reduced =
      ownAxes ?? weight.map { weight in
        weight.shape.indices.filter { weight.shape[$0] == 1 }
      } ?? []
    guard !rule.isRecording, !reduced.isEmpty, x.count > 0 else {
      group = nil
      return
    }
    var source = upstream
    if !outside, let weight { source = source * weight.detached().cast(to: type) }
    group = ReductionGroup(
      source: source, companion: source * centered, axes: reduced.sorted())
  }

  /// The upstream gradient times the weight.
  private var weighted: Tensor {
    weight.map { upstream * $0.cast(to: upstream.dtype) } ?? upstream
  }

  var input: Tensor? {
    rule.whenNeeded(0) {
      guard let axes else { return weighted * inverse.cast(to: upstream.dtype) }
      guard let group else {
        let u = weighted
        let normalized = centered * inverse
        let mean = u.mean(over: axes, keepDims: true)
        let share = (u * normalized).mean(over: axes, keepDims: true)
        return (u - mean - normalized * share) * inverse
      }
      let type = upstream.dtype
      let n = Double(group.countPerResult)
      let outside = isWeightOutside ? weight?.detached().cast(to: .float64) : nil
      let scale = outside.map { inverse * $0 } ?? inverse
      let shares = scale * inverse.squared() * group.tensor(.companionSum) / -n
      let shift = scale * group.tensor(.sum) / -n
      return group.source * scale.cast(to: type) + centered * shares.cast(to: type)
        + shift.cast(to: type)
    }
  }

  var weightGradient: Tensor {
    if let group, isWeightOutside { return group.tensor(.companionSum) * inverse }
    return upstream * (centered * inverse.cast(to: upstream.dtype))
  }

  var biasGradient: Tensor {
    if let group, isWeightOutside { return group.tensor(.sum) }
    return upstream
  }
}

extension Tensor {
  /// x less a constant mean.
  fileprivate func centeredRecorded(at mean: Tensor) throws(TensorError) -> Tensor {
    let shape = shape
    return try detached().centered(at: mean, call: "normalized")
      .recorded("normalized", from: [self]) { [$0.upstream.broadcast(to: shape)] }
  }
}
