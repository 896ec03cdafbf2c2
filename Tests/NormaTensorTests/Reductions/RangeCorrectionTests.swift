import NormaTensor
import Testing

/// `float64` values whose squares exceed its range: expected values from mpmath with 60 digits.
@Suite struct RangeCorrectionTests {
  struct Case: Sendable {
    let size: Double, norm: Double, std: Double, cubic: Double, inverseCubic: Double
  }

  /// Of size * [1, -0.5, 0.25, 0.75].
  static let cases = [
    Case(
      size: 1e200, norm: 1.3693063937629153e+200, std: 6.614378277661476e+199,
      cubic: 1.1603972084031947e+200, inverseCubic: 2.3673716919812232e+199),
    Case(
      size: 1e-200, norm: 1.3693063937629153e-200, std: 6.614378277661476e-201,
      cubic: 1.1603972084031948e-200, inverseCubic: 2.3673716919812235e-201),
    Case(
      size: 1e308, norm: 1.3693063937629154e+308, std: 6.614378277661477e+307,
      cubic: 1.1603972084031946e+308, inverseCubic: 2.3673716919812236e+307),
    // Of 2⁻¹⁰⁶⁰, in units of the smallest number.
    Case(
      size: 0x1p-1060, norm: 22435 * .leastNonzeroMagnitude, std: 10837 * .leastNonzeroMagnitude,
      cubic: 19012 * .leastNonzeroMagnitude, inverseCubic: 3879 * .leastNonzeroMagnitude),
  ]

  private func isClose(_ value: Double, _ expected: Double) -> Bool {
    abs(value - expected) <= 4 * expected.ulp
  }

  /// Few elements are reduced eagerly, many when they are needed.
  @Test(arguments: cases.indices, [1, 20_000]) func rootsAreFinite(_ index: Int, _ columns: Int) {
    let data = Self.cases[index]
    let column = Tensor([1, -0.5, 0.25, 0.75], dtype: .float64).reshaped(4, 1) * data.size
    let x = (column + Tensor.zeros([1, columns], dtype: .float64)).evaluated()
    let results = [
      ("norm", x.norm(over: 0), data.norm), ("std", x.std(over: 0), data.std),
      ("norm kept", x.norm(over: 0, keepDims: true).reshaped(-1), data.norm),
      ("std of rows", (x.transposed() * 1).evaluated().std(over: 1), data.std),
      ("norm 3", x.norm(3, over: 0), data.cubic),
      ("norm -3", x.norm(-3, over: 0), data.inverseCubic),
    ]
    for (name, result, expected) in results {
      let pending = result * 1
      for value in [result.item(at: 0), pending.item(at: columns - 1)] {
        #expect(isClose(value, expected), "\(name) of \(data.size): \(value), not \(expected)")
      }
    }
    // Within one program with the values.
    if data.size > 1e-300 && data.size < 1e300 {
      let scaled = (x / (x.std(over: 0, keepDims: true) * 1)).reshaped(-1)
      #expect(isClose(scaled.item(at: 0), data.size / data.std))
    }
  }

  @Test func gradientsAreRight() {
    let slopesOfStd = [
      0.314970394174356, -0.44095855184409843, -0.06299407883487121, 0.18898223650461363,
    ]
    let slopesOfNorm = [
      0.7302967433402214, -0.3651483716701107, 0.18257418583505536, 0.5477225575051661,
    ]
    for size in [1e200, 1e-200] {
      let x = Tensor([1, -0.5, 0.25, 0.75], dtype: .float64) * size
      let std = Tensor.gradient(of: { $0.std() }, at: x).array(of: Double.self)
      let norm = Tensor.gradient(of: { $0.norm() }, at: x).array(of: Double.self)
      for k in 0..<4 {
        #expect(abs(std[k] - slopesOfStd[k]) < 1e-15, "\(size): \(std)")
        #expect(abs(norm[k] - slopesOfNorm[k]) < 1e-15, "\(size): \(norm)")
      }
    }
  }

