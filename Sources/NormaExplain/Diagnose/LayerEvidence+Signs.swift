import Foundation

/// Signs that distinguish causes: whether means or variances changed, and along which directions.
extension LayerEvidence {
  /// The mean square, over the channels, of the distances of the means, in standard deviations.
  func meanDistance(_ other: [Double]) -> Double {
    average { c in
      let shift = other[c] - mean[c]
      return shift * shift / square(c)
    }
  }

  /// The mean square of the changes of scale, as logarithms.
  func varianceDistance(_ other: [Double]) -> Double {
    average { c in
      let ratio = logRatio(c, other[c])
      return ratio * ratio * variance[c] / square(c)
    }
  }

  var meanGap: Double { meanDistance(runningMean) }
  var varianceGap: Double { varianceDistance(runningVariance) }
  var chanceOfMeans: Double { average { chanceShare * spread.mean[$0] / square($0) } }
  var chanceOfVariances: Double {
    average { chanceShare * spread.square[$0] / (4 * square($0) * square($0)) }
  }

  /// The gap as a multiple of chance, in standard deviations.
  var multiple: Double { (gap / max(expectedGap, 1e-300)).squareRoot() }
  var meanMultiple: Double { (meanGap / max(chanceOfMeans, 1e-300)).squareRoot() }
  var varianceMultiple: Double { (varianceGap / max(chanceOfVariances, 1e-300)).squareRoot() }

  /// The ratio of the variances' distance to the means', each as a multiple of chance.
  var varianceOverMean: Double { varianceMultiple / max(meanMultiple, 1e-6) }

  /// The logarithm of the ratio of a standard deviation to the batch's.
  func logRatio(_ channel: Int, _ otherVariance: Double) -> Double {
    log((max(otherVariance, 0) + eps) / square(channel)) / 2
  }

  var logRatios: [Double] { channels.map { logRatio($0, runningVariance[$0]) } }

  /// How well the running standard deviations match those of the batch up to a common factor: its
  /// logarithm, and how much channels deviate from it.
  var commonRatio: (middle: Double, spread: Double) {
    let ratios = logRatios
    let middle = median(ratios) ?? 0
    let squares = ratios.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
    return (middle, (squares / Double(max(ratios.count, 1))).squareRoot())
  }

  private func average(_ value: (Int) -> Double) -> Double {
    channels.reduce(0) { $0 + value($1) } / Double(max(mean.count, 1))
  }

  // MARK: Correlation over the channels

  /// The correlation of running and batch means over the channels: 1 for the same weights, about 0
  /// for others.
  var meanCorrelation: Double { Self.correlation(runningMean, mean) }

  /// The same for the logarithms of variances.
  var varianceCorrelation: Double {
    Self.correlation(
      runningVariance.map { log(max($0, 0) + eps) }, variance.map { log($0 + eps) })
  }

  /// The correlation that unrelated numbers reach one time in three.
  var chanceOfCorrelation: Double { 1 / Double(max(mean.count - 1, 1)).squareRoot() }

  /// Whether neither means nor variances correlate with the batch's.
  var isUnrelated: Bool {
    let bound = max(0.5, 2 * chanceOfCorrelation)
    return mean.count >= 6 && abs(meanCorrelation) < bound && abs(varianceCorrelation) < bound
  }

  static func correlation(_ a: [Double], _ b: [Double]) -> Double {
    let count = Double(max(a.count, 1))
    let (meanA, meanB) = (a.reduce(0, +) / count, b.reduce(0, +) / count)
    var (product, squareA, squareB) = (0.0, 0.0, 0.0)
    for (x, y) in zip(a, b) {
      product += (x - meanA) * (y - meanB)
      squareA += (x - meanA) * (x - meanA)
      squareB += (y - meanB) * (y - meanB)
    }
    let scale = (squareA * squareB).squareRoot()
    return scale > 0 && product.isFinite ? product / scale : 0
  }

  // MARK: Directions in which samples differ

  /// The part of the shift of means that lies along the few directions in which the batch's samples
  /// differ most, and the number of these directions; nil if they are not few.
  ///
  /// Other data move the first layer's means in the way samples differ from each other: brighter,
  /// or with more contrast. Other weights move them anywhere.
  var shiftAlongSamples: (share: Double, directions: Int)? {
    let (samples, channels) = (moments.samples, moments.channels)
    guard samples >= 8, channels >= 4 else { return nil }
    let scales = self.channels.map { square($0).squareRoot() }
    var rows = [Double](repeating: 0, count: samples * channels)
    for n in 0..<samples where moments.count[n] > 0 {
      for c in 0..<channels {
        let index = n * channels + c
        rows[index] = (moments.mean[index] - mean[c]) / scales[c]
      }
    }
    var shift = self.channels.map { (runningMean[$0] - mean[$0]) / scales[$0] }
    let whole = shift.reduce(0) { $0 + $1 * $1 }
    let variation = rows.reduce(0) { $0 + $1 * $1 }
    guard whole > 0, variation > 0, whole.isFinite, variation.isFinite else { return nil }
    var left = variation
    for number in 1...min(8, channels / 2) {
      let direction = Self.mainDirection(rows, samples, channels)
      var along = 0.0
      for c in 0..<channels { along += direction[c] * shift[c] }
      for c in 0..<channels { shift[c] -= along * direction[c] }
      for n in 0..<samples {
        var part = 0.0
        for c in 0..<channels { part += rows[n * channels + c] * direction[c] }
        for c in 0..<channels { rows[n * channels + c] -= part * direction[c] }
        left -= part * part
      }
      if left < 0.01 * variation {
        let rest = shift.reduce(0) { $0 + $1 * $1 }
        return (1 - rest / whole, number)
      }
    }
    return nil
  }

  /// The unit vector along which rows vary most, by power iteration.
  private static func mainDirection(
    _ rows: [Double], _ samples: Int, _ channels: Int
  ) -> [Double] {
    // The longest row is unlikely to be orthogonal to it.
    let lengths = (0..<samples).map { n in
      (0..<channels).reduce(0.0) { $0 + rows[n * channels + $1] * rows[n * channels + $1] }
    }
    let longest = lengths.indices.max { lengths[$0] < lengths[$1] } ?? 0
    var direction = Array(rows[longest * channels..<(longest + 1) * channels])
    for _ in 0..<40 {
      var next = [Double](repeating: 0, count: channels)
      for n in 0..<samples {
        var part = 0.0
        for c in 0..<channels { part += rows[n * channels + c] * direction[c] }
        for c in 0..<channels { next[c] += part * rows[n * channels + c] }
      }
      let length = next.reduce(0) { $0 + $1 * $1 }.squareRoot()
      if length == 0 { break }
      direction = next.map { $0 / length }
    }
    let length = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 ? direction.map { $0 / length } : direction
  }
}

/// e to the power of a logarithm.
func exponential(_ logarithm: Double) -> Double { exp(logarithm) }

/// The natural logarithm.
func logarithm(_ value: Double) -> Double { log(value) }
