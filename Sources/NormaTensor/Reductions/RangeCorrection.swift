import NormaKernels

// Roots of sums of powers whose terms leave the range of `float64`: squares of 1e200 are infinite and those of
// 1e-200 are 0, while the root of their sum is neither. Such results are computed once more, from values that
// are scaled by a power of two; the others keep their bits, and cost a look at each result.

extension Tensor {
  /// These new roots of sums of powers, with those computed again that lie where powers lose digits.
  ///
  /// - Parameters:
  ///   - source: `float64` values, which have been reduced over `axes`.
  ///   - power: of the terms, not 0.
  ///   - root: the same of scaled values, with `axes` kept as axes of size 1.
  func corrected(
    of source: Tensor, over axes: [Int], power: Double,
    by root: @escaping @Sendable (Tensor) -> Tensor
  ) -> Tensor {
    guard dtype == .float64, source.count > 0, !isPoisoned, !source.isPoisoned else { return self }
    let (source, layout) = (source.detached(), node.layout)
    let range = TermRange(power: power)
    node.correct { storage in
      let values = UnsafeBufferPointer(
        start: storage.base.assumingMemoryBound(to: Double.self), count: layout.count)
      guard values.contains(where: { !range.contains($0) }) else { return }
      withoutGradients {
        let scale = source.scaleToOne(over: axes)
        if scale.isPoisoned { return }
        let again = (root(source * scale) / scale).reshaped(layout.shape)
        let plain = Tensor(
          node: Node(stored: storage, dtype: .float64, layout: layout), layout: layout)
        let isRight = (plain .>= range.lowest) .& (plain .<= range.highest)
        // In memory of its own before it goes to where it is read.
        let fixed = Tensor.where(isRight, plain, again).evaluated()
        if !fixed.isPoisoned { fixed.write(into: storage, layout, as: .float64) }
      }
    }
    return self
  }

  /// These new standard deviations of `source`, right where squared distances leave the range of `float64`.
  func correctedRoot(of source: Tensor, over axes: [Int], divisor: Double) -> Tensor {
    guard source.dtype == .float64 else { return self }
    return corrected(of: source, over: axes, power: 2) { scaled in
      scaled.reduced(.squares, over: axes, keepDims: true, to: .float64, divisor: divisor).sqrt()
    }
  }

  /// A power of two for each slice over `axes` that brings its largest element to 1 or a little more; 1 where
  /// that is 0, infinite or NaN.
  private func scaleToOne(over axes: [Int]) -> Tensor {
    let largest = abs().max(over: axes, keepDims: true)
    let sizes = largest.array(of: Double.self)
    if largest.isPoisoned { return largest }
    let scales = sizes.map { size -> Double in
      guard size > 0, size.isFinite else { return 1 }
      // The exponents of normal numbers whose inverse is normal, too.
      let exponent = Swift.min(Swift.max(Int(size.exponent), -1022), 1022)
      return Double(sign: .plus, exponent: -exponent, significand: 1)
    }
    return Tensor(scales, shape: largest.shape)
  }
}

/// The roots whose powers are normal numbers with room for sums of many.
private struct TermRange: Sendable {
  let lowest: Double, highest: Double

  init(power: Double) {
    let exponent = 960 / power.magnitude
    highest =
      exponent < 1023
      ? Double(sign: .plus, exponent: Int(exponent), significand: 1) : .greatestFiniteMagnitude
    lowest = exponent < 1022 ? 1 / highest : .leastNormalMagnitude
  }

  func contains(_ root: Double) -> Bool { root >= lowest && root <= highest }
}
