import Foundation

/// Whether two groups of samples are of the same kind, by Hotelling's test: the distance of the
/// groups' means in units of the covariance of samples, so that small differences count that the
/// usual variation between samples hides in single channels.
///
/// - Source: Hotelling, "The Generalization of Student's Ratio" (1931); the normal approximation of
///   F is Paulson's (1942).
struct SampleComparison {
  /// The largest number of properties, of which each channel has two: the mean and the spread
  /// inside of a sample.
  private static let most = 64
  /// The least number of samples for each property.
  private static let samplesEach = 8

  /// By how many standard deviations of chance the groups are apart; nil with too few samples, or
  /// if they do not vary.
  static func distance(_ own: [SampleMoments], _ others: [SampleMoments]) -> Double? {
    let counts = (own + others).map { part in part.count.count { $0 > 0 } }
    let total = counts.reduce(0, +)
    guard let channels = own.first?.channels, total >= 2 * samplesEach else { return nil }
    let taken = max(1, min(channels, min(most, total / samplesEach) / 2))
    let chosen = (0..<taken).map { $0 * channels / taken }
    let (first, second) = (rows(own, chosen), rows(others, chosen))
    guard !first.isEmpty, !second.isEmpty else { return nil }
    let columns = standardized(first + second)
    guard !columns.isEmpty else { return nil }
    let (n, p) = (Double(total), columns.count)
    let share = Double(first.count) / n
    let gap = columns.map { column -> Double in
      let own = column.prefix(first.count).reduce(0, +) / Double(first.count)
      let other = column.dropFirst(first.count).reduce(0, +) / Double(second.count)
      return own - other
    }
    guard n > Double(p) + 1, let squared = squaredLength(gap, columns) else { return nil }
    // The share of the variation that lies between the groups.
    let between = min(share * (1 - share) * squared, 1 - 1e-12)
    let (a, b) = (2 / (9 * Double(p)), 2 / (9 * (n - Double(p) - 1)))
    let root = cbrt(between / (1 - between) * (n - Double(p) - 1) / Double(p))
    return ((1 - b) * root - (1 - a)) / (b * root * root + a).squareRoot()
  }

  /// The properties of each sample: means of channels, then spreads.
  private static func rows(_ parts: [SampleMoments], _ channels: [Int]) -> [[Double]] {
    var rows: [[Double]] = []
    for part in parts {
      for n in 0..<part.samples where part.count[n] > 0 {
        let indices = channels.map { n * part.channels + $0 }
        let means = indices.map { part.mean[$0] }
        let spreads = indices.map { (part.m2[$0] / part.count[n]).squareRoot() }
        rows.append(means + spreads)
      }
    }
    return rows
  }

  /// The columns that vary, with mean 0 and variance 1.
  private static func standardized(_ rows: [[Double]]) -> [[Double]] {
    (0..<(rows.first?.count ?? 0)).compactMap { c in
      let column = rows.map { $0[c] }
      let n = Double(column.count)
      let mean = column.reduce(0, +) / n
      let deviation = (column.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / n).squareRoot()
      guard deviation.isFinite, deviation > 1e-6 * abs(mean), deviation > 0 else { return nil }
      return column.map { ($0 - mean) / deviation }
    }
  }

  /// gᵀ S⁻¹ g with the covariance S of the columns, by Cholesky's decomposition S = L Lᵀ.
  private static func squaredLength(_ gap: [Double], _ columns: [[Double]]) -> Double? {
    let n = Double(columns.first?.count ?? 1)
    var lower = columns.map { _ in [Double](repeating: 0, count: columns.count) }
    var length = 0.0
    var solved: [Double] = []
    for i in columns.indices {
      for j in 0...i {
        var rest = zip(columns[i], columns[j]).reduce(0.0) { $0 + $1.0 * $1.1 } / n
        // Columns that nearly depend on each other get a little variance of their own.
        if i == j { rest += 1e-6 }
        for k in 0..<j { rest -= lower[i][k] * lower[j][k] }
        if i == j {
          guard rest > 0 else { return nil }
          lower[i][i] = rest.squareRoot()
        } else {
          lower[i][j] = rest / lower[j][j]
        }
      }
      var value = gap[i]
      for k in 0..<i { value -= lower[i][k] * solved[k] }
      solved.append(value / lower[i][i])
      length += solved[i] * solved[i]
    }
    return length
  }
}
