import NormaTensor

/// How the values of one tensor relate to another's, as text: common transformations of weights and
/// buffers between frameworks.
struct TensorRelation {
  /// A clause such as `the square root of the first`; empty if there is no known relation.
  let words: String

  /// Whether two lists are equal up to a few roundings of a unit.
  static func agree(_ a: [Double], _ b: [Double], unit: Double) -> Bool {
    guard a.count == b.count else { return false }
    // Values far below the largest have the rounding of half types in their subnormal range.
    let floor = unit > 0x1p-20 ? 0x1p-24 : 0
    for i in a.indices {
      if a[i] == b[i] || a[i].isNaN && b[i].isNaN { continue }
      guard a[i].isFinite, b[i].isFinite else { return false }
      let slack = 4 * unit * max(abs(a[i]), abs(b[i])) + floor
      if !(abs(a[i] - b[i]) <= slack) { return false }
    }
    return true
  }

  /// - Parameters:
  ///   - first: The values of the first.
  ///   - second: The same number of values of the second.
  ///   - shape: The first's shape.
  ///   - unit: The unit roundoff of the coarser type.
  ///   - eps: The layer's epsilon, which is sometimes folded into variances.
  init(_ first: [Double], _ second: [Double], shape: [Int], unit: Double, eps: Double = 0) {
    words = Self.found(first, second, shape, unit, eps) ?? ""
  }

  private static func found(
    _ a: [Double], _ b: [Double], _ shape: [Int], _ unit: Double, _ eps: Double
  ) -> String? {
    guard a.count == b.count, let start = b.first else { return nil }
    if let words = strange(a, b) { return words }
    guard (a + b).allSatisfy(\.isFinite) else { return nil }
    if b.allSatisfy({ $0 == start }) {
      // Values that were never loaded are the layer's initial values.
      return start == 0 || start == 1 ? "\(short(start)) everywhere, as in a new layer" : nil
    }
    // Constant values match any function.
    guard a.contains(where: { $0 != a[0] }) else { return nil }
    let unit = 8 * unit
    func fits(_ rule: (Double) -> Double) -> Bool { agree(a.map(rule), b, unit: unit) }
    let rules: [(String, (Double) -> Double)] = [
      ("the first with the other sign", { -$0 }),
      ("the square root of the first", { $0.squareRoot() }),
      ("the square of the first", { $0 * $0 }),
      ("1 divided by the first", { 1 / $0 }),
      ("1 divided by the square root of the first", { 1 / $0.squareRoot() }),
      ("the square root of the first + eps", { ($0 + eps).squareRoot() }),
      ("1 divided by the square root of the first + eps", { 1 / ($0 + eps).squareRoot() }),
      ("the first + 1", { $0 + 1 }), ("the first - 1", { $0 - 1 }),
      ("the first + eps", { $0 + eps }), ("the first - eps", { $0 - eps }),
    ]
    for (words, rule) in rules where fits(rule) { return words }
    if let factor = factor(a, b), fits({ $0 * factor }) {
      return "\(significant(factor)) times the first"
    }
    if let words = otherOrder(a, b, shape, unit) { return words }
    return nil
  }

  /// The least squares factor.
  static func factor(_ a: [Double], _ b: [Double]) -> Double? {
    let (product, square) = zip(a, b).reduce((0.0, 0.0)) {
      ($0.0 + $1.0 * $1.1, $0.1 + $1.0 * $1.0)
    }
    let factor = product / square
    return factor.isFinite && factor != 0 ? factor : nil
  }

  private static func strange(_ a: [Double], _ b: [Double]) -> String? {
    let infinite = zip(a, b).filter { $0.0.isFinite && $0.1.isInfinite }
    if infinite.isEmpty { return nil }
    let isHalf = infinite.allSatisfy { abs($0.0) > 65504 }
    return isHalf
      ? "infinite where the first is above 65504, the largest number of float16"
      : "infinite where the first is finite"
  }

  private static func otherOrder(
    _ a: [Double], _ b: [Double], _ shape: [Int], _ unit: Double
  ) -> String? {
    if agree(a.reversed(), b, unit: unit) { return "the first in reverse" }
    let wide = shape.filter { $0 > 1 }
    if wide.count == 2 {
      let transposed = Tensor(a, shape: wide).transposed(0, 1).array(of: Double.self)
      if agree(transposed, b, unit: unit) { return "the first transposed" }
    }
    return agree(a.sorted(), b.sorted(), unit: unit) ? "the first in another order" : nil
  }
}

/// A number with at most six significant digits.
func significant(_ value: Double) -> String {
  let rounded = roundedTo(digits: 6, value)
  return rounded == rounded.rounded() && abs(rounded) < 1e9 ? "\(Int(rounded))" : "\(rounded)"
}
