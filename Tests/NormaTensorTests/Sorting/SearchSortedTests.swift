import NormaReference
import NormaTensor
import Testing

/// Positions in sorted rows, against counting.
@Suite struct SearchSortedTests {
  /// The number of elements before a value; NaN is at the end.
  static func slow(_ row: [Double], _ value: Double, right: Bool) -> Int {
    if value.isNaN { return right ? row.count : row.count { !$0.isNaN } }
    return row.count { right ? $0 <= value : $0 < value }
  }

  @Test(arguments: DType.orderedTypes) func everyArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let cases = [
      ([1], 3), ([40], 7), ([3, 17], 5), ([2, 9], 20), ([2, 3, 16], 1), ([2, 0], 3),
    ]
    for (shape, perRow) in cases {
      for arrangement in Arrangement.allCases {
        let rows = Sample(shape, dtype, arrangement, random: &random, std: 9)
        let (sorted, order) = rows.tensor.sorted()
        let last = shape.count - 1
        let target = Array(shape.dropLast()) + [perRow]
        let values = Sample(target, dtype, arrangement, random: &random, std: 9)
        // Some of them equal to elements.
        let wanted =
          shape.last == 0
          ? values.tensor
          : Tensor.concatenated(
            [values.tensor, rows.tensor.narrowed(over: -1, from: 0, count: 1)], over: -1)
        for right in [false, true] {
          let indices = sorted.searchSorted(wanted, right: right)
          #expect(indices.dtype == .int64 && indices.shape == wanted.shape)
          let (own, looked) = (chains(rows.tensor, over: last), chains(wanted, over: last))
          let expected = zip(own, looked).flatMap { row, values in
            values.map { Self.slow(row, $0, right: right) }
          }
          #expect(indices.array(of: Int.self) == expected, "\(shape) \(arrangement) \(right)")
          #expect(
            isSame(rows.tensor.searchSorted(wanted, right: right, sorter: order), indices),
            "\(shape) \(arrangement)")
        }
      }
    }
  }

  @Test func oneRowServesAnyShape() {
    let edges = Tensor([1, 3, 3, 5] as [Float])
    let x = Tensor([0, 1, 2, 3, 4, 9], shape: [2, 3])
    #expect(edges.searchSorted(x).array(of: Int.self) == [0, 0, 1, 1, 3, 4])
    #expect(edges.searchSorted(x, right: true).array(of: Int.self) == [0, 1, 1, 3, 3, 4])
    #expect(isSame(x.bucketized(by: edges), edges.searchSorted(x)))
    #expect(isSame(x.transposed().bucketized(by: edges), edges.searchSorted(x).transposed()))
    #expect(edges.searchSorted(Tensor(Float(3))).item(as: Int.self) == 1)
    #expect(edges.searchSorted(Tensor(Float(3)), right: true).shape == [])
    #expect(Tensor.zeros(0).searchSorted(x).array(of: Int.self) == [0, 0, 0, 0, 0, 0])
    #expect(edges.searchSorted(Tensor.zeros(2, 0)).shape == [2, 0])
  }

  @Test func specialValues() {
    let row = Tensor([-.infinity, -0.0, 0, 2, .infinity, .nan, .nan] as [Float])
    let values = Tensor([-.infinity, 0, -0.0, 1, 3, .infinity, .nan] as [Float])
    #expect(row.searchSorted(values).array(of: Int.self) == [0, 1, 1, 3, 4, 4, 5])
    #expect(row.searchSorted(values, right: true).array(of: Int.self) == [1, 3, 3, 3, 4, 5, 7])
    // In a custom order, and with more values than one step looks up.
    let (sorted, order) = (Tensor([2, .nan, 1] as [Double]), Tensor([2, 0, 1]))
    let many = Tensor([Double](repeating: .nan, count: 9))
    #expect(sorted.searchSorted(many, sorter: order).array(of: Int.self).allSatisfy { $0 == 2 })
    #expect(Tensor([Double.nan]).searchSorted(many).array(of: Int.self).allSatisfy { $0 == 0 })
    #expect(Tensor([1.0, 2]).searchSorted(many).array(of: Int.self).allSatisfy { $0 == 2 })
  }

  /// Integers that float32 and Double cannot distinguish.
  @Test func exactIntegers() {
    let row = Tensor([(1 << 53) - 1, 1 << 53, (1 << 53) + 1, Int.max])
    #expect(row.searchSorted(Tensor([(1 << 53) + 1, Int.max])).array(of: Int.self) == [2, 3])
    let mixed = Tensor([1, 2, 3]).searchSorted(Tensor([1.5, 3] as [Float]))
    #expect(mixed.array(of: Int.self) == [1, 2])
  }

  @Test func sameOnAnyNumberOfThreads() {
    var random = TestRandom(for: #function)
    let row = Sample([5000], .float32, random: &random).tensor.sorted().values
    let x = Sample([60_000], .float32, random: &random).tensor
    #expect(
      isSame(withThreads(1) { row.searchSorted(x) }, withThreads(2) { row.searchSorted(x) }))
  }

  @Test func mistakes() {
    let x = Tensor.zeros(2, 3)
    #expect(
      MessageTests.message { x.searchSorted(Tensor.zeros(3, 4)) }
        == "searchSorted(_:right:sorter:): values of shape [3, 4] do not match shape [2, 3]: all "
        + "axes but the last must be equal, or the sorted tensor must have one axis")
    #expect(
      MessageTests.message { x.searchSorted(x, sorter: Tensor([[0, 1, 3], [0, 1, 2]])) }
        == "searchSorted(_:right:sorter:): index 3 in the sorter is outside of 0 ..< 3")
    #expect(
      MessageTests.message { x.searchSorted(x, sorter: x) }
        == "searchSorted(_:right:sorter:): the sorter must be integers of shape [2, 3], got "
        + "float32 [2, 3]")
    #expect(
      MessageTests.message { x.bucketized(by: x) }
        == "bucketized(by:): boundaries must have one axis, got shape [2, 3]")
    #expect(MessageTests.message { Tensor(Float(1)).searchSorted(x) } != "nothing was wrong")
  }
}
