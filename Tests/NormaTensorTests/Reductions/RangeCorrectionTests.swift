import NormaKernels
import NormaTensor
import Testing

/// `float64` whose squares leave the range: expected values from mpmath with 60 digits.
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

  /// Few elements are reduced at once, many when they are needed.
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

  /// Slices with ordinary numbers keep their bits beside others, and what is not finite stays so.
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
    // Squares that are no numbers of the type have no variance in it; means have room.
    #expect(
      x.variance(over: 1).item(at: 1) == Double.infinity && x.mean(over: 1).item(at: 1) == 2e200)
  }
}
