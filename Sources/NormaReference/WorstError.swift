/// The largest distance between computed numbers and their true values.
///
/// A test asserts on what it returns, so that a failure prints the figure:
/// `#expect(try worstError(actual: y, shape: shape, expected: truth).ulps <= 2)`.
package struct WorstError: Equatable, Sendable, CustomStringConvertible {
  /// |actual - expected|.
  package var absolute = 0.0
  /// |actual - expected| in units of the last place of the type, at the expected value.
  package var ulps = 0.0
  /// |actual - expected| / the largest |expected|.
  package var relativeToScale = 0.0
  /// The row-major index where `ulps` is largest; -1 if every number is exact.
  package var position = -1

  /// No error at all.
  package init() {}

  package var description: String {
    "\(ulps) ulp, \(absolute) absolute, \(relativeToScale) of the scale, worst at \(position)"
  }
}

/// Why numbers cannot be compared: a failure whatever the tolerance.
package enum Mismatch: Error, Equatable {
  case shape(actual: [Int], expected: [Int])
  case count(actual: Int, expected: Int)
  /// One is NaN and the other is not.
  case nan(position: Int, actual: Double, expected: Double)
  /// One is infinite and the other is another number.
  case infinity(position: Int, actual: Double, expected: Double)
}

/// The worst error of `actual` against the truth in Double.
///
/// NaN matches only NaN and infinity only the same infinity, except that a finite truth beyond the
/// range of the type matches infinity. Otherwise it throws, as for a wrong shape or length.
package func worstError<T: BinaryFloatingPoint>(
  actual: [T], shape: [Int], expected: ReferenceTensor
) throws(Mismatch) -> WorstError {
  if shape != expected.shape {
    throw .shape(actual: shape, expected: expected.shape)
  }
  return try worstError(actual: actual, expected: expected.values)
}

/// The worst error of `actual` against the truth in Double.
package func worstError<T: BinaryFloatingPoint>(
  actual: [T], expected: [Double]
) throws(Mismatch) -> WorstError {
  if actual.count != expected.count {
    throw .count(actual: actual.count, expected: expected.count)
  }
  var worst = WorstError()
  var scale = 0.0
  for (position, (value, truth)) in zip(actual, expected).enumerated() {
    let number = Double(value)
    if number.isNaN || truth.isNaN {
      if number.isNaN != truth.isNaN {
        throw .nan(position: position, actual: number, expected: truth)
      }
      continue
    }
    if number.isInfinite || truth.isInfinite {
      if number != Double(T(truth)) {
        throw .infinity(position: position, actual: number, expected: truth)
      }
      continue
    }
    scale = max(scale, abs(truth))
    let distance = abs(number - truth)
    let rounded = T(truth)
    let unit = rounded.isFinite ? rounded.ulp : T.greatestFiniteMagnitude.ulp
    let ulps = distance / Double(unit)
    worst.absolute = max(worst.absolute, distance)
    if ulps > worst.ulps { (worst.ulps, worst.position) = (ulps, position) }
  }
  worst.relativeToScale = worst.absolute == 0 ? 0 : worst.absolute / scale
  return worst
}

/// The number of steps between numbers of the type from `a` to `b`: 0 if equal, 1 for neighbours.
///
/// 0 and -0 are equal, and so are two NaN; NaN is `Int.max` away from every number.
package func ulpDistance(_ a: Float, _ b: Float) -> Int {
  if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
  return abs(ordinal(a) - ordinal(b))
}

/// The number of steps between numbers of the type from `a` to `b`; at most `Int.max`.
package func ulpDistance(_ a: Double, _ b: Double) -> Int {
  if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .max }
  let (distance, overflow) = ordinal(a).subtractingReportingOverflow(ordinal(b))
  return overflow || distance == .min ? .max : abs(distance)
}

/// The index of a number among all numbers of its type; that of zero is 0.
private func ordinal(_ value: Float) -> Int {
  let magnitude = Int(value.magnitude.bitPattern)
  return value.sign == .minus ? -magnitude : magnitude
}

/// The index of a number among all numbers of its type; that of zero is 0.
private func ordinal(_ value: Double) -> Int {
  let magnitude = Int(value.magnitude.bitPattern)
  return value.sign == .minus ? -magnitude : magnitude
}
