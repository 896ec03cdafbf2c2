/// What all channels of a layer show together. One channel's variance may be off by chance where
/// the mean over all channels is not, as chance moves channels in different directions.
extension LayerEvidence {
  /// The mean, over the channels, of the ratios of running to batch standard deviations, as a
  /// logarithm and as a multiple of chance; nil for few samples.
  var commonScale: (logarithm: Double, multiple: Double)? {
    let filled = (0..<moments.samples).filter { moments.count[$0] > 0 }
    guard filled.count >= 16, count > 1 else { return nil }
    // For every sample: its effect on all variances, relative to those of the batch.
    let sizes = filled.map { n in
      channels.reduce(0.0) { sum, c in
        let index = n * moments.channels + c
        let distance = moments.mean[index] - mean[c]
        return sum + (moments.m2[index] / moments.count[n] + distance * distance) / square(c)
      } / Double(max(mean.count, 1))
    }
    let middle = sizes.reduce(0, +) / Double(sizes.count)
    let squares = sizes.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
    // Half, because the logarithm is that of a square root.
    let error = (squares / Double(sizes.count - 1) * chanceShare).squareRoot() / 2
    let logarithm = logRatios.reduce(0, +) / Double(max(mean.count, 1))
    guard error > 0, logarithm.isFinite, error.isFinite else { return nil }
    return (logarithm, logarithm / error)
  }

  /// The factor by which this batch spreads wider than the running statistics say, if it is the
  /// same in all channels; nil if channels differ, or the factor is near 1.
  ///
  /// After linear layers, other weights change every channel by a different factor. Inputs of
  /// another scale change all by the same: over hundreds of networks nothing else did.
  var uniformScale: Double? { uniformScale(within: 0.25) }

  /// The same for channels that spread around the factor by no more than a given share, as
  /// logarithms.
  func uniformScale(within share: Double) -> Double? {
    let ratios = channels.compactMap { c in
      variance[c] > 0 && runningVariance[c] > 0
        ? logarithm(runningVariance[c] / variance[c]) / 2 : nil
    }
    guard ratios.count == mean.count, ratios.count >= 4, let middle = median(ratios),
      abs(middle) > 0.25
    else { return nil }
    let squares = ratios.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
    let spread = (squares / Double(ratios.count)).squareRoot()
    return spread < share * abs(middle) ? exponential(-middle) : nil
  }

  /// Whether the running means are this batch's with the opposite sign, as for negated inputs.
  var isNegated: Bool {
    let (product, square) = channels.reduce((0.0, 0.0)) { sums, c in
      (
        sums.0 + runningMean[c] * mean[c] / self.square(c),
        sums.1 + mean[c] * mean[c] / self.square(c)
      )
    }
    guard square > 0, meanMultiple > 2.5, mean.count >= 4 else { return false }
    let factor = product / square
    let left = channels.reduce(0.0) { sum, c in
      let rest = runningMean[c] - factor * mean[c]
      return sum + rest * rest / self.square(c)
    }
    return (-1.25 ... -0.8).contains(factor) && left < 0.1 * meanGap * Double(mean.count)
  }
}
