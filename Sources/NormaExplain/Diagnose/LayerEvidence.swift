import Foundation
import NormaNN

/// The statistics of one batch norm compared with what it sees of the batch.
struct LayerEvidence {
  let layer: CapturedLayer
  let eps: Double
  /// nil if unknown.
  let momentum: Momentum?
  let tracked: Int
  let runningMean: [Double]
  let runningVariance: [Double]
  let weight: [Double]
  let bias: [Double]
  let moments: SampleMoments
  /// The number of values per channel in the batch.
  let count: Double
  let mean: [Double]
  /// Divided by n - 1.
  let variance: [Double]
  /// The differences between samples: see ``SampleMoments/spread``.
  let spread: (mean: [Double], square: [Double])

  /// nil for a layer without running statistics, or one that the batch did not reach.
  init?(_ layer: CapturedLayer, _ moments: SampleMoments? = nil) {
    guard layer.isBatchNorm, let moments = moments ?? layer.batch, moments.samples > 0,
      let runningMean = layer.runningMean, let runningVariance = layer.runningVariance,
      runningMean.count == moments.channels, runningVariance.count == moments.channels
    else { return nil }
    self.layer = layer
    self.moments = moments
    eps = layer.options.epsilon ?? 1e-5
    momentum = layer.options.momentum
    tracked = layer.batchesTracked ?? 0
    self.runningMean = runningMean.array(of: Double.self)
    self.runningVariance = runningVariance.array(of: Double.self)
    weight = layer.weight?.array(of: Double.self) ?? Array(repeating: 1, count: moments.channels)
    bias = layer.bias?.array(of: Double.self) ?? Array(repeating: 0, count: moments.channels)
    let total = moments.total
    count = total.count.first ?? 0
    mean = total.mean
    variance = total.variance(correction: count > 1 ? 1 : 0)
    spread = moments.spread(about: total)
  }

  var name: String { layer.title }
  /// The layer's identity.
  var id: String { layer.name }
  var sampleCount: Int { moments.samples }
  /// Divided by n.
  var biasedVariance: [Double] { variance.map { count > 1 ? $0 * (count - 1) / count : $0 } }

  var channels: Range<Int> { 0..<mean.count }

  /// The unit for means: the square of the layer's divisor.
  func square(_ channel: Int) -> Double { variance[channel] + eps }

  /// The distance of other statistics from the batch's: the mean square, over the channels, of
  /// their effect on a result whose standard deviation is 1.
  func distance(mean otherMean: [Double], variance otherVariance: [Double]) -> Double {
    var sum = 0.0
    for c in channels { sum += change(c, otherMean[c], otherVariance[c]) }
    return sum / Double(max(mean.count, 1))
  }

  /// The square of the shift, plus that of the change of scale as a logarithm; the scale of a
  /// channel that hardly varies compared with epsilon hardly matters.
  func change(_ channel: Int, _ otherMean: Double, _ otherVariance: Double) -> Double {
    let shift = otherMean - mean[channel]
    let ratio = log((max(otherVariance, 0) + eps) / square(channel)) / 2
    return (shift * shift + ratio * ratio * variance[channel]) / square(channel)
  }

  /// The distance of the running statistics from the batch's.
  var gap: Double { distance(mean: runningMean, variance: runningVariance) }

  /// The distance by chance for statistics that have `share` of the samples' spread: 1 / n for n
  /// samples.
  func chance(_ share: Double) -> Double {
    var sum = 0.0
    for c in channels {
      let square = square(c)
      sum += share * (spread.mean[c] / square + spread.square[c] / (4 * square * square))
    }
    return sum / Double(max(mean.count, 1))
  }

  /// The distance by chance for a batch of this many samples, and running statistics of batches of
  /// 32.
  var expectedGap: Double { chance(chanceShare) }

  /// 1 / n for the samples of the batch, plus a share for running statistics of batches of 32.
  var chanceShare: Double { 1 / Double(max(sampleCount, 1)) + 0.003 }

  /// Whether the gap is more than chance and large enough to matter, in all channels together or in
  /// one of them.
  var isOff: Bool {
    // A single value has no variance.
    if count < 2 { return false }
    let chance = expectedGap
    if !gap.isFinite { return true }
    if gap > 4 * chance && gap - chance > 0.04 { return true }
    return channels.contains { c in
      let change = change(c, runningMean[c], runningVariance[c])
      return change > 1 && change > 25 * self.chance(of: c)
    }
  }

  /// The distance of one channel by chance.
  func chance(of channel: Int) -> Double {
    let square = square(channel)
    return chanceShare
      * (spread.mean[channel] / square + spread.square[channel] / (4 * square * square))
  }

  /// Whether running statistics have their initial values.
  var isInitial: Bool {
    runningMean.allSatisfy { $0 == 0 } && runningVariance.allSatisfy { $0 == 1 }
  }

  /// The share of the initial values, mean 0 and variance 1, that best explains the running
  /// statistics as a mixture with the batch's, and the remaining distance.
  var initialShare: (share: Double, rest: Double) {
    var (products, squares) = (0.0, 0.0)
    for c in channels {
      let scale = square(c)
      // Both as relative errors: what the batch lacks, and the effect of the initial values.
      let meanWay = -mean[c] / scale.squareRoot()
      let varianceWay = (1 - variance[c]) / scale
      products += meanWay * (runningMean[c] - mean[c]) / scale.squareRoot()
      products += varianceWay * (runningVariance[c] - variance[c]) / scale
      squares += meanWay * meanWay + varianceWay * varianceWay
    }
    let share = squares > 0 ? min(max(products / squares, 0), 1) : 0
    let left = channels.reduce(0.0) { sum, c in
      let expected = ((1 - share) * mean[c], (1 - share) * variance[c] + share)
      let shift = runningMean[c] - expected.0
      let ratio = log((max(runningVariance[c], 0) + eps) / (expected.1 + eps)) / 2
      return sum + shift * shift / square(c) + ratio * ratio
    }
    return (share, left / Double(max(mean.count, 1)))
  }

  /// The gap as reported to users.
  func diagnosis(effect: Double?) -> LayerDiagnosis {
    LayerDiagnosis(
      name: layer.name, kind: layer.kind, count: count, batchesTracked: layer.batchesTracked,
      channels: channels.map { c in
        ChannelDiagnosis(
          mean: mean[c], variance: variance[c], runningMean: runningMean[c],
          runningVariance: runningVariance[c],
          shift: (runningMean[c] - mean[c]) / square(c).squareRoot(),
          varianceRatio: (runningVariance[c] + eps) / square(c),
          standardErrorOfMean: (spread.mean[c] / Double(max(sampleCount, 1))).squareRoot(),
          standardErrorOfVariance: (spread.square[c] / Double(max(sampleCount, 1)))
            .squareRoot())
      },
      gap: gap.squareRoot(), expectedGap: expectedGap.squareRoot(), isOff: isOff, effect: effect)
  }
}