  /// Slices with ordinary numbers keep their bits next to others, and non-finite ones stay so.
  @Test func othersStayAsTheyAre() {
    let ordinary = [0.1, 0.7, -0.3]
    let x = Tensor(
      [
        ordinary, [1e200, 2e200, 3e200], [5, 5, 5], [Double.nan, 1, 1e200],
        [Double.infinity, 1, 2],
      ],
      dtype: .float64)
    let (std, norm) = (x.std(over: 1), x.norm(over: 1))
    #expect(std.item(at: 0) == Tensor(ordinary, dtype: .float64).std().item())
    #expect(norm.item(at: 0) == Tensor(ordinary, dtype: .float64).norm().item())
    #expect(isClose(std.item(at: 1), 1e200))
    #expect(std.item(at: 2) == 0 && std.item(at: 3).isNaN && std.item(at: 4).isNaN)
    #expect(norm.item(at: 3).isNaN && norm.item(at: 4) == Double.infinity)
    #expect(Tensor.zeros([3], dtype: .float64).norm().item() == 0)
    #expect(Tensor.zeros([0], dtype: .float64).norm().item() == 0)
    // Squares outside of the type's range cannot give a variance in it.
    #expect(
      x.variance(over: 1).item(at: 1) == Double.infinity && x.mean(over: 1).item(at: 1) == 2e200)
  }

  /// Sums that exceed the range although their means do not; infinite and NaN elements stay so.
  @Test(arguments: [1, 20_000]) func meansAreFinite(_ columns: Int) {
    let rows = [
      [1.7e308, 1.7e308, 1.7e308], [1.6e308, 1.7e308, -1.5e308], [0.1, 0.7, -0.3],
      [.infinity, 1.7e308, 1.7e308], [.nan, 1.7e308, 1.7e308], [-1.7e308, -1.7e308, -1.4e308],
    ]
    let column = Tensor(rows).transposed().reshaped(3, 6, 1)
    let x = (column + Tensor.zeros([1, 1, columns], dtype: .float64)).evaluated()
    let expected = [
      1.7e308, 6e307, 0.5 / 3, .infinity, .nan, -1.6e308,
    ]
    let results = [x.mean(over: 0), x.mean(over: 0, keepDims: true).reshaped(6, columns)]
    for result in results + [x.mean(over: 0) * 1] {
      for (row, value) in expected.enumerated() {
        let found = result.item(at: row, columns - 1)
        let isRight = value.isFinite ? isClose(found, value) : found == value
        #expect(isRight || found.isNaN && value.isNaN, "\(row): \(found), not \(value)")
      }
    }
    #expect(isClose(Tensor([1.7e308, 1.7e308]).mean().item(), 1.7e308))
    let y = Tensor([1.7e308, 1.6e308]).requiringGradient()
    y.mean().backward()
    #expect(y.grad?.array(of: Double.self) == [0.5, 0.5])
  }

  /// Of size * [1, -0.5, 0.25, 0.75] with weights, or without the third.
  @Test(arguments: [1e200, 1e-200, 0x1p-1000, 1.0]) func weightedDeviationsAreRight(size: Double) {
    let x = Tensor([1, -0.5, 0.25, 0.75], dtype: .float64) * size
    let weights = Tensor([1, 2, 0.5, 1], dtype: .float64)
    #expect(isClose(x.std(weights: weights).item(), 0.74135226080667927 * size))
    let mask = Tensor([true, true, false, true])
    #expect(isClose(x.std(mask: mask).item(), 0.80363756341607958 * size))
    // Masked values have no influence, whatever they are.
    for other in [Double.nan, .infinity, 1e308, 1e-308] {
      let y = Tensor.where(mask, x, other)
      #expect(isClose(y.std(mask: mask).item(), 0.80363756341607958 * size), "\(other)")
    }
    let slopes = [
      0.31045798647499926, -0.53527239047413666, 0.010705447809482733, 0.21410895618965466,
    ]
    let found = Tensor.gradient(of: { $0.std(weights: weights) }, at: x).array(of: Double.self)
    for (slope, expected) in zip(found, slopes) { #expect(abs(slope - expected) < 1e-15) }
  }

  /// Ordinary distances keep their bits next to others.
  @Test func distancesAreRight() {
    let a = Tensor(
      [[1e200, -0.5e200], [1e-200, -0.5e-200], [1, -0.5], [.nan, 1]], dtype: .float64)
    let b = Tensor(
      [[0.25e200, 0.75e200], [0.25e-200, 0.75e-200], [0.25, 0.75], [1, -0.5]], dtype: .float64)
    let near = 1.4577379737113251
    let distances = a.cdist(b)
    #expect(isClose(distances.item(at: 0, 0), near * 1e200))
    #expect(isClose(distances.item(at: 1, 1), near * 1e-200))
    #expect(distances.item(at: 2, 2) == a[2..<3].cdist(b[2..<3]).item())
    #expect(isClose(distances.item(at: 2, 2), near) && distances.item(at: 2, 3) == 0)
    #expect((0..<4).allSatisfy { distances.item(at: 3, $0).isNaN })
    // Batches, and layouts with gaps.
    let stretched = Tensor.stacked([a, a * 2]).transposed(1, 2).contiguousCopy.transposed(1, 2)
    let batched = stretched.cdist(b[0..<3])
    #expect(isClose(batched.item(at: 1, 1, 1), (a * 2)[1].distance(from: b[1])))
    #expect(isClose(batched.item(at: 0, 0, 0), near * 1e200))
    for size in [1e200, 1e-200] {
      let (x, y) = (Tensor([[1, -0.5]], dtype: .float64) * size, b[2..<3] * size)
      let slope = Tensor.gradient(of: { $0.cdist(y).sum() }, at: x)
      #expect(abs(slope.item(at: 0, 0) - 0.75 / near) < 1e-15)
      #expect(abs(slope.item(at: 0, 1) + 1.25 / near) < 1e-15)
    }
  }

  /// Only slices whose results may be wrong are examined: not those of equal elements, of zeros or
  /// with NaN.
  @Test func rightResultsAreNotComputedAgain() {
    func scales(_ rows: [[Double]], _ results: [Double], isCentered: Bool = true) -> [Double]? {
      Tensor(rows, dtype: .float64).scalesToOne(
        over: [1], for: results, isCentered: isCentered, unless: { $0 > 1e-100 && $0 < 1e100 })
    }
    #expect(scales([[5, 5], [1, 2]], [0, 0.7]) == nil)
    #expect(scales([[0, 0]], [0]) == nil && scales([[0, 0]], [0], isCentered: false) == nil)
    #expect(scales([[1e-200, 1e-200]], [0]) == nil)
    #expect(scales([[.nan, 1]], [.nan]) == nil && scales([[.infinity, 1]], [.nan]) == nil)
    #expect(scales([[1e-200, 2e-200], [1, 2]], [0, 0.7]) != nil)
    #expect(scales([[1e-200, 1e-200]], [0], isCentered: false) != nil)
    #expect(scales([[1e200, 2e200]], [.infinity]) == [0x1p-665])
    #expect(scales([[1e200, 2e200]], [.nan]) != nil)
  }
}

extension Tensor {
  fileprivate var contiguousCopy: Tensor { (self * 1).evaluated() }

  fileprivate func distance(from other: Tensor) -> Double { (self - other).norm().item() }
}
