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

/// Cumulative results against their definition.
@Suite struct ScanTests {
  static let shapes = [[1], [17], [3, 5, 7], [2, 1, 4], [4, 600], [600, 3], [3, 0, 2]]

  @Test(arguments: DType.realTypes) func realNumbersInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in Self.shapes {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random, mean: 0.2, std: 0.5)
        let x = sample.tensor
        for axis in shape.indices {
          // Sums in Double of numbers of float64 are not exact. Those of half types are rounded to
          // float32 first, which moves one in 4,000 over the middle between two numbers.
          let size = { (row: [Double]) in row.reduce(0) { $0 + abs($1) } * 0x1p-50 }
          #expect(
            worstChain(x.cumulativeSum(over: axis), sample, over: axis, slack: size) {
              running($0, +)
            } <= ([.float16, .bfloat16].contains(dtype) ? 0.5001 : 0.5), "\(shape) \(arrangement)")
          #expect(
            worstChain(x.cumulativeProduct(over: axis), sample, over: axis) { running($0, *) }
              <= 0.5001, "\(shape) \(arrangement)")
          #expect(
            worstChain(x.logCumulativeSumExp(over: axis - shape.count), sample, over: axis) {
              running($0) { a, b in Swift.max(a, b) + log1p(exp(-abs(a - b))) }
            } <= (dtype == .float64 ? 700 : 0.6), "\(shape) \(arrangement)")
        }
      }
    }
  }

  @Test(arguments: DType.allCases) func extremesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in Self.shapes {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axis in shape.indices {
          let (most, indices) = sample.tensor.cumulativeMax(over: axis)
          let (least, lows) = sample.tensor.cumulativeMin(over: axis)
          #expect(most.dtype == dtype && indices.dtype == .int64 && indices.shape == shape)
          #expect(worstChain(most, sample, over: axis) { running($0, max) } == 0)
          #expect(worstChain(least, sample, over: axis) { running($0, min) } == 0)
          #expect(worstChain(indices, sample, over: axis) { lastIndices($0, >=) } == 0)
          #expect(worstChain(lows, sample, over: axis) { lastIndices($0, <=) } == 0)
        }
      }
    }
  }

  /// The index of the best element so far, the last of several.
  private func lastIndices(
    _ values: [Double], _ replaces: (Double, Double) -> Bool
  ) -> [Double] {
    var (indices, best): ([Double], Int) = ([], 0)
    for (index, value) in values.enumerated() {
      if replaces(value, values[best]) { best = index }
      indices.append(Double(best))
    }
    return indices
  }

  @Test(arguments: [DType.bool, .uint8, .int32, .int64]) func integersGiveInt64(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for arrangement in Arrangement.allCases {
      let sample = Sample([3, 5, 70], dtype, arrangement, random: &random)
      let sum = sample.tensor.cumulativeSum(over: 2)
      #expect(sum.dtype == .int64)
      #expect(worstChain(sum, sample, over: 2) { running($0, +) } == 0)
    }
    let factors = Tensor([3, 1, 0, 5]).cast(to: dtype)
    let product = factors.cumulativeProduct(over: 0)
    #expect(product.dtype == .int64)
    #expect(product.array(of: Int.self) == (dtype == .bool ? [1, 1, 0, 0] : [3, 3, 0, 0]))
    // 2^62 * 4 wraps.
    #expect(
      Tensor([1 << 62, 4, 3]).cumulativeProduct(over: 0).array(of: Int.self)[1...] == [0, 0])
  }

  /// Values that PyTorch gives.
  @Test func specialValues() {
    let (nan, inf) = (Float.nan, Float.infinity)
    let x = Tensor([1, nan, 2, nan, 3])
    let (values, indices) = x.cumulativeMax(over: 0)
    #expect(isSame(values, Tensor([1, nan, nan, nan, nan])))
    #expect(indices.array(of: Int.self) == [0, 1, 1, 3, 3])
    #expect(isSame(Tensor([inf, -inf, 1]).cumulativeSum(over: 0), Tensor([inf, nan, nan])))
    #expect(
      isSame(Tensor([-inf, -inf]).logCumulativeSumExp(over: 0), Tensor([-inf, -inf])))
    #expect(isSame(Tensor([-inf, inf, 1]).logCumulativeSumExp(over: 0), Tensor([-inf, inf, inf])))
    // Neither overflows.
    #expect(
      Tensor([1000, 1000, -1000] as [Float]).logCumulativeSumExp(over: 0).array(of: Float.self)
        == [1000, 1000.69315, 1000.69315])
    let number = Tensor(Float(3))
    #expect(isSame(number.cumulativeSum(over: -1), number))
    #expect(isSame(number.cumulativeMax(over: 0).indices, Tensor(0)))
  }

  @Test func gradients() throws {
    let withZeros = Tensor([0.5, 0, -1.5, 2, 0, 0.7, 0, 0, 1.2, 0.3, -0.4, 0.9], shape: [3, 4])
    for axis in [0, 1] {
      try checkGradient(of: { $0[0].cumulativeSum(over: axis) }, at: [withZeros], order: 2)
      try checkGradient(of: { $0[0].cumulativeProduct(over: axis) }, at: [withZeros], order: 2)
      try checkGradient(of: { $0[0].logCumulativeSumExp(over: axis) }, at: [withZeros], order: 2)
      let apart = Tensor.arange(12, dtype: .float64).reshaped(3, 4).sin() * 3
      try checkGradient(of: { $0[0].cumulativeMax(over: axis).values.exp() }, at: [apart], order: 2)
      try checkGradient(of: { $0[0].cumulativeMin(over: axis).values.exp() }, at: [apart], order: 2)
    }
  }

  /// The order of sums does not depend on threads.
  @Test func sameBitsOnAnyNumberOfThreads() {
    var random = TestRandom(for: #function)
    let x = Sample([70, 1100], .float32, random: &random).tensor
    for axis in [0, 1] {
      let one = withThreads(1) { x.cumulativeSum(over: axis).evaluated() }
      let four = withThreads(4) { x.cumulativeSum(over: axis).evaluated() }
      #expect(isSame(one, four))
      #expect(
        isSame(
          withThreads(3) { x.cumulativeMax(over: axis).indices },
          withThreads(1) { x.cumulativeMax(over: axis).indices }))
    }
  }

  @Test func mistakes() {
    let x = Tensor.ones(5, 2)
    #expect(
      MessageTests.message { x.logCumulativeSumExp(over: 3) }
        == "logCumulativeSumExp(over:): axis 3 is out of range for shape [5, 2]; valid axes are "
        + "-2 ..< 2")
    #expect(
      MessageTests.message { Tensor([1, 2]).logCumulativeSumExp(over: 0) }
        == "logCumulativeSumExp(over:): int64 is not real; cast(to: .float32) first")
  }
}
