// Roots of sums of powers whose terms exceed the range of `float64`: squares of 1e200 are infinite
// and those of 1e-200 are 0, while the root of their sum is neither. The same holds for the mean of
// numbers whose sum is infinite. Such results are recomputed from values that are scaled by a power
// of two; the others keep their bits, and cost one check per result.

extension Tensor {
  /// These new roots of sums of powers, with those recomputed whose powers lose digits.
  ///
  /// - Parameters:
  ///   - source: `float64` values, which have been reduced over `axes`.
  ///   - power: the power of the terms, not 0.
  ///   - isCentered: whether the terms are distances from the mean.
  ///   - root: computes the same from scaled values, with `axes` kept as axes of size 1.
  func corrected(
    of source: Tensor, over axes: [Int], power: Double, isCentered: Bool = false,
    by root: @escaping @Sendable (Tensor) -> Tensor
  ) -> Tensor {
    corrected(of: source, over: axes, in: TermRange(power: power), isCentered: isCentered, by: root)
  }

  /// These new means of `count` elements of `source`, recomputed if their sum exceeds the range of
  /// `float64`.
  func correctedMean(of source: Tensor, over axes: [Int], count: Double) -> Tensor {
    guard source.dtype == .float64, count > 1 else { return self }
    return corrected(of: source, over: axes, in: .finite, isCentered: false) { scaled in
      scaled.reduced(.sum, over: axes, keepDims: true, to: .float64, divisor: count)
    }
  }

  private func corrected(
    of source: Tensor, over axes: [Int], in range: TermRange, isCentered: Bool,
    by result: @escaping @Sendable (Tensor) -> Tensor
  ) -> Tensor {
    guard dtype == .float64, source.count > 0, !isPoisoned, !source.isPoisoned else { return self }
    let (source, layout) = (source.detached(), node.layout)
    node.correct { storage in
      let values = UnsafeBufferPointer(
        start: storage.base.assumingMemoryBound(to: Double.self), count: layout.count)
      guard values.contains(where: { !range.contains($0) }) else { return }
      withoutGradients {
        let plain = Tensor(stored: storage, .float64, layout)
        let results = plain.array(of: Double.self)
        guard
          let scales = source.scalesToOne(
            over: axes, for: results, isCentered: isCentered, unless: range.contains)
        else { return }
        let scale = Tensor(
          scales, shape: Shape.reduced(source.shape, over: axes, keepDims: true))
        let again = (result(source * scale) / scale).reshaped(layout.shape)
        let isRight = (plain .>= range.lowest) .& (plain .<= range.highest)
        // Stored in memory of its own first, then copied to the destination.
        let fixed = Tensor.where(isRight, plain, again).evaluated()
        if !fixed.isPoisoned { fixed.write(into: storage, layout, as: .float64) }
      }
    }
    return self
  }

  /// These new standard deviations of `source`, recomputed if squared distances exceed the range of
  /// `float64`.
  func correctedRoot(of source: Tensor, over axes: [Int], divisor: Double) -> Tensor {
    guard source.dtype == .float64 else { return self }
    return corrected(of: source, over: axes, power: 2, isCentered: true) { scaled in
      scaled.reduced(.squares, over: axes, keepDims: true, to: .float64, divisor: divisor).sqrt()
    }
  }

  /// For each slice over `axes`, a power of two that scales its largest element to 1 or slightly
  /// more; 1 if that is 0, infinite or NaN. Nil if no result is wrong.
  ///
  /// A suspect result is wrong if the elements are finite and differ from one another, or from 0.
  /// If a suspect is 0 and its elements are not tiny, they are equal, because distances between
  /// larger numbers do not underflow when squared.
  ///
  /// - Parameters:
  ///   - results: the results of the slices.
  ///   - isCentered: whether they are computed from distances from the mean.
  ///   - isRight: whether a result is right whatever the elements are.
  package func scalesToOne(
    over axes: [Int], for results: [Double], isCentered: Bool, unless isRight: (Double) -> Bool
  ) -> [Double]? {
    var suspects = results.indices.filter { !isRight(results[$0]) }
    if isCentered, suspects.contains(where: { results[$0] == 0 }) {
      var first = self
      for axis in axes { first = first.narrowed(over: axis, from: 0, count: 1) }
      let firsts = first.array(of: Double.self)
      suspects.removeAll { results[$0] == 0 && !(firsts[$0].magnitude < Tensor.smallDistances) }
    }
    if suspects.isEmpty { return nil }
    let (high, low) = (max(over: axes, keepDims: true), min(over: axes, keepDims: true))
    let (highs, lows) = (high.array(of: Double.self), low.array(of: Double.self))
    if high.isPoisoned || low.isPoisoned { return nil }
    let sizes = zip(highs, lows).map { Swift.max($0.magnitude, $1.magnitude) }
    let isWrong = suspects.contains {
      sizes[$0] > 0 && sizes[$0].isFinite
        && !(isCentered && results[$0] == 0 && highs[$0] == lows[$0])
    }
    return isWrong ? sizes.map(powerToOne) : nil
  }

  /// Numbers of this size differ by at least an ulp, 2⁻⁵¹³, whose square is not 0.
  private static let smallDistances = 0x1p-460
}

/// A power of two that scales a number to 1 or slightly more; 1 for 0, infinity and NaN.
func powerToOne(_ size: Double) -> Double {
  guard size > 0, size.isFinite else { return 1 }
  // The exponents of normal numbers whose inverse is normal, too.
  let exponent = min(max(Int(size.exponent), -1022), 1022)
  return Double(sign: .plus, exponent: -exponent, significand: 1)
}

/// The results that need no correction: roots whose powers are normal numbers, with a margin for
/// sums of many.
struct TermRange: Sendable {
  let lowest: Double, highest: Double

  /// The means that need no correction.
  static let finite = TermRange(
    lowest: -.greatestFiniteMagnitude, highest: .greatestFiniteMagnitude)

  private init(lowest: Double, highest: Double) { (self.lowest, self.highest) = (lowest, highest) }

  init(power: Double) {
    let exponent = 960 / power.magnitude
    highest =
      exponent < 1023
      ? Double(sign: .plus, exponent: Int(exponent), significand: 1) : .greatestFiniteMagnitude
    lowest = exponent < 1022 ? 1 / highest : .leastNormalMagnitude
  }

  func contains(_ root: Double) -> Bool { root >= lowest && root <= highest }
}
