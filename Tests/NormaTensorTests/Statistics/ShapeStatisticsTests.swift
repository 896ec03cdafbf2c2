#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif
import NormaReference
import NormaTensor
import Testing

/// Skewness and kurtosis against their formulas.
@Suite struct ShapeStatisticsTests {
  /// The k-th moment about the mean.
  static func moment(_ row: [Double], _ power: Int) -> Double {
    let mean = ReferenceMoments(row).mean
    return compensatedSum(row.map { pow($0 - mean, Double(power)) }) / Double(row.count)
  }

  static func skewness(_ row: [Double], biased: Bool) -> Double {
    let n = Double(row.count)
    let result = moment(row, 3) / pow(moment(row, 2), 1.5)
    return biased ? result : n < 3 ? .nan : result * (n * (n - 1)).squareRoot() / (n - 2)
  }

  static func kurtosis(_ row: [Double], biased: Bool) -> Double {
    let n = Double(row.count)
    let result = moment(row, 4) / pow(moment(row, 2), 2) - 3
    if biased { return result }
    return n < 4 ? .nan : (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * result + 6)
  }

  @Test(arguments: DType.realTypes) func everySubsetOfAxesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for (shape, mean) in [([3, 5, 7], 0.5), ([33], 1e3), ([2, 600], -40)] {
      for arrangement in Arrangement.allCases {
        if arrangement == .repeated { continue }
        let sample = Sample(shape, dtype, arrangement, random: &random, mean: mean)
        let x = sample.tensor
        for axes in subsets(shape.count).filter({ $0.count < 3 }) {
          // An empty list of axes cannot be passed here: no axes mean all.
          let named = axes.isEmpty ? Array(shape.indices) : axes
          let rows = groups(sample.values, shape, over: named)
          for biased in [true, false] {
            let (skewness, kurtosis) =
              switch axes.count {
              case 0: (x.skewness(biased: biased), x.kurtosis(biased: biased))
              case 1:
                (
                  x.skewness(over: axes[0], biased: biased),
                  x.kurtosis(over: axes[0], biased: biased)
                )
              default:
                (
                  x.skewness(over: axes[0], axes[1], biased: biased),
                  x.kurtosis(over: axes[0], axes[1], biased: biased)
                )
              }
            #expect(skewness.dtype == dtype)
            for (results, slow) in [(skewness, Self.skewness), (kurtosis, Self.kurtosis)] {
              var worst = 0.0
              for (a, row) in zip(results.array(of: Double.self), rows) {
                // Some values of half types are all equal, or nearly.
                let spread = Self.moment(row, 2).squareRoot() / (abs(mean) + 1)
                if spread < 1e-9 { continue }
                worst = max(worst, ulps(a, slow(row, biased), slack: 1e-11 / spread, dtype))
              }
              #expect(worst <= 0.51, "\(shape) \(axes) \(arrangement) \(biased)")
            }
          }
        }
      }
    }
  }

  /// SciPy's and pandas' numbers.
  @Test func known() {
    let x = Tensor([2, 8, 0, 4, 1, 9, 9, 0], dtype: .float64)
    #expect(abs(x.skewness().item() - 0.2650554122698573) < 1e-14)
    #expect(abs(x.kurtosis().item() + 1.6660010752838508) < 1e-14)
    #expect(abs(x.kurtosis(excess: false).item() - 1.3339989247161492) < 1e-14)
    #expect(abs(x.skewness(biased: false).item() - 0.3305821804079746) < 1e-14)
    #expect(abs(x.kurtosis(biased: false).item() + 2.098602258096087) < 1e-14)
  }

  /// No digit is lost far from zero.
  @Test func farFromZero() {
    var random = TestRandom(for: #function)
    let near = random.doubles(5000).map { Double(Float(($0 * 8).rounded())) }
    for dtype in [DType.float32, .float64] {
      let x = Tensor(near, dtype: dtype)
      let far = Tensor(near.map { $0 + 1e7 }, dtype: dtype)
      for biased in [true, false] {
        let skewness = Self.skewness(near, biased: biased)
        #expect(ulps(far.skewness(biased: biased).item(), skewness, slack: 1e-12, dtype) <= 0.51)
        let kurtosis = Self.kurtosis(near, biased: biased)
        #expect(ulps(far.kurtosis(biased: biased).item(), kurtosis, slack: 1e-12, dtype) <= 0.51)
        #expect(abs(x.kurtosis(biased: biased).item() - far.kurtosis(biased: biased).item()) < 1e-6)
      }
    }
  }

  @Test func edges() {
    for count in [1, 3, 1000] {
      let constant = Tensor.full([count], 0.1)
      #expect(constant.skewness().item().isNaN && constant.kurtosis().item().isNaN)
      let wide = Tensor.full([count], 0.1, dtype: .float64)
      #expect(wide.skewness().item().isNaN && wide.kurtosis().item().isNaN)
    }
    let x = Tensor([1, 2, 4], dtype: .float64)
    #expect(x[..<2].skewness(biased: false).item().isNaN && x[..<2].skewness().item() == 0)
    #expect(x.kurtosis(biased: false).item().isNaN && !x.skewness(biased: false).item().isNaN)
    #expect(Tensor(Float(2)).skewness().item().isNaN && Tensor.zeros(0).kurtosis().item().isNaN)
    #expect(Tensor([1, .nan, 2] as [Float]).skewness().item().isNaN)
    #expect(Tensor([1, .infinity, 2] as [Float]).kurtosis().item().isNaN)
    #expect(Tensor.ones(2, 3).skewness(over: 1, keepDims: true).shape == [2, 1])
    #expect(
      MessageTests.message { Tensor([1, 2]).skewness() }
        == "skewness(over:): int64 has no mean of its own type; cast(to: .float32) first")
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    for biased in [true, false] {
      try checkGradient(of: { $0[0].skewness(over: 0, 2, biased: biased) }, at: [x], order: 2)
      try checkGradient(of: { $0[0].kurtosis(over: 2, biased: biased) }, at: [x], tolerance: 1e-6)
    }
    try checkGradient(of: { $0[0].kurtosis(excess: false) }, at: [x], order: 2)
  }
}
