extension LayerEvidence {
  /// The largest number of channels that are considered together.
  private static let mostChannels = 64

  /// The position of the running means among the means of the batch's samples: the mean, over all
  /// directions, of the squared distance in standard deviations of the samples. For statistics of
  /// other data of the same kind it is well below 1; for those of other weights it can be anything.
  /// nil for few samples.
  var distanceAmongSamples: Double? {
    let size = min(moments.channels, Self.mostChannels)
    let filled = (0..<moments.samples).filter { moments.count[$0] > 0 }
    guard size >= 2, filled.count >= 32 else { return nil }
    let scales = (0..<size).map { square($0).squareRoot() }
    var covariance = [Double](repeating: 0, count: size * size)
    for n in filled {
      let row = (0..<size).map { (moments.mean[n * moments.channels + $0] - mean[$0]) / scales[$0] }
      for a in 0..<size {
        for b in 0...a { covariance[a * size + b] += row[a] * row[b] / Double(filled.count - 1) }
      }
    }
    let largest = (0..<size).map { covariance[$0 * size + $0] }.max() ?? 0
    guard largest > 0, largest.isFinite else { return nil }
    // Limits the weight of directions in which samples hardly differ.
    for a in 0..<size { covariance[a * size + a] += 1e-3 * largest }
    // Cholesky's factor L, and the solution of L z = shift.
    var distance = 0.0
    var solved: [Double] = []
    for a in 0..<size {
      for b in 0...a {
        var sum = covariance[a * size + b]
        for c in 0..<b { sum -= covariance[a * size + c] * covariance[b * size + c] }
        if a == b && sum <= 0 { return nil }
        covariance[a * size + b] = a == b ? sum.squareRoot() : sum / covariance[b * size + b]
      }
      var rest = (runningMean[a] - mean[a]) / scales[a]
      for c in 0..<a { rest -= covariance[a * size + c] * solved[c] }
      solved.append(rest / covariance[a * size + a])
      distance += solved[a] * solved[a]
    }
    return distance / Double(size)
  }
}
