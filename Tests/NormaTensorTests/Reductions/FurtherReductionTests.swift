import NormaReference
import NormaTensor
import Testing

/// Products, Boolean reductions, indices of extremes, and sums that ignore NaN, against their
/// definition.
@Suite struct FurtherReductionTests {
  static let shapes = [[3, 5, 7], [4, 3, 2, 5], [33], [2, 1100], [700, 2]]

  @Test(arguments: DType.allCases) func everySubsetOfAxesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in Self.shapes {
      for arrangement in Arrangement.allCases {
        // Factors around 1, so that products stay in range.
        let sample = Sample(shape, dtype, arrangement, random: &random, mean: 1, std: 0.01)
        let x = sample.tensor
        for axes in subsets(shape.count) {
          let groups = groups(sample.values, shape, over: axes)
          if dtype.isFloatingPoint {
            let product = x.product(over: axes).array(of: Double.self)
            let bound = dtype == .float64 ? 4000.0 : 0.5001
            let worst = zip(product, groups).reduce(0) { worst, pair in
              max(worst, ulps(pair.0, pair.1.reduce(1, *), dtype))
            }
            #expect(worst <= bound, "\(shape) \(axes) \(arrangement)")
          }
          let expected = groups.map { group in Double(group.count { $0 != 0 }) }
          let full = Double(groups.first?.count ?? 0)
          #expect(x.countNonZero(over: axes).array(of: Double.self) == expected)
          #expect(x.any(over: axes).array(of: Bool.self) == expected.map { $0 > 0 })
          #expect(
            x.all(over: axes, keepDims: true).array(of: Bool.self) == expected.map { $0 == full })
        }
      }
    }
  }

  @Test(arguments: DType.allCases) func indicesOfExtremes(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in Self.shapes + [[3, 1, 40], [2, 70, 33]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axis in shape.indices {
          let (most, high) = sample.tensor.maxWithIndices(over: axis, keepDims: true)
          let (least, low) = sample.tensor.minWithIndices(over: axis, keepDims: true)
          #expect(most.dtype == dtype && high.dtype == .int64)
          #expect(
            worstChain(most, sample, over: axis) { [$0.max() ?? 0] } == 0,
            "\(shape) \(axis) \(arrangement)")
          #expect(worstChain(least, sample, over: axis) { [$0.min() ?? 0] } == 0)
          #expect(
            worstChain(high, sample, over: axis) { row in
              [Double(row.firstIndex(of: row.max() ?? 0) ?? -1)]
            } == 0)
          #expect(
            worstChain(low, sample, over: axis) { row in
              [Double(row.firstIndex(of: row.min() ?? 0) ?? -1)]
            } == 0)
          #expect(isSame(sample.tensor.argmax(over: axis, keepDims: true), high))
        }
      }
    }
  }

  /// A long single row is searched in pieces.
  @Test func indicesInALongRow() {
    var values = [Float](repeating: 0, count: 300_000)
    (values[170_000], values[260_000], values[299_999]) = (2, 2, -1)
    let x = Tensor(values)
    for threads in [1, 4] {
      #expect(withThreads(threads) { x.argmax().item(as: Int.self) } == 170_000)
      #expect(withThreads(threads) { x.argmin().item(as: Int.self) } == 299_999)
    }
    values[80_000] = .nan
    #expect(withThreads(4) { Tensor(values).argmax().item(as: Int.self) } == 80_000)
  }

  @Test func integerProductsWrap() {
    let factors = [3, -5, (1 << 40) + 1, (1 << 30) + 7]
    #expect(Tensor(factors).product().item(as: Int.self) == factors.reduce(1, &*))
    #expect(Tensor([7, 200] as [UInt8]).product().dtype == .int64)
    #expect(Tensor([7, 200] as [UInt8]).product().item() == 1400)
    #expect(Tensor([true, true]).product().item() == 1)
  }

  @Test func emptyTensors() {
    let x = Tensor.zeros(2, 0)
    #expect(isSame(x.product(over: 1), Tensor([1, 1] as [Float])))
    #expect(isSame(Tensor.zeros([0], dtype: .int64).product(), Tensor(1)))
    #expect(isSame(x.any(), Tensor(false)) && isSame(x.all(), Tensor(true)))
    #expect(x.countNonZero(over: 0).shape == [0] && x.countNonZero().item() == 0)
    #expect(x.nanSum().item() == 0 && x.nanMean().item().isNaN)
    #expect(
      MessageTests.message { x.maxWithIndices(over: 1).values }
        == "maxWithIndices(over:): axis 1 of shape [2, 0] has no elements to choose from")
  }

  @Test func ignoresNaN() {
    let nan = Float.nan
    let x = Tensor([1, nan, 3, nan, nan, nan, .infinity, 2, nan], shape: [3, 3])
    #expect(isSame(x.nanSum(over: 1), Tensor([4, 0, .infinity] as [Float])))
    #expect(isSame(x.nanMean(over: 1, keepDims: true), Tensor([[2], [nan], [.infinity]])))
    #expect(isSame(Tensor([1, 2]).nanSum(), Tensor(3)))
    #expect(x.any(over: 1).array(of: Bool.self) == [true, true, true])
    #expect(x.countNonZero().item() == 9)
  }

  @Test func gradients() throws {
    let x = Tensor([0.5, 0, -1.5, 2, 0, 0.7, 0, 0, 1.2, 0.3, -0.4, 0.9], shape: [2, 3, 2])
    for axes in [[], [0], [1], [0, 2], [2, 1], [0, 1, 2]] {
      try checkGradient(of: { $0[0].product(over: axes) }, at: [x], order: 2)
      try checkGradient(of: { $0[0].nanMean(over: axes).exp() }, at: [x], order: 2)
    }
    let apart = Tensor.arange(12, dtype: .float64).reshaped(3, 4).sin() * 3
    try checkGradient(of: { $0[0].maxWithIndices(over: 0).values.exp() }, at: [apart], order: 2)
    try checkGradient(of: { $0[0].minWithIndices(over: 1).values.exp() }, at: [apart], order: 2)
    let slope = Tensor.gradient(
      of: { $0.nanSum() + $0.nanMean() }, at: Tensor([1, .nan, 3] as [Float]))
    #expect(slope.array(of: Float.self) == [1.5, 0, 1.5])
    // All of it goes to the first of equal elements.
    let first = Tensor.gradient(
      of: { $0.maxWithIndices(over: 0).values }, at: Tensor([2, 5, 5] as [Float]))
    #expect(first.array(of: Float.self) == [0, 1, 0])
  }

  @Test func differences() throws {
    let x = Tensor([1, 4, 9, 16, 25] as [Float])
    #expect(x.difference().array(of: Float.self) == [3, 5, 7, 9])
    #expect(x.difference(2).array(of: Float.self) == [2, 2, 2])
    #expect(x.difference(9).shape == [0] && isSame(x.difference(0), x))
    #expect(
      x.difference(prepending: Tensor([0] as [Float]), appending: Tensor([26] as [Float]))
        .array(of: Float.self) == [1, 3, 5, 7, 9, 1])
    #expect(Tensor([true, true, false]).difference().array(of: Bool.self) == [false, true])
    try checkGradient(
      of: { $0[0].difference(2, over: 0, prepending: $0[1], appending: $0[1]).exp() },
      at: [Tensor.arange(12, dtype: .float64).reshaped(3, 4) / 9, .ones([2, 4], dtype: .float64)])
    #expect(
      MessageTests.message { x.difference(-1) }
        == "difference(_:over:): order must not be negative, got -1")
  }

  @Test func lengths() throws {
    let a = Tensor([1, 2, 2] as [Float])
    #expect(Tensor.distance(a, Tensor(Float(0))).item() == 3)
    #expect(Tensor.distance(a, a, p: 1).item() == 0)
    let x = Tensor([3, 4, 0.3, 0.4] as [Float], shape: [2, 2])
    let short = x.renormalized(over: 0, maximum: 1).array(of: Double.self)
    #expect(zip(short, [0.6, 0.8, 0.3, 0.4]).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(Tensor.ones(2, 3, 4).summed(to: [3, 1]).array(of: Float.self) == [8, 8, 8])
    #expect(
      MessageTests.message { Tensor.ones(10, 5, 10).summed(to: [10, 10]) }
        == "summed(to:): shape [10, 10] does not broadcast to [10, 5, 10], so it is not a sum of "
        + "it")
    let inputs = [Tensor.arange(12, dtype: .float64).reshaped(3, 4) / 7, Tensor([0.3])]
    try checkGradient(of: { Tensor.distance($0[0], $0[1], p: 3) }, at: inputs)
    try checkGradient(of: { $0[0].renormalized(3, over: 1, maximum: 0.8) }, at: [inputs[0]])
    try checkGradient(of: { $0[0].exp().summed(to: [1, 4]) }, at: [inputs[0]])
  }
}
