/// Batch norm of `[N, C, ...]` by its definition.
///
/// y = (x - mean) / sqrt(variance + eps) * weight + bias, with one mean and variance per channel.
/// Running statistics move by `momentum` (nil: the plain average over `batches` calls) and use the
/// variance with n - 1.
package struct ReferenceBatchNorm: Equatable, Sendable {
  package var weight: [Double]?
  package var bias: [Double]?
  package var runningMean: [Double]?
  package var runningVariance: [Double]?
  package var batches = 0
  package var momentum: Double? = 0.1
  package var eps = 1e-5

  package init(
    weight: [Double]? = nil, bias: [Double]? = nil, runningMean: [Double]? = nil,
    runningVariance: [Double]? = nil
  ) {
    self.weight = weight
    self.bias = bias
    self.runningMean = runningMean
    self.runningVariance = runningVariance
  }

  /// Normalizes by the statistics of the batch and updates the running statistics.
  package mutating func trainingForward(_ x: ReferenceTensor) -> ReferenceTensor {
    let moments = channels(of: x).map(ReferenceMoments.init)
    batches += 1
    let step = momentum ?? 1 / Double(batches)
    runningMean = runningMean.map { old in
      zip(old, moments).map { (1 - step) * $0 + step * $1.mean }
    }
    runningVariance = runningVariance.map { old in
      zip(old, moments).map { (1 - step) * $0 + step * $1.variance(1) }
    }
    return normalized(x, mean: moments.map(\.mean), variance: moments.map { $0.variance(0) })
  }

  /// Normalizes by the running statistics, or by the batch's when there are none.
  package func evaluationForward(_ x: ReferenceTensor) -> ReferenceTensor {
    let moments = channels(of: x).map(ReferenceMoments.init)
    return normalized(
      x, mean: runningMean ?? moments.map(\.mean),
      variance: runningVariance ?? moments.map { $0.variance(0) })
  }

  private func channels(of x: ReferenceTensor) -> [[Double]] {
    (0..<x.shape[1]).map { x.sliced(1, from: $0, to: $0 + 1).values }
  }

  private func normalized(
    _ x: ReferenceTensor, mean: [Double], variance: [Double]
  ) -> ReferenceTensor {
    ReferenceTensor(shape: x.shape) { index in
      let channel = index[1]
      let y = (x[index] - mean[channel]) / (variance[channel] + eps).squareRoot()
      return y * (weight?[channel] ?? 1) + (bias?[channel] ?? 0)
    }
  }
}
