import NormaReference
import NormaTensor
import Testing

/// Distinct elements and slices, against dictionaries.
@Suite struct UniqueTests {
  /// The distinct rows in lexicographic order; for each row, the index of its value among them; and
  /// the counts.
  static func slow(_ rows: [[Double]]) -> (values: [[Double]], inverse: [Int], counts: [Int]) {
    var counts: [[Double]: Int] = [:]
    for row in rows { counts[row, default: 0] += 1 }
    let values = counts.keys.sorted { $0.lexicographicallyPrecedes($1) }
    let numbers = Dictionary(uniqueKeysWithValues: values.enumerated().map { ($1, $0) })
    return (values, rows.map { numbers[$0] ?? -1 }, values.map { counts[$0] ?? -1 })
  }

  @Test(arguments: DType.orderedTypes) func everyArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[], [1], [40], [3, 5, 7], [2, 1, 4], [5, 130], [3, 0, 2]] {
      for arrangement in Arrangement.allCases {
        let wide = Sample(shape, dtype, arrangement, random: &random, mean: 0, std: 3)
        // Few distinct ones.
        let x =
          dtype == .bool
          ? wide.tensor
          : (wide.tensor.cast(to: .int32) / 2).floor()
            .cast(to: dtype)
        let elements = x.array(of: Double.self)
        let expected = Self.slow(elements.map { [$0] })
        let (values, inverse, counts) = x.unique()
        let comment: Comment = "\(shape) \(arrangement)"
        #expect(values.dtype == dtype && inverse.dtype == .int64 && counts.dtype == .int64)
        #expect(values.array(of: Double.self) == expected.values.map { $0[0] }, comment)
        #expect(inverse.shape == shape && inverse.array(of: Int.self) == expected.inverse, comment)
        #expect(counts.array(of: Int.self) == expected.counts, comment)
      }
    }
  }

  @Test(arguments: DType.orderedTypes) func slicesInEveryArrangement(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    for shape in [[1], [40], [30, 2], [9, 2, 3], [2, 40, 1], [1, 1]] {
      for arrangement in Arrangement.allCases {
        let wide = Sample(shape, dtype, arrangement, random: &random, mean: 0, std: 1)
        let x =
          wide.tensor.cast(to: .bool).cast(to: dtype)
          + (wide.tensor .> 0).cast(to: dtype)
        for axis in shape.indices {
          let rows = groups(
            x.array(of: Double.self), shape, over: shape.indices.filter { $0 != axis })
          let expected = Self.slow(rows)
          let (values, inverse, counts) = x.unique(over: axis)
          let comment: Comment = "\(shape) \(axis) \(arrangement)"
          var target = shape
          target[axis] = expected.values.count
          #expect(values.dtype == dtype && values.shape == target, comment)
          let found = groups(
            values.array(of: Double.self), target, over: shape.indices.filter { $0 != axis })
          #expect(found == expected.values, comment)
          #expect(inverse.array(of: Int.self) == expected.inverse, comment)
          #expect(counts.array(of: Int.self) == expected.counts, comment)
        }
      }
    }
  }

  /// The inverse restores the tensor, at sizes of both sorts.
  @Test func inverse() {
    var random = TestRandom(for: #function)
    for size in switchSizes + [20_000] {
      let row = RowKind.ties.row(size, &random)
      let x = Tensor(row, dtype: .float32)
      let (values, inverse, counts) = x.unique()
      #expect(isSame(values.gathered(inverse, over: 0), x))
      #expect(counts.sum().item(as: Int.self) == size)
      let (slices, back, numbers) = x.reshaped(-1, 1).unique(over: 0)
      #expect(isSame(slices.squeezed(1), values) && isSame(back, inverse))
      #expect(isSame(numbers, counts))
    }
  }

  /// Integers that are counted in a table, and those whose range is too large for that.
  @Test(arguments: [DType.uint8, .int32, .int64]) func closeAndFarIntegers(dtype: DType) {
    var random = TestRandom(for: "\(#function) \(dtype)")
    let ends: (Int, Int) =
      switch dtype {
      case .uint8: (0, 255)
      case .int32: (Int(Int32.min), Int(Int32.max))
      default: (.min, .max)
      }
    for (count, width) in [(1, 1), (5, 255), (5, 256), (300, 256), (700, 699), (700, 701)] {
      for start in [ends.0, -3, 0, ends.1 - width] where start >= ends.0 {
        let room = start > ends.1 - width ? ends.1 - start : width
        var row = (0..<count).map { _ in start + Int(random.next() % UInt64(room + 1)) }
        row[0] = start
        row[count - 1] = start + room
        let (values, inverse, counts) = Tensor(row).cast(to: dtype).unique()
        let different = Set(row).sorted()
        let comment: Comment = "\(count) from \(start) on"
        #expect(values.dtype == dtype && values.array(of: Int.self) == different, comment)
        #expect(inverse.array(of: Int.self).map { different[$0] } == row, comment)
        #expect(
          counts.array(of: Int.self) == different.map { value in row.count { $0 == value } },
          comment)
      }
    }
    let far = Tensor([ends.1, ends.0, ends.1]).cast(to: dtype).unique()
    #expect(far.values.array(of: Int.self) == [ends.0, ends.1])
    #expect(far.inverse.array(of: Int.self) == [1, 0, 1])
    #expect(far.counts.array(of: Int.self) == [1, 2])
  }

  /// PyTorch's results.
  @Test func specialValues() {
    let x = Tensor([.nan, 0, -0.0, .nan, .infinity, -1, 0] as [Float])
    let (values, inverse, counts) = x.unique()
    #expect(isSame(values.array(), [-1, 0, .infinity, .nan, .nan]))
    #expect(inverse.array(of: Int.self) == [3, 1, 1, 4, 2, 0, 1])
    #expect(counts.array(of: Int.self) == [1, 3, 1, 1, 1])
    let rows = Tensor([[0, .nan], [-0.0, 1], [0, 1], [0, .nan]] as [[Float]])
    let slices = rows.unique(over: 0)
    #expect(slices.inverse.array(of: Int.self) == [1, 0, 0, 2])
    #expect(slices.counts.array(of: Int.self) == [2, 1, 1])
  }

  @Test func emptyTensors() {
    let none = Tensor.zeros([0], dtype: .int32).unique()
    #expect(none.values.shape == [0] && none.values.dtype == .int32)
    #expect(none.inverse.shape == [0] && none.counts.shape == [0])
    let wide = Tensor.zeros(0, 4).unique(over: 0)
    #expect(wide.values.shape == [0, 4] && wide.inverse.shape == [0] && wide.counts.shape == [0])
    // All slices without elements are equal.
    let thin = Tensor.zeros(4, 0).unique(over: 0)
    #expect(thin.values.shape == [1, 0] && thin.counts.array(of: Int.self) == [4])
    #expect(Tensor(Float(3)).unique(over: 0).inverse.shape == [])
    #expect(
      MessageTests.message { Tensor.zeros(2).unique(over: 1).values }
        == "unique(over:): axis 1 is out of range for shape [2]; valid axes are -1 ..< 1")
  }
}
