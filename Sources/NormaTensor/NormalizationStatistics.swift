import CNormaLoops
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

/// The statistics that a normalization takes from its input, in `float64`.
///
/// Reduced axes have size 1. They are pending where they may run slice by slice with the
/// normalization, which then reads its input once; elsewhere they are taken at once.
package struct NormalizationStatistics: Sendable {
  package let mean: Tensor
  /// The sum of squared distances from the mean, or from zero where that is the origin.
  package let squares: Tensor
  /// The biased variance, which normalizes.
  package let variance: Tensor
  /// How many values each statistic rests on.
  package let count: Int

  /// Statistics that are known.
  package init(mean: Tensor, squares: Tensor, variance: Tensor? = nil, count: Int) {
    (self.mean, self.squares, self.count) = (mean, squares, count)
    self.variance = variance ?? squares / Double(count)
  }

  /// The variance of an unbiased estimate, which running statistics follow.
  package var unbiasedVariance: Tensor { squares / Double(max(count - 1, 0)) }
}

extension Tensor {
  /// Mean and squared distances over `axes`, kept as axes of size 1; from zero, the mean is zero.
  package func normalizationStatistics(
    over axes: [Int], from origin: NormalizationOrigin = .mean
  ) -> NormalizationStatistics {
    let axes = axes.sorted()
    if origin == .zero { return statisticsFromZero(over: axes) }
    let group = node.group(of: self, over: axes)
    let count = group.countPerResult
    let (sum, squares) = (group.tensor(.sum), group.tensor(.squares))
    let isLarge = self.count > Tensor.smallNormalization
    if self.count == 0 || isLarge && SlicedReductions.fits(layout, over: group.axes, dtype) {
      return NormalizationStatistics(
        mean: sum / Double(count), squares: squares, count: count)
    }
    // Running one of them runs both.
    let storages = (sum.node.materialize(), squares.node.materialize())
    let pack = Pack(count: sum.count, of: 2, dtype: .float64)
    let out = pack.storage.base.assumingMemoryBound(to: Double.self)
    withExtendedLifetime(storages) {
      norma_mean_and_variance(
        Int64(sum.count), Double(count), storages.0.base.assumingMemoryBound(to: Double.self),
        storages.1.base.assumingMemoryBound(to: Double.self), out, out + sum.count)
    }
    let tensors = pack.tensors(like: group.layout)
    return NormalizationStatistics(
      mean: tensors[0], squares: squares, variance: tensors[1], count: count)
  }

  /// Squares about zero, pending: the sum of x beside itself.
  private func statisticsFromZero(over axes: [Int]) -> NormalizationStatistics {
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

  /// Inputs of so many elements stay in cache anyway; running their statistics at once saves more
  /// than a second trip over them costs.
  private static let smallNormalization = 1 << 16
}
