import Foundation

/// The positions of values along one side of a chart, and its ticks.
struct ChartAxis {
  let low: Double
  let high: Double
  /// Whether equal ratios, rather than equal differences, have equal lengths.
  let isLogarithmic: Bool

  /// An axis for the finite values among these; only the positive ones if it is logarithmic.
  init(_ values: some Sequence<Double>, isLogarithmic: Bool = false, margin: Double = 0.04) {
    var (least, most) = (Double.infinity, -Double.infinity)
    for value in values where value.isFinite && (!isLogarithmic || value > 0) {
      (least, most) = (min(least, value), max(most, value))
    }
    self.isLogarithmic = isLogarithmic
    if least > most { (least, most) = isLogarithmic ? (0.1, 10) : (0, 1) }
    if isLogarithmic {
      // Whole powers of ten, or nearby values if the range is small.
      let (a, b) = (log10(least), log10(most))
      let pad = max((b - a) * margin, 0.05)
      (low, high) = (pow(10, max(a - pad, -323)), pow(10, min(b + pad, 308.2)))
    } else {
      var pad = (most / 2 - least / 2) * 2 * margin
      if !(pad > 0) { pad = max(abs(most) * 0.1, least == 0 ? 1 : 1e-300) }
      if least == most { pad = least == 0 ? 1 : abs(least) * 0.1 }
      let largest = Double.greatestFiniteMagnitude
      low = max(least - pad, -largest)
      high = min(most + pad, largest)
    }
  }

  /// An axis between two values.
  init(from low: Double, to high: Double) {
    (self.low, self.high, isLogarithmic) = (low, max(high, low.nextUp), false)
  }

  /// The position of a value along the axis, 0 to 1 inside it; nil if it has none.
  func fraction(_ value: Double) -> Double? {
    if !value.isFinite { return nil }
    if isLogarithmic {
      if value <= 0 { return nil }
      return (log(value) - log(low)) / (log(high) - log(low))
    }
    // Halves, because the difference of two numbers may overflow.
    let fraction = (value / 2 - low / 2) / (high / 2 - low / 2)
    return fraction.isFinite ? fraction : nil
  }

  /// About this many tick values, each with its text.
  func ticks(about wanted: Int = 5) -> [(value: Double, label: String)] {
    let values = isLogarithmic ? powers(about: wanted) : steps(about: wanted)
    var labels = values.map { short($0) }
    // Far from zero, three digits would all be equal.
    var digits = 4
    while Set(labels).count < labels.count && digits <= 17 {
      labels = values.map { text($0, digits: digits) }
      digits += 1
    }
    var seen: Set<String> = []
    return zip(values, labels).filter { seen.insert($0.1).inserted }
      .map { (value: $0.0, label: $0.1) }
  }

  private func steps(about wanted: Int) -> [Double] {
    let raw = (high / 2 - low / 2) / Double(max(wanted, 1)) * 2
    guard raw > 0, raw.isFinite else { return [low, high] }
    let power = pow(10, log10(raw).rounded(.down))
    let sizes = [0.5, 1, 2, 5, 10].map { $0 * power }
    let chosen = sizes.firstIndex { $0 >= raw } ?? sizes.count - 1
    // A single tick does not show the scale, and two hardly do.
    let values = steps(of: sizes[chosen])
    return values.count < 3 && chosen > 0 ? steps(of: sizes[chosen - 1]) : values
  }

  private func steps(of step: Double) -> [Double] {
    guard step > 0, step.isFinite else { return [low, high] }
    let first = (low / step).rounded(.up)
    let count = (high / step).rounded(.down) - first
    guard first.isFinite, count >= 0, count < 40, first + 1 > first else { return [low, high] }
    return (0...Int(count)).map {
      let value = (first + Double($0)) * step
      // 3 * 0.1 is 0.30000000000000004.
      return roundedTo(digits: 15, value)
    }
  }

  private func powers(about wanted: Int) -> [Double] {
    let (first, last) = (Int(log10(low).rounded(.up)), Int(log10(high).rounded(.down)))
    if last - first >= 1 {
      let step = max(1, Int((Double(last - first) / Double(max(wanted, 1))).rounded(.up)))
      return stride(from: first, through: last, by: step).map { Double("1e\($0)") ?? 0 }
    }
    // For less than two powers of ten: single digits between.
    let factors = log10(high / low) > 0.5 ? [1.0, 2, 5] : [1.0, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8]
    var values: [Double] = []
    for power in (first - 1)...(last + 1) {
      for factor in factors {
        let value = Double("\(factor)e\(power)") ?? 0
        if value >= low && value <= high { values.append(value) }
      }
    }
    return values.count >= 2 ? values : [low, high]
  }
}
