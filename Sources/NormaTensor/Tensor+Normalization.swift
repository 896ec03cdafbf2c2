import NormaKernels

/// From where a normalization measures its input.
package enum NormalizationOrigin: Sendable {
  /// From the mean: batch, layer, group and instance norm.
  case mean
  /// From zero: root mean square norm.
  case zero
}

/// That a normalization's statistics are those of its input, and gradients go through them.
package struct OwnStatistics: Sendable {
  /// The reduced axes, from the front.
  let axes: [Int]
  let origin: NormalizationOrigin
}

/// The statistics that a normalization takes from its input, pending, in `float64`.
///
/// Reduced axes have size 1. Their reductions run in one trip, or together with the normalization
/// where the slices of the kept axes stay in cache.
package struct NormalizationStatistics: Sendable {
  package let mean: Tensor
  /// The sum of squared distances from the mean, or from zero where that is the origin.
  package let squares: Tensor
  /// How many values each statistic rests on.
  package let count: Int

  package init(mean: Tensor, squares: Tensor, count: Int) {
    (self.mean, self.squares, self.count) = (mean, squares, count)
  }

  /// The biased variance, which normalizes.
  package var variance: Tensor { squares / Double(count) }

  /// The variance of an unbiased estimate, which running statistics follow.
  package var unbiasedVariance: Tensor { squares / Double(max(count - 1, 0)) }
}

extension Tensor {
  /// Mean and squared distances over `axes`, kept as axes of size 1; from zero, the mean is zero.
  package func normalizationStatistics(
    over axes: [Int], from origin: NormalizationOrigin = .mean
  ) -> NormalizationStatistics {
    let axes = axes.sorted()
    if origin == .zero {
      if node.depth >= Program.depthLimit { evaluated() }
      let kept = Shape.reduced(shape, over: axes, keepDims: true)
      let zero = Center.zeros(kept, .float64)
      let group = ReductionGroup(
        source: detached(), companion: detached(),
        center: Tensor(node: zero.node, layout: zero.layout.broadcast(to: shape)), axes: axes)
      return NormalizationStatistics(
        mean: dtype == .float64 ? zero : Center.zeros(kept, .float32),
        squares: group.tensor(.centeredSum), count: group.countPerResult)
    }
    let group = node.group(of: self, over: axes)
    let count = group.countPerResult
    let squares = group.tensor(.squares)
    return NormalizationStatistics(
      mean: group.tensor(.sum) / Double(count), squares: squares, count: count)
  }

  /// (x - mean) / √(variance + eps) * weight + bias with the input's own statistics over `axes`.
  ///
  /// From zero the mean is 0 and the variance the mean square. One operation to gradients. `weight`
  /// and `bias` broadcast to the shape.
  package func normalized(
    over axes: [Int], from origin: NormalizationOrigin = .mean, eps: Double, weight: Tensor?,
    bias: Tensor?, call: String
  ) throws(TensorError) -> (output: Tensor, statistics: NormalizationStatistics) {
    let statistics = detached().normalizationStatistics(over: axes, from: origin)
    let output = try normalized(
      mean: statistics.mean, variance: statistics.variance, eps: eps, weight: weight, bias: bias,
      own: OwnStatistics(axes: axes.sorted(), origin: origin), call: call)
    return (output, statistics)
  }

  /// (x - mean) / √(variance + eps) * weight + bias, in one instruction.
  ///
  /// The mean is carried as two numbers of the computing type, so that data far from zero keep
  /// their digits: y = ((x - high) - low) * scale + shift, each step rounded once. Half types
  /// are computed in `float32` and rounded at the end. To gradients, mean and variance are
  /// constants unless they are the input's own.
  /// - Parameters: `mean` and `variance` (usually in `float64`), `weight` and `bias` have as many
  ///   axes as the input and broadcast to its shape.
  package func normalized(
    mean: Tensor, variance: Tensor, eps: Double, weight: Tensor?, bias: Tensor?,
    own: OwnStatistics? = nil, call: String
  ) throws(TensorError) -> Tensor {
    let type = dtype == .float64 ? DType.float64 : .float32
    let center = Center(mean, in: type)
    let inverse = (variance + eps).rsqrt()
    var scale = inverse.cast(to: type)
    if let weight = weight?.detached() {
      // A weight that changes along the reduced axes is multiplied within the trip over the input,
      // so that statistics may still run slice by slice with it.
      scale =
        weight.isConstant(along: mean)
        ? (inverse * weight.cast(to: .float64)).cast(to: type)
        : scale * weight.cast(to: type).broadcast(to: shape)
    }
    let shift = bias?.detached().cast(to: type) ?? Center.zeros(mean.shape, type)
    let output = try Tensor.elementwise(
      .normalize, [self, center.high, center.low, scale, shift], in: type, result: dtype,
      call: call)
    let inputs = [self] + [weight, bias].compactMap { $0 }
    guard Tensor.isRecorded(inputs) else { return output }
    let hasWeight = weight != nil
    let hasBias = bias != nil
    let saving = [self, mean, variance] + (weight.map { [$0] } ?? [])
    return output.recorded(call, from: inputs, saving: saving) { rule in
      let weight = hasWeight ? rule.saved[3] : nil
      let gradients =
        rule.isRecording
        ? composedNormalizationGradients(rule, eps: eps, weight: weight, own: own)
        : NormalizationGradient.ofRows(rule, eps: eps, weight: weight, own: own)
          ?? NormalizationGradient(rule, eps: eps, weight: weight, own: own).gradients
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

  /// Whether this weight is one number to a statistic: constant along the axes that it reduced.
  func isConstant(along statistic: Tensor) -> Bool {
    let shift = rank - statistic.rank
    return statistic.shape.indices.allSatisfy { axis in
      statistic.shape[axis] != 1 || axis + shift < 0 || shape[axis + shift] == 1
    }
  }
}

/// A mean as two numbers of the computing type, so that data far from zero keep their digits.
struct Center {
  let high: Tensor
  let low: Tensor

  init(_ mean: Tensor, in type: DType) {
    high = mean.cast(to: type)
    // A mean of the computing type is whole, also where it is infinite.
    low =
      mean.dtype == type
      ? Center.zeros(mean.shape, type) : (mean - high.cast(to: .float64)).cast(to: type)
  }

  /// Zeros of the mean's shape: what is one number for all channels would be spread in every tile.
  static func zeros(_ shape: [Int], _ type: DType) -> Tensor {
    Tensor(shape: shape, dtype: type) { $0.initializeMemory(as: UInt8.self, repeating: 0) }
  }
}
