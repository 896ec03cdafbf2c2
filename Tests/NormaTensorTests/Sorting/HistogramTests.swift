import NormaReference
import NormaTensor
import Testing

/// Histograms against counting.
@Suite struct HistogramTests {
  /// The sum of weights between edges; a bin includes its lower edge, the last both.
  static func slow(_ values: [Double], _ edges: [Double], _ weights: [Double]? = nil) -> [Double] {
    let bins = edges.count - 1
    var sums = [Double](repeating: 0, count: bins)
    for (index, value) in values.enumerated() {
      guard let last = edges.last, value >= edges[0], value <= last else { continue }
      let bin = edges.lastIndex { $0 <= value } ?? 0
      sums[min(bin, bins - 1)] += weights?[index] ?? 1
    }
    return sums
  }

  @Test(arguments: DType.realTypes) func everyArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[], [1], [70], [3, 5, 7], [2, 600], [3, 0, 2]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        let weights = Sample(shape, dtype, arrangement, random: &random, mean: 3)
        let x = sample.tensor
        for bins in [1, 7, 100] {
          let (counts, edges) = x.histogram(bins: bins)
          #expect(counts.dtype == dtype && edges.dtype == dtype && edges.shape == [bins + 1])
          let own = edges.array(of: Double.self)
          let comment: Comment = "\(shape) \(arrangement) \(bins)"
          #expect(counts.array() == Self.slow(sample.values, own), comment)
          #expect(counts.sum().item() == Double(sample.values.count), comment)
          let some = x.histogram(bins: bins, range: -1...1.5, weights: weights.tensor)
          let expected = Self.slow(sample.values, some.edges.array(), weights.values)
          #expect(some.counts.array() == expected.map(dtype.rounded), comment)
          let given = Tensor([-1, -0.5, 0, 0, 0.75, 2], dtype: dtype)
          let between = x.histogram(edges: given, weights: weights.tensor)
          let found = Self.slow(sample.values, given.array(), weights.values)
          #expect(between.counts.array() == found.map(dtype.rounded), comment)
        }
      }
    }
  }

  /// PyTorch's results for numbers on edges, which are not exact.
  @Test func numbersOnEdges() {
    let tenths = Tensor.arange(11, dtype: .float32) / 10
    let ones: [Double] = [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]
    #expect(tenths.histc(bins: 10, min: 0, max: 1).array() == ones)
    #expect(tenths.histogram(bins: 10, range: 0...1).counts.array() == ones)
    let wide = tenths.cast(to: .float64)
    let shifted: [Double] = [1, 1, 1, 1, 1, 1, 2, 0, 2, 1]
    #expect(wide.histc(bins: 10, min: 0, max: 1).array() == shifted)
    #expect(wide.histogram(bins: 10, range: 0...1).counts.array() == shifted)
    // An end that float32 rounds down.
    let seven = Tensor([0.7, 0.9] as [Float])
    #expect(seven.histc(bins: 2, min: 0.7, max: 0.9).array() == [1, 1])
  }

  @Test func fixedRanges() {
    let x = Tensor([1, 2, 1, .nan, 4, -9, 3] as [Float])
    #expect(x.histc(bins: 4, min: 0, max: 4).array() == [0, 2, 1, 2])
    #expect(x.histc(bins: 4, min: 0, max: 4).dtype == .float32)
    #expect(Tensor([2, 2] as [Float]).histc(bins: 2).array() == [0, 2])
    #expect(Tensor([1, 2, 3] as [Float]).histc(bins: 2, min: 5, max: 5).array() == [1, 2])
    #expect(Tensor.zeros(0).histc(bins: 3).array() == [0, 0, 0])
    let alone = Tensor([2, 2] as [Float]).histogram(bins: 2)
    #expect(alone.edges.array() == [1.5, 2, 2.5] && alone.counts.array() == [0, 2])
  }

  /// Nothing is written elsewhere if a distance overflows.
  @Test func hugeNumbers() {
    let narrow = Tensor([0, 1e38, 2e38, 3e38, -3e38] as [Float])
    #expect(narrow.histc(bins: 100).sum().item() == 5)
    #expect(narrow.histc(bins: 3).array() == [1, 1, 3])
    #expect(narrow.histogram(bins: 3).counts.array() == [1, 1, 3])
    let wide = Tensor([0, 1e307, 9e307, 1e308])
    #expect(wide.histc(bins: 10).array() == [1, 1, 0, 0, 0, 0, 0, 0, 0, 2])
    #expect(wide.histogram(bins: 2).counts.array() == [2, 2])
    #expect(
      MessageTests.message { Tensor([-1e308, 1e308]).histc() }
        == "histc(bins:min:max:): the range from -1e+308 to 1e+308 is wider than float64 can hold")
    let ends = Tensor([-.infinity, 0, .infinity] as [Float])
    let all = Tensor([-.infinity, -3, 0, 9, .infinity, .nan] as [Float])
    #expect(all.histogram(edges: ends).counts.array() == [2, 3])
  }

  @Test func density() {
    let x = Tensor([0, 1, 1, 2, 5] as [Float])
    let (density, edges) = x.histogram(edges: Tensor([0, 1, 4] as [Float]), density: true)
    #expect(density.array() == [0.25, 0.25] && edges.array() == [0, 1, 4])
    let even = Tensor.arange(8, dtype: .float64).histogram(bins: 4, density: true)
    #expect(abs((even.counts * even.edges.difference()).sum().item() - 1) < 1e-15)
    let weighted = Tensor([0, 1]).cast(to: .float64).histogram(
      bins: 2, weights: Tensor([1.0, 3]), density: true)
    #expect(weighted.counts.array() == [0.5, 1.5])
  }

  @Test func sameOnAnyNumberOfThreads() {
    var random = TestRandom(for: #function)
    let x = Sample([300_000], .float32, random: &random, mean: 2).tensor
    for bins in [50, 200_000] {
      let one = withThreads(1) { x.histc(bins: bins) }
      #expect(isSame(one, withThreads(3) { x.histc(bins: bins) }))
      #expect(one.cast(to: .float64).sum().item() == 300_000)
    }
    let weighted = { x.histogram(bins: 9, weights: x).counts }
    #expect(isSame(withThreads(1, weighted), withThreads(3, weighted)))
  }

  @Test(arguments: [DType.uint8, .int32, .int64]) func countedIntegers(dtype: DType) {
    let x = Tensor([3, 0, 3, 7, 1, 3]).cast(to: dtype)
    #expect(x.binCount().array(of: Int.self) == [1, 1, 0, 3, 0, 0, 0, 1])
    #expect(x.binCount().dtype == .int64)
    #expect(x.binCount(minLength: 10).count == 10 && x.binCount(minLength: 2).count == 8)
    let weights = Tensor([0.5, 1, 2, 4, 8, 16] as [Float])
    let sums = x.binCount(weights: weights)
    #expect(sums.dtype == .float32)
    #expect(sums.array(of: Float.self) == [1, 8, 0, 18.5, 0, 0, 0, 4])
    #expect(x.binCount(weights: x).dtype == .float64)
    #expect(
      isSame(x.flipped(over: 0).binCount(weights: weights.flipped(over: 0)), sums))
    #expect(
      Tensor([5, 9, 1, 9, 2, 9]).cast(to: dtype).reshaped(3, 2)[..., 0]
        .binCount().array(of: Int.self) == [0, 1, 1, 0, 0, 1])
    #expect(Tensor.zeros([0], dtype: dtype).binCount().shape == [0])
    #expect(Tensor.zeros([0], dtype: dtype).binCount(minLength: 3).array() == [0, 0, 0])
  }

  @Test func mistakes() {
    let x = Tensor([1, 2] as [Float])
    let mistakes: [(() -> Tensor, String)] = [
      (
        { x.binCount() },
        "binCount(weights:minLength:): expected integers with one axis, got "
          + "float32 [2]"
      ),
      (
        { Tensor([2, -1]).binCount() },
        "binCount(weights:minLength:): -1 is negative and has no bin"
      ),
      (
        { Tensor([2]).binCount(weights: x) },
        "binCount(weights:minLength:): weights of shape [2] for elements of [1]"
      ),
      (
        { Tensor([Int.max]).binCount() },
        "binCount(weights:minLength:): 9223372036854775807 needs more bins than there are"
      ),
      ({ x.histc(bins: 0) }, "histc(bins:min:max:): bins must be at least 1, got 0"),
      ({ x.histc(min: 2, max: 1) }, "histc(bins:min:max:): the range from 2.0 to 1.0 is empty"),
      (
        { (x / 0).histc() },
        "histc(bins:min:max:): the range from inf to inf is not finite; pass another"
      ),
      (
        { x.histogram(edges: Tensor([2, 1])).counts },
        "histogram(edges:): expected at least two edges in ascending order, got shape [2]"
      ),
      (
        { x.histogram(edges: Tensor([1, Float.nan])).counts },
        "histogram(edges:): expected at least two edges in ascending order, got shape [2]"
      ),
      (
        { x.histogram(bins: 2, weights: Tensor.ones(3)).counts },
        "histogram(bins:): weights of shape [3] for elements of [2]"
      ),
      (
        { Tensor([1, 2]).histc() },
        "histc(bins:min:max:): int64 has no mean of its own type; cast(to: .float32) first"
      ),
    ]
    for (body, text) in mistakes { #expect(MessageTests.message(body) == text) }
  }
}
