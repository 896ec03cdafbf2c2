import NormaReference
import NormaTensor
import Testing

/// Reductions against their definition over grids of axes, layouts, types and lengths.
@Suite struct ReductionGridTests {
  static let lengths = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 1791, 1792, 1793, 5000]

  @Test(arguments: DType.realTypes)
  func everySubsetOfAxesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[3, 5, 7], [4, 3, 6, 5], [2, 17, 3]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axes in subsets(shape.count) {
          expectRight(
            sample, over: axes, keepDims: axes.count % 2 == 0, comment: "\(arrangement)")
        }
      }
    }
  }

  @Test(arguments: [DType.bool, .uint8, .int32, .int64])
  func integersInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[3, 5, 7], [2, 70, 33]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axes in subsets(shape.count) {
          expectRight(
            sample, over: axes, [.sum, .minimum, .maximum], comment: "\(arrangement)")
        }
      }
    }
  }

  @Test(arguments: DType.realTypes)
  func lengthsAroundTheLanes(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for length in Self.lengths {
      for shape in [[length], [3, length], [length, 3], [length, 16]]
      where length < 5000 || shape.count < 2 {
        let sample = Sample(
          shape, dtype, length % 2 == 0 ? .contiguous : .stepped, random: &random)
        for axes in subsets(shape.count).dropFirst() { expectRight(sample, over: axes) }
      }
    }
  }

  @Test(arguments: [DType.bool, .uint8, .int32, .int64])
  func lengthsOfIntegers(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for length in Self.lengths {
      let sample = Sample([2, length], dtype, random: &random)
      for axes in [[0], [1], [0, 1], []] {
        expectRight(sample, over: axes, [.sum, .minimum, .maximum])
      }
    }
  }

  /// Images, rows, few long rows, and more rows than fit a chunk of tiles.
  @Test(arguments: [[6, 64, 7, 7], [20, 1000], [20, 3, 4, 4], [2, 70000], [64 * 1800, 2]])
  func largerShapes(shape: [Int]) {
    var random = TestRandom(for: "\(#function) \(shape)")
    let isLarge = shape.reduce(1, *) > 30000
    for arrangement in [Arrangement.contiguous, .channelsLast] {
      let sample = Sample(shape, .float32, arrangement, random: &random)
      for axes in subsets(shape.count).dropFirst() {
        expectRight(
          sample, over: axes, isLarge ? [.mean, .variance, .maximum] : Statistic.allCases)
      }
    }
  }

  @Test(arguments: DType.realTypes)
  func farFromZero(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    // As far as the type can still distinguish the values.
    let means: [DType: Double] = [.float16: 1000, .bfloat16: 100, .float32: 1e7]
    let mean = means[dtype] ?? 1e12
    for shape in [[5000], [64, 100], [300, 20]] {
      let sample = Sample(shape, dtype, random: &random, mean: mean, std: mean / 1e3 + 1)
      for axes in subsets(shape.count) {
        expectRight(sample, over: axes, [.mean, .biased, .variance, .std])
      }
    }
    let near = Sample([40, 2000], dtype, random: &random, mean: mean, std: 1)
    for axes in subsets(2) { expectRight(near, over: axes, [.mean, .biased, .std]) }
  }

  @Test func negativeAxesAreCountedFromTheEnd() {
    var random = TestRandom()
    let x = Sample([3, 4, 5], .float32, random: &random)
    for axes in [[-1], [-3, -1], [0, -1], [-2]] { expectRight(x, over: axes, keepDims: true) }
    #expect(isSame(x.tensor.sum(over: -1), x.tensor.sum(over: 2)))
    #expect(isSame(x.tensor.std(over: 2, 0), x.tensor.std(over: 0, 2)))
  }
}
