import NormaValues

extension Tensor {
  /// (x - mean) / √(variance + eps) * weight + bias with the input's own statistics over `axes`.
  ///
  /// From zero, the mean is 0 and the variance the mean square. A single operation for
  /// differentiation. `weight` and `bias` broadcast to the shape.
  package func normalized(
    over axes: [Int], from origin: NormalizationOrigin = .mean, eps: Double, weight: Tensor?,
    bias: Tensor?, call: String
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics) {
    try Tensor.requireEpsilon(eps, call)
    if let groups = NormalizedGroups(
      detached(), over: axes.sorted(), weight: weight?.detached(), bias: bias?.detached()),
      groups.runAtOnce,
      let (output, statistics) = groups.normalized(from: origin, eps: eps, over: axes.sorted())
    {
      let own = OwnStatistics(axes: axes.sorted(), origin: origin)
      let recorded = output.recordedNormalization(
        of: self, mean: statistics.mean, variance: statistics.variance, eps: eps, weight: weight,
        bias: bias, own: own, call: call)
      return (recorded, statistics)
    }
    let statistics = detached().normalizationStatistics(over: axes, from: origin)
    let own = OwnStatistics(axes: axes.sorted(), origin: origin)
    func output(_ x: Tensor, _ statistics: NormalizationStatistics) throws(TensorError) -> Tensor {
      try x.normalized(
        mean: statistics.mean, variance: statistics.variance, eps: eps, weight: weight, bias: bias,
        own: own, call: call)
    }
    if let scale = detached().scaleForNormalization(
      over: own.axes, variance: statistics.variance, isCentered: origin == .mean, eps: eps)
    {
      let scaled = self * scale
      let near = scaled.detached().normalizationStatistics(over: axes, from: origin)
      return (try output(scaled, near), statistics)
    }
    return (try output(self, statistics), statistics)
  }

  /// (x - mean) / √(variance + eps) * weight + bias, in one instruction.
  ///
  /// The mean is carried as two numbers of the computing type, so that data far from zero keep
  /// their digits: y = ((x - high) - low) * scale + shift, each step rounded once. Half types are
  /// computed in `float32` and rounded at the end. Mean and variance are constants for gradients
  /// unless they are the input's own.
  /// - Parameters: `mean` and `variance` (usually in `float64`), `weight` and `bias` have as many
  ///   axes as the input and broadcast to its shape.
  package func normalized(
    mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?,
    own: OwnStatistics? = nil, call: String
  ) throws(TensorError) -> Tensor {
    try Tensor.requireEpsilon(eps, call)
    let type = dtype == .float64 ? DType.float64 : .float32
    let stored =
      type == .float32
      ? NormalizationNumbers(
        stored: mean, variance: variance, eps: eps, weight: weight, bias: bias, of: shape) : nil
    let numbers =
      stored
      ?? NormalizationNumbers(
        mean: mean, variance: variance, eps: eps, weight: weight, bias: bias, of: shape, in: type)
    let output = try Tensor.elementwise(
      .normalize, [self, numbers.high, numbers.low, numbers.scale, numbers.shift], in: type,
      result: dtype, call: call)
    return output.recordedNormalization(
      of: self, mean: mean, variance: variance, eps: eps, weight: weight, bias: bias, own: own,
      call: call)
  }

  /// This result with the history of a normalization of `x`.
  func recordedNormalization(
    of x: Tensor, mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?,
    own: OwnStatistics?, mask: NormalizationMask? = nil, call: String
  ) -> Tensor {
    let inputs = [x] + [weight, bias].compactMap { $0 }
    if mask == nil {
      _ = noted(
        own.map {
          .normalization(
            axes: $0.axes, isCentered: $0.origin == .mean, eps: eps, hasWeight: weight != nil,
            hasBias: bias != nil)
        } ?? .givenNormalization(eps: eps, hasWeight: weight != nil, hasBias: bias != nil),
        own == nil ? [x, mean, variance] + inputs.dropFirst() : inputs)
    }
    guard Tensor.isRecorded(inputs) else { return self }
    let (hasWeight, hasBias, hasMask) = (weight != nil, bias != nil, mask != nil)
    let saving =
      [x, mean, variance] + (weight.map { [$0] } ?? []) + (mask.map { [$0.holds, $0.count] } ?? [])
    return recorded(call, from: inputs, saving: saving) { rule in
      let weight = hasWeight ? rule.saved[3] : nil
      let last = rule.saved.count - 1
      let mask =
        hasMask ? NormalizationMask(holds: rule.saved[last - 1], count: rule.saved[last]) : nil
      let gradients =
        rule.isRecording
        ? composedNormalizationGradients(rule, eps: eps, weight: weight, own: own, mask: mask)
        : NormalizedGroups.gradients(rule, eps: eps, weight: weight, own: own, mask: mask)
          ?? NormalizationGradient(rule, eps: eps, weight: weight, own: own, mask: mask).gradients
      return [gradients.input] + (hasWeight ? [gradients.weight] : [])
        + (hasBias ? [gradients.bias] : [])
    }
  }

  /// x - mean, in one instruction, with the mean as two numbers.
  func centered(at mean: Tensor, call: String) throws(TensorError) -> Tensor {
    let type = dtype == .float64 ? DType.float64 : .float32
    let center = Center(mean, in: type)
    return try Tensor.elementwise(
      .normalize,
      [
        self, center.high, center.low, .ones(mean.shape, dtype: type),
        .zeros(mean.shape, dtype: type),
      ],
      in: type, result: dtype, call: call)
  }

  /// Whether this weight is constant within each statistic: along the axes that were reduced.
  func isConstant(along statistic: Tensor) -> Bool {
    let shift = rank - statistic.rank
    return statistic.shape.indices.allSatisfy { axis in
      statistic.shape[axis] != 1 || axis + shift < 0 || shape[axis + shift] == 1
    }
  }
}
