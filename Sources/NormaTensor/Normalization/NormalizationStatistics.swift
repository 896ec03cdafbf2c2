import CNormaLoops

/// The point from which a normalization measures its input.
package enum NormalizationOrigin: Sendable {
  /// The mean: batch, layer, group and instance norm.
  case mean
  /// Zero: root mean square norm.
  case zero
}

/// Indicates that a normalization's statistics are those of its input, so that gradients go through
/// them.
package struct OwnStatistics: Sendable {
  /// The reduced axes, from the front.
  let axes: [Int]
  let origin: NormalizationOrigin
}

/// The statistics that a normalization computes from its input, in `float64`.
///
/// Reduced axes have size 1. They are pending if they may run slice by slice with the
/// normalization, which then reads its input once; otherwise they are computed eagerly.
package struct NormalizationStatistics: Sendable {
  package let mean: Tensor
  /// The sum of squared distances from the mean, or from zero if that is the origin.
  package let squares: Tensor
  /// The biased variance, which normalizes.
  package let variance: Tensor
  /// The number of values of each statistic.
  package let count: Int

  /// Statistics of `count` values each; `squares / count` is the variance unless it is given.
  package init(mean: Tensor, squares: Tensor, count: Int, variance: Tensor? = nil) {
    (self.mean, self.squares, self.count) = (mean, squares, count)
    self.variance = variance ?? squares / Double(count)
  }

  /// The unbiased variance, which running statistics track.
  package var unbiasedVariance: Tensor { squares / Double(max(count - 1, 0)) }
}

extension Tensor {
  /// Mean and squared distances over `axes`, kept as axes of size 1; if measured from zero, the
  /// mean is zero.
  package func normalizationStatistics(
    over axes: [Int], from origin: NormalizationOrigin = .mean
  ) -> NormalizationStatistics {
    let axes = axes.sorted()
    let group = origin == .mean ? node.group(of: self, over: axes) : squareGroup(over: axes)
    let squares = group.tensor(origin == .mean ? .squares : .centeredSum)
    let sum = origin == .mean ? group.tensor(.sum) : nil
    // A mean that is given has the computing type.
    let given =
      origin == .zero
      ? Center.zeros(group.layout.shape, dtype == .float64 ? .float64 : .float32) : nil
    let n = Double(group.countPerResult)
    let isLarge = count > Limits.smallNormalization
    if count == 0 || isLarge && SlicedReductions.fits(layout, over: axes, dtype)
      || KernelRecorder.isOpen
    {
      return NormalizationStatistics(
        mean: given ?? group.tensor(.sum) / n, squares: squares, count: group.countPerResult)
    }
    // Running one of them runs both.
    let second = squares.node.materialize()
    let first = sum?.node.materialize() ?? second
    guard let pack = Pack(count: squares.count, of: 2, dtype: .float64) else {
      return NormalizationStatistics(
        mean: .poisoned, squares: .poisoned, count: group.countPerResult)
    }
    let out = pack.storage.base.assumingMemoryBound(to: Double.self)
    withExtendedLifetime((first, second)) {
      norma_mean_and_variance(
        Int64(squares.count), n, first.base.assumingMemoryBound(to: Double.self),
        second.base.assumingMemoryBound(to: Double.self), out, out + squares.count)
    }
    let tensors = pack.tensors(like: group.layout)
    return NormalizationStatistics(
      mean: given ?? tensors[0], squares: squares, count: group.countPerResult,
      variance: tensors[1])
  }

  /// The values paired with themselves, measured from zero: their squares.
  private func squareGroup(over axes: [Int]) -> ReductionGroup {
    if node.depth >= Limits.depthLimit { evaluated() }
    let zero = Center.zeros(Shape.reduced(shape, over: axes, keepDims: true), .float64)
    return ReductionGroup(
      source: detached(), companion: detached(),
      center: Tensor(node: zero.node, layout: zero.layout.broadcast(to: shape)),
      axes: axes)
  }
}
