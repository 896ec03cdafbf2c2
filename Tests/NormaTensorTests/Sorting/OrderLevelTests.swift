import CNormaLoops
import NormaReference
import NormaTensor
import Testing

/// Counting and scanning in vectors, on every instruction set and at sizes around their lanes,
/// against its definition.
///
/// Levels are global to the process. Other tests may run meanwhile: their results do not depend on
/// them.
@Suite(.serialized) struct OrderLevelTests {
  static let types: [DType] = [.float32, .float64, .int64, .int32, .uint8]
  static let sizes = [1, 7, 8, 9, 15, 16, 17, 33, 64, 65, 256, 257, 1025]

  /// Calls `body` with every instruction set that this processor has selected in turn.
  static func onEveryLevel(_ body: (Int32) -> Void) {
    let level = norma_loops_level()
    defer { norma_loops_select(level) }
    for other in 0...norma_loops_best_level() {
      norma_loops_select(other)
      body(other)
    }
  }

  /// A row as its type stores it: integers have no NaN, and bytes no sign.
  static func row(
    _ kind: RowKind, _ size: Int, _ dtype: DType, _ random: inout TestRandom
  ) -> [Double] {
    let row = kind.row(size, &random)
    if dtype.isFloatingPoint { return row.map(dtype.rounded) }
    return row.map { value in
      let whole = value.isFinite ? value.rounded() + 0 : 99
      return dtype == .uint8 ? abs(whole).truncatingRemainder(dividingBy: 256) : whole
    }
  }

  @Test(arguments: types, RowKind.allCases) func ranks(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in Self.sizes {
      let row = Self.row(kind, size, dtype, &random)
      let (x, order) = (Tensor(row, dtype: dtype), slowOrder(row))
      Self.onEveryLevel { level in
        for rank in Set([1, 2, size / 3, size / 2, size]) where (1...size).contains(rank) {
          let (value, index) = x.kthValue(rank)
          #expect(index.item(as: Int.self) == order[rank - 1], "\(rank) of \(size), level \(level)")
          #expect(isSame(value.item(), row[order[rank - 1]]))
        }
      }
    }
  }

  @Test(arguments: types, RowKind.allCases) func firstOfRows(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in Self.sizes {
      let row = Self.row(kind, size, dtype, &random)
      let x = Tensor(row, dtype: dtype)
      for largest in [false, true] {
        let order = slowOrder(row, descending: largest)
        Self.onEveryLevel { level in
          for count in Set([1, 10, 32, 33, size / 4, size / 2]) where (1...size).contains(count) {
            let (most, places) = x.topK(count, largest: largest)
            let expected = Array(order.prefix(count))
            #expect(
              places.array(of: Int.self) == expected, "\(count) of \(size), level \(level)")
            #expect(isSame(most.array(), expected.map { row[$0] }))
          }
        }
      }
    }
  }

  /// The elements on both sides of a rank, ignoring NaN, and with NaN as the result.
  @Test func neighboursOfRanks() {
    var random = TestRandom(for: #function)
    for size in [2, 16, 65, 1025] {
      var row = RowKind.random.row(size, &random).map(DType.float32.rounded)
      if size > 2 { row[size / 2] = .nan }
      let x = Tensor(row, dtype: .float32)
      let valid = row.filter { !$0.isNaN }.sorted()
      Self.onEveryLevel { level in
        let found = x.nanQuantile([0, 0.3, 1], over: [0]).array(of: Double.self)
        let rank = 0.3 * Double(valid.count - 1)
        let (low, high) = (valid[Int(rank)], valid[min(Int(rank) + 1, valid.count - 1)])
        #expect(found[0] == valid.first && found[2] == valid.last, "\(size), level \(level)")
        #expect(low <= found[1] && found[1] <= high, "\(size), level \(level)")
        #expect(x.quantile(0.3, over: 0).item().isNaN == (size > 2))
      }
    }
  }

  @Test(arguments: types, RowKind.allCases) func runningExtremes(dtype: DType, kind: RowKind) {
    var random = TestRandom(for: "\(#function) \(dtype) \(kind)")
    for size in Self.sizes {
      let rows = (0..<3).map { _ in Self.row(kind, size, dtype, &random) }
      let x = Tensor(rows.flatMap { $0 }, shape: [3, size]).cast(to: dtype).evaluated()
      for largest in [false, true] {
        // A NaN replaces anything, and nothing but a NaN replaces it.
        let places = rows.flatMap { row -> [Int] in
          var best = 0
          return row.indices.map { i in
            let (a, b) = (row[i], row[best])
            if a.isNaN || (largest ? a >= b : a <= b) { best = i }
            return best
          }
        }
        let values = places.enumerated().map { rows[$0.offset / size][$0.element] }
        Self.onEveryLevel { level in
          let beside = x.transposed().reshaped(-1).reshaped(size, 3)
          for (tensor, axis) in [(x, 1), (beside, 0)] {
            let (most, indices) =
              largest ? tensor.cumulativeMax(over: axis) : tensor.cumulativeMin(over: axis)
            let (flat, numbers) =
              axis == 1 ? (most, indices) : (most.transposed(), indices.transposed())
            #expect(numbers.array(of: Int.self) == places, "\(size), level \(level)")
            #expect(isSame(flat.array(), values), "\(size), level \(level)")
          }
        }
      }
    }
  }

  /// Rows that accumulate others, and blocks that elements are written to.
  @Test func collected() {
    var random = TestRandom(for: #function)
    let places = Tensor((0..<90).map { _ in Int(random.next() % 23) })
    for columns in [15, 16, 17, 100] {
      let x = Sample([23, columns], .float32, random: &random, mean: 0).tensor
      let y = Sample([90, columns], .float32, random: &random, mean: 0).tensor
      let each = Tensor((0..<(23 * 90)).map { _ in Int(random.next() % 15) }).reshaped(23, 90)
      let part = y.flattened().narrowed(over: 0, from: 0, count: 23 * 15)
      var expected: [Tensor] = []
      Self.onEveryLevel { level in
        var found = [x.indexAdded(places, y, over: 0)]
        for reduction in ScatterReduction.allCases {
          let wide = places.reshaped(90, 1).broadcast(to: [90, columns])
          found.append(x.scattered(wide, y, over: 0, reducing: reduction))
          found.append(
            x.scattered(
              each.narrowed(over: 1, from: 0, count: 15), part.reshaped(23, 15), over: 1,
              reducing: reduction))
        }
        if level == 0 { expected = found }
        #expect(zip(found, expected).allSatisfy { isSame($0, $1) }, "\(columns), level \(level)")
      }
      // In Double, in order.
      var sums = x.array(of: Double.self)
      let (added, rows) = (y.array(of: Double.self), places.array(of: Int.self))
      for (n, row) in rows.enumerated() {
        for j in 0..<columns { sums[row * columns + j] += added[n * columns + j] }
      }
      #expect(expected[0].array(of: Float.self) == sums.map { Float($0) })
    }
  }
}
