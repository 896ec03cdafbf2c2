import NormaReference
import NormaTensor
import Testing

/// Sorting along an axis, against its definition.
@Suite struct SortTests {
  static let shapes = [[1], [17], [3, 5, 7], [2, 1, 4], [4, 600], [600, 3], [3, 0, 2]]

  @Test(arguments: DType.orderedTypes) func everyArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in Self.shapes {
      for arrangement in Arrangement.allCases {
        let sample = Sample(shape, dtype, arrangement, random: &random)
        for axis in shape.indices {
          let descending = axis % 2 == 1
          let (values, indices) = sample.tensor.sorted(over: axis, descending: descending)
          #expect(values.dtype == dtype && indices.dtype == .int64)
          #expect(values.shape == shape && indices.shape == shape)
          let order = { (row: [Double]) in slowOrder(row, descending: descending) }
          let comment: Comment = "\(shape) \(axis) \(arrangement)"
          #expect(
            worstChain(indices, sample, over: axis) { order($0).map { Double($0) } } == 0, comment)
          #expect(
            worstChain(values, sample, over: axis) { row in order(row).map { row[$0] } } == 0,
            comment)
        }
      }
    }
  }

  /// Both algorithms, for 32 and 64 bits, with ties, NaN and zeros of both signs.
  @Test(arguments: [DType.float32, .float64, .float16], RowKind.allCases)
  func sizesAroundTheAlgorithms(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in switchSizes {
      let row = kind.row(size, &random).map(dtype.rounded)
      let x = Tensor(row, dtype: dtype)
      for descending in [false, true] {
        let order = slowOrder(row, descending: descending)
        let (values, indices) = x.sorted(descending: descending)
        #expect(indices.array(of: Int.self) == order, "\(size) \(descending)")
        #expect(isSame(values.array(), order.map { row[$0] }), "\(size) \(descending)")
        #expect(isSame(x.argsorted(descending: descending), indices))
        for count in [0, 1, size / 5, size / 2, size] {
          let (most, places) = x.topK(count, largest: descending)
          #expect(places.array(of: Int.self) == Array(order.prefix(count)), "\(count) of \(size)")
          #expect(isSame(most.array(), order.prefix(count).map { row[$0] }))
        }
      }
    }
  }

  /// Integers at the ends of their types.
  @Test func extremeIntegers() {
    let wide = [Int.max, 0, Int.min, -1, 1, Int.max - 1, Int.min + 1, 1 << 53, (1 << 53) + 1]
    #expect(Tensor(wide).sorted().values.array(of: Int.self) == wide.sorted())
    #expect(
      Tensor(wide).sorted(descending: true).values.array(of: Int.self) == wide.sorted(by: >))
    #expect(Tensor(wide).kthValue(9).values.item(as: Int.self) == Int.max)
    #expect(Tensor(wide).topK(2).values.array(of: Int.self) == [Int.max, Int.max - 1])
    let narrow = [Int32.max, 0, .min, -1, 1]
    #expect(Tensor(narrow).sorted().values.array(of: Int32.self) == narrow.sorted())
    let bytes = (0..<1000).map { UInt8(truncatingIfNeeded: $0 * 7) }
    #expect(Tensor(bytes).sorted().values.array(of: UInt8.self) == bytes.sorted())
    #expect(Tensor([true, false, true]).argsorted().array(of: Int.self) == [1, 0, 2])
  }

  /// Subnormal numbers of both signs are ordered.
  @Test func smallestNumbers() {
    let tiny = Float.leastNonzeroMagnitude
    let x = Tensor([tiny, -tiny, 0, 2 * tiny, -2 * tiny])
    #expect(x.argsorted().array(of: Int.self) == [4, 1, 2, 0, 3])
    let wide = Double.leastNonzeroMagnitude
    #expect(Tensor([wide, -wide, 0]).argsorted().array(of: Int.self) == [1, 2, 0])
  }

  /// PyTorch's results.
  @Test func known() {
    let x = Tensor([3, .nan, -0.0, 0, .infinity, -.nan, 3] as [Float])
    let (values, indices) = x.sorted()
    #expect(indices.array(of: Int.self) == [2, 3, 0, 6, 4, 1, 5])
    #expect(isSame(values.array(), [-0.0, 0, 3, 3, .infinity, .nan, .nan]))
    #expect(x.argsorted(descending: true).array(of: Int.self) == [1, 5, 4, 0, 6, 2, 3])
    #expect(x.topK(3).indices.array(of: Int.self) == [1, 5, 4])
    #expect(x.topK(3, largest: false).indices.array(of: Int.self) == [2, 3, 0])
  }

  /// The path that keeps few of many.
  @Test(arguments: RowKind.allCases) func fewOfALongRow(kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(kind)")
    let row = kind.row(12_000, &random).map(DType.float32.rounded)
    let order = slowOrder(row)
    let x = Tensor(row, dtype: .float32)
    for count in [1, 255, 256, 257, 2_900] {
      let places = x.topK(count, largest: false).indices
      #expect(places.array(of: Int.self) == Array(order.prefix(count)), "\(count)")
    }
    #expect(x.argsorted().array(of: Int.self) == order)
  }

  /// Sorted, complete, and stable.
  @Test(arguments: DType.orderedTypes) func longRows(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let count = 100_000
    let x = Sample([count], dtype, random: &random, mean: 0, std: 1e3).tensor
    for descending in [false, true] {
      let (values, indices) = x.sorted(descending: descending)
      func next(_ x: Tensor) -> Tensor { x.narrowed(over: 0, from: 1, count: count - 1) }
      func own(_ x: Tensor) -> Tensor { x.narrowed(over: 0, from: 0, count: count - 1) }
      let isInOrder =
        descending ? next(values) .<= own(values) : next(values) .>= own(values)
      let keepsTies = (next(values) .!= own(values)) + (next(indices) .> own(indices))
      #expect(isInOrder.all().item() == 1 && keepsTies.all().item() == 1)
      #expect(isSame(x.gathered(indices, over: 0), values))
      #expect(isSame(indices.sorted().values, Tensor.arange(count)))
    }
  }

  @Test func sameOnAnyNumberOfThreads() {
    var random = TestRandom(for: #function)
    let x = Sample([70, 600], .float32, random: &random).tensor
    let rounded = (x * 4).cast(to: .int32).evaluated()
    for tensor in [x, rounded, x.transposed()] {
      let one = withThreads(1) { tensor.sorted() }
      let two = withThreads(2) { tensor.sorted() }
      #expect(isSame(one.values, two.values) && isSame(one.indices, two.indices))
      #expect(
        isSame(
          withThreads(1) { tensor.topK(9).indices }, withThreads(2) { tensor.topK(9).indices }))
      #expect(
        isSame(
          withThreads(1) { tensor.mode().indices }, withThreads(2) { tensor.mode().indices }))
    }
  }

  @Test func flippedRows() {
    let x = Tensor.arange(12, dtype: .float32).reshaped(3, 4)
    #expect(isSame(x.flipped(over: 1).sorted(over: 1).values, x))
    #expect(isSame(x.flipped(over: 0).sorted(over: 0, descending: true).values, x.flipped(over: 0)))
    #expect(x.flipped(over: 1).argsorted(over: 1)[0].array(of: Int.self) == [3, 2, 1, 0])
  }

  @Test func nothingAndSingleNumbers() {
    #expect(Tensor.zeros(0).sorted().values.shape == [0])
    #expect(Tensor.zeros(0, 3).sorted(over: 0).indices.shape == [0, 3])
    #expect(Tensor.zeros(3, 2).topK(0, over: 0).values.shape == [0, 2])
    let number = Tensor(Float(3))
    #expect(isSame(number.sorted().values, number))
    #expect(isSame(number.argsorted(over: 0), Tensor(0)))
    #expect(isSame(number.topK(1).values, number))
  }

  @Test func mistakes() {
    let x = Tensor.zeros(2, 3)
    #expect(
      MessageTests.message { x.topK(4).values }
        == "topK(_:over:): cannot select 4 elements of axis 1 of shape [2, 3]")
    #expect(
      MessageTests.message { x.topK(-1).values }
        == "topK(_:over:): cannot select -1 elements of axis 1 of shape [2, 3]")
    #expect(
      MessageTests.message { x.argsorted(over: 2) }
        == "argsorted(over:descending:): axis 2 is out of range for shape [2, 3]; valid axes are "
        + "-2 ..< 2")
  }

  @Test func gradients() throws {
    let x = (Tensor.arange(24, dtype: .float64) * 2.7).sin().reshaped(2, 3, 4)
    for axis in 0..<3 {
      try checkGradient(of: { $0[0].sorted(over: axis).values.exp() }, at: [x], order: 2)
      try checkGradient(of: { $0[0].topK(2, over: axis).values.exp() }, at: [x])
      try checkGradient(
        of: { $0[0].permuted(2, 0, 1).sorted(over: axis, descending: true).values.exp() }, at: [x])
    }
    try checkGradient(of: { $0[0].topK(1).values.exp() }, at: [Tensor(0.3)])
  }
}
