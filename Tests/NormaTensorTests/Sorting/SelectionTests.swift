import NormaReference
import NormaTensor
import Testing

/// Elements by rank and frequency, against sorted rows.
@Suite struct SelectionTests {
  /// The most frequent element, the smallest if there are several, and its last index.
  static func slowMode(_ row: [Double]) -> Int {
    let order = slowOrder(row)
    var (best, last, run) = (0, 0, 0)
    for (place, index) in order.enumerated() {
      let same = place > 0 && !precedes(row[order[place - 1]], row[index])
      run = same ? run + 1 : 1
      if run > best { (best, last) = (run, index) }
    }
    return last
  }

  @Test(arguments: DType.orderedTypes) func everyArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[1], [33], [3, 5, 7], [2, 1, 4], [3, 530]] {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axis in shape.indices {
          let rank = (shape[axis] + 1) / 2
          let comment: Comment = "\(shape) \(axis) \(arrangement)"
          let (values, indices) = sample.tensor.kthValue(rank, over: axis, keepDims: true)
          #expect(values.dtype == dtype && indices.dtype == .int64)
          #expect(
            worstChain(indices, sample, over: axis) { [Double(slowOrder($0)[rank - 1])] } == 0,
            comment)
          #expect(
            worstChain(values, sample, over: axis) { $0.sorted()[rank - 1...rank - 1].map { $0 } }
              == 0, comment)
          let (most, places) = sample.tensor.mode(over: axis, keepDims: true)
          #expect(
            worstChain(places, sample, over: axis) { [Double(Self.slowMode($0))] } == 0, comment)
          #expect(
            worstChain(most, sample, over: axis) { [$0[Self.slowMode($0)]] } == 0, comment)
        }
      }
    }
  }

  @Test(arguments: [DType.float32, .float64], RowKind.allCases)
  func sizesAroundTheAlgorithms(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in switchSizes + (kind == .special ? [20_000] : []) {
      let row = kind.row(size, &random).map(dtype.rounded)
      let (x, order) = (Tensor(row, dtype: dtype), slowOrder(row))
      for rank in [1, 2, size / 3, size / 2, size - 1, size] where (1...size).contains(rank) {
        let (value, place) = x.kthValue(rank)
        #expect(place.item(as: Int.self) == order[rank - 1], "\(rank) of \(size)")
        #expect(isSame(value.item(), row[order[rank - 1]]))
      }
      let (most, place) = x.mode()
      #expect(place.item(as: Int.self) == Self.slowMode(row), "\(size)")
      #expect(isSame(most.item(), row[Self.slowMode(row)]))
    }
  }

  /// Keys that agree in their highest digits, so that every digit is examined.
  @Test func elementsThatAreClose() {
    var random = TestRandom(for: #function)
    let row = (0..<2000).map { _ in 1 + Double(random.next() % 997) * 0x1p-52 }
    let (x, order) = (Tensor(row), slowOrder(row))
    for rank in [1, 500, 1999] {
      #expect(x.kthValue(rank).indices.item(as: Int.self) == order[rank - 1])
    }
    let whole = row.map { Int(($0 - 1) * 0x1p52) - (1 << 62) }
    #expect(Tensor(whole).kthValue(777).values.item(as: Int.self) == whole.sorted()[776])
  }

  @Test func shapesAndMistakes() {
    let x = Tensor.zeros(2, 3)
    #expect(
      MessageTests.message { Tensor.zeros(2, 0).kthValue(1).values }
        == "kthValue(_:over:): axis 1 of shape [2, 0] has no elements")
    #expect(
      MessageTests.message { x.kthValue(4).values }
        == "kthValue(_:over:): rank 4 is out of range for axis 1 of shape [2, 3]; ranks are 1 ... 3"
    )
    #expect(x.kthValue(1).values.shape == [2] && x.mode(over: 0).indices.shape == [3])
    #expect(x.kthValue(1, over: 0, keepDims: true).indices.shape == [1, 3])
    #expect(Tensor.zeros(0, 3).mode().values.shape == [0])
    #expect(Tensor(Float(4)).kthValue(1).values.item() == 4)
    #expect(isSame(Tensor(Float(4)).mode().indices, Tensor(0)))
    for rank in [0, 4, -1] {
      #expect(
        MessageTests.message { x.kthValue(rank).values }
          == "kthValue(_:over:): rank \(rank) is out of range for axis 1 of shape [2, 3]; ranks "
          + "are 1 ... 3")
    }
    #expect(
      MessageTests.message { Tensor.zeros(2, 0).mode().values }
        == "mode(over:): axis 1 of shape [2, 0] has no elements")
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    for axis in 0..<3 {
      try checkGradient(of: { $0[0].kthValue(2, over: axis).values.exp() }, at: [x], order: 2)
      try checkGradient(
        of: { $0[0].mode(over: axis, keepDims: true).values.exp() }, at: [x], order: 2)
    }
    // All of it goes to the element at the reported index.
    let ties = Tensor([2, 5, 2, 5, 1] as [Float])
    let mode = Tensor.gradient(of: { $0.mode().values }, at: ties)
    #expect(mode.array(of: Int.self) == [0, 0, 1, 0, 0])
    let second = Tensor.gradient(of: { $0.kthValue(3).values }, at: ties)
    #expect(second.array(of: Int.self) == [0, 0, 1, 0, 0])
  }
}
