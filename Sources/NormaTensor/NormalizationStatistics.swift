import CNormaLoops
import NormaKernels

/// The statistics that a normalization takes from its input, in `float64`.
///
/// Reduced axes have size 1. They are pending where they may run slice by slice with the
/// normalization, which then reads its input once; elsewhere they are taken at once.
package struct NormalizationStatistics: Sendable {
  package let mean: Tensor
  /// The sum of squared distances from the mean.
  package let squares: Tensor
  /// The biased variance, which normalizes.
  package let variance: Tensor
  /// How many values each statistic rests on.
  package let count: Int

  /// The variance of an unbiased estimate, which running statistics follow.
  package var unbiasedVariance: Tensor { squares / Double(max(count - 1, 0)) }
}

extension Tensor {
  /// Mean and squared distances over `axes`, kept as axes of size 1.
  package func normalizationStatistics(over axes: [Int]) -> NormalizationStatistics {
    let group = node.group(of: self, over: axes.sorted())
    let count = group.countPerResult
    let (sum, squares) = (group.tensor(.sum), group.tensor(.squares))
    let isLarge = self.count > Tensor.smallNormalization
    if self.count == 0 || isLarge && SlicedReductions.fits(layout, over: group.axes, dtype) {
      return NormalizationStatistics(
        mean: sum / Double(count), squares: squares, variance: squares / Double(count),
        count: count)
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

  /// Inputs of so many elements stay in cache anyway; running their statistics at once saves more
  /// than a second trip over them costs.
  private static let smallNormalization = 1 << 16
}
