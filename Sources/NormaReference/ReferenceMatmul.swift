/// The definition of a matrix product: `c[i, j]` is the sum over `p` of `a[i, p] b[p, j]`.
package enum ReferenceMatmul {
  /// One element of a result, and the sum of the absolute products, which bounds the rounding error
  /// up to a factor.
  package struct Element: Equatable, Sendable {
    /// The sum.
    package var value: Double
    /// The sum of the absolute values of its terms.
    package var magnitude: Double
  }

  /// The product of `a` (`m` by `k`) and `b` (`k` by `n`), given by functions of row and column.
  package static func product(
    m: Int, n: Int, k: Int, a: (Int, Int) -> Double, b: (Int, Int) -> Double
  ) -> [Element] {
    var result: [Element] = []
    for i in 0..<m {
      for j in 0..<n {
        var element = Element(value: 0, magnitude: 0)
        for p in 0..<k {
          let term = a(i, p) * b(p, j)
          element.value += term
          element.magnitude += abs(term)
        }
        result.append(element)
      }
    }
    return result
  }

  /// The largest error of `values` relative to the rounding error allowed: `k` half units in the
  /// last place of the sum of the absolute products. At most 1 is correct; infinite if a value is
  /// missing, or is NaN although the sum is not.
  package static func worstError(
    _ values: [Double], _ expected: [Element], k: Int, unit: Double
  ) -> Double {
    guard values.count == expected.count else { return .infinity }
    var worst = 0.0
    for (value, element) in zip(values, expected) where value != element.value {
      if value.isNaN && element.value.isNaN { continue }
      let error = abs(value - element.value) / (Double(max(k, 1)) * unit / 2 * element.magnitude)
      worst = error.isNaN ? .infinity : max(worst, error)
    }
    return worst
  }
}
