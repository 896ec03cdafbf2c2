import NormaReference
import NormaTensor
import Testing

/// Medians against sorted rows.
@Suite struct MedianTests {
  /// The lower of the two in the middle; NaN wins.
  static func slow(_ row: [Double]) -> Double {
    row.contains { $0.isNaN } ? .nan : row.sorted()[(row.count - 1) / 2]
  }

  @Test(arguments: DType.allCases) func everySubsetOfAxesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[3, 5, 7], [4, 3, 2, 5], [33], [2, 520]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axes in subsets(shape.count) {
          // An empty list of axes cannot be passed here: no axes mean all.
          let named = axes.isEmpty ? Array(shape.indices) : axes
          let expected = groups(sample.values, shape, over: named).map(Self.slow)
          let comment: Comment = "\(shape) \(axes) \(arrangement)"
          func median(_ x: Tensor) -> Tensor {
            switch axes.count {
            case 1: x.median(over: axes[0])
            case 2: x.median(over: axes[0], axes[1])
            case 3: x.median(over: axes[0], axes[1], axes[2])
            default: x.median()
            }
          }
          let result = median(sample.tensor)
          #expect(result.dtype == dtype, comment)
          #expect(result.array(of: Double.self) == expected, comment)
          if axes.count == 1 {
            let (values, indices) = sample.tensor.medianWithIndices(over: axes[0])
            #expect(isSame(values, result), comment)
            #expect(
              worstChain(indices.unsqueezed(axes[0]), sample, over: axes[0]) { row in
                [Double(slowOrder(row)[(row.count - 1) / 2])]
              } == 0, comment)
          }
        }
      }
    }
  }

  @Test(arguments: [DType.float32, .float64], RowKind.allCases)
  func sizesAroundTheAlgorithms(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in switchSizes {
      let row = kind.row(size, &random).map(dtype.rounded)
      let x = Tensor(row, dtype: dtype)
      #expect(isSame([x.median().item() + 0], [Self.slow(row) + 0]), "\(size)")
      let numbers = row.filter { !$0.isNaN }
      let left = numbers.isEmpty ? Double.nan : Self.slow(numbers)
      #expect(isSame([x.nanMedian().item() + 0], [left + 0]), "\(size)")
      let (value, index) = x.nanMedianWithIndices(over: 0)
      #expect(isSame(value.item(), row[index.item(as: Int.self)]))
      let (first, at) = x.medianWithIndices(over: 0)
      let nan = row.firstIndex { $0.isNaN }
      #expect(nan == nil || at.item(as: Int.self) == nan && first.item().isNaN)
    }
  }

  @Test func edges() {
    #expect(Tensor.zeros(0).median().item().isNaN && Tensor.zeros(2, 0).nanMedian().item().isNaN)
    #expect(Tensor.zeros(0, 2).median(over: 1).shape == [0])
    #expect(Tensor(Float(3)).median().item() == 3)
    #expect(isSame(Tensor(Float(3)).medianWithIndices(over: 0).indices, Tensor(0)))
    let none = Tensor([Float.nan, .nan])
    #expect(none.nanMedian().item().isNaN)
    #expect(none.nanMedianWithIndices(over: 0).indices.item(as: Int.self) == 0)
    #expect(Tensor([4, 1, 3, 2]).median().item() == 2)
    #expect(Tensor.zeros(2, 3).median(over: 1, keepDims: true).shape == [2, 1])
    #expect(
      MessageTests.message { Tensor.zeros(2, 0).median(over: 1) }
        == "median(over:): shape [2, 0] has no elements over axes [1] to choose from")
    #expect(
      MessageTests.message { Tensor.zeros([0], dtype: .int64).median() }
        == "median(over:): shape [0] has no elements over axes [0] to choose from")
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    try checkGradient(of: { $0[0].median().exp() }, at: [x], order: 2)
    try checkGradient(of: { $0[0].median(over: 0, 2).exp() }, at: [x], order: 2)
    for axis in 0..<3 {
      try checkGradient(of: { $0[0].medianWithIndices(over: axis).values.exp() }, at: [x], order: 2)
    }
    // Shared by all equal ones, or all of it to the reported index, as in PyTorch.
    let ties = Tensor([2, 1, 2, 3] as [Float])
    #expect(Tensor.gradient(of: { $0.median() }, at: ties).array() == [0.5, 0, 0.5, 0])
    let one = Tensor.gradient(of: { $0.medianWithIndices(over: 0).values }, at: ties)
    #expect(one.array() == [1, 0, 0, 0])
  }
}
