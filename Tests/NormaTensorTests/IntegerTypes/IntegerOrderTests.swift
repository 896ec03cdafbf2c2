import NormaTensor
import Testing

/// Sorting, searching and reductions of every integer type at its limits.
@Suite struct IntegerOrderTests {
  @Test(arguments: DType.integers) func extremesAndSums(dtype: DType) {
    func check<T: Whole, S: Whole>(_ type: T.Type, _ sum: S.Type) {
      let row = edges(type)
      // Small matrices, and larger ones whose reductions are programs.
      for copies in [1, 3, 800] {
        let all = (0..<copies).flatMap { shift in
          row.indices.map { row[($0 + shift) % row.count] }
        }
        let plain = Tensor(all, shape: [copies, row.count])
        for x in [plain, plain + 0] {
          #expect(x.max().item(as: T.self) == .max && x.min().item(as: T.self) == .min)
          #expect(x.max(over: 1).array(of: T.self) == [T](repeating: .max, count: copies))
          #expect(
            x.min(over: 0).array(of: T.self)
              == row.indices.map { column in
                (0..<copies).map { all[$0 * row.count + column] }.reduce(T.max, min)
              })
          let sums = x.sum(over: 1)
          let expected = row.reduce(0 as S) { $0 &+ S(truncatingIfNeeded: $1) }
          #expect(sums.dtype == S.dtype)
          #expect(sums.array(of: S.self) == [S](repeating: expected, count: copies))
          #expect(x.sum().item(as: S.self) == expected &* S(copies))
          let odd = (x .| 1).product(over: 1)
          let product = row.reduce(1 as S) { $0 &* S(truncatingIfNeeded: $1 | 1) }
          #expect(odd.dtype == S.dtype)
          #expect(odd.array(of: S.self) == [S](repeating: product, count: copies))
          let firsts = x.argmax(over: 1).array(of: Int.self)
          #expect(
            firsts
              == (0..<copies).map { copy in
                row.indices.first { all[copy * row.count + $0] == .max }
              })
          #expect(x.argmin().item() == Double(all.firstIndex(of: .min) ?? -1))
        }
      }
      let x = Tensor(row)
      let (values, indices) = x.maxWithIndices(over: 0)
      #expect(values.item(as: T.self) == .max && row[indices.item(as: Int.self)] == .max)
      #expect(x.minMax().min.dtype == dtype)
      var (running, product) = (0 as S, 1 as S)
      let sums = row.map { value in
        running = running &+ S(truncatingIfNeeded: value)
        return running
      }
      #expect(x.cumulativeSum(over: 0).array(of: S.self) == sums)
      let products = row.map { value in
        product = product &* S(truncatingIfNeeded: value | 1)
        return product
      }
      #expect((x .| 1).cumulativeProduct(over: 0).array(of: S.self) == products)
      #expect(x.cumulativeSum(over: 0).dtype == S.dtype)
      var (high, low) = (row[0], row[0])
      let highs = row.map { value in
        high = max(high, value)
        return high
      }
      let lows = row.map { value in
        low = min(low, value)
        return low
      }
      #expect(x.cumulativeMax(over: 0).values.array(of: T.self) == highs)
      #expect(x.cumulativeMin(over: 0).values.array(of: T.self) == lows)
      #expect(x.cumulativeMin(over: 0).values.dtype == dtype)
    }
    func open<T: Whole>(_ type: T.Type) {
      if dtype == .uint64 { check(type, UInt64.self) } else { check(type, Int64.self) }
    }
    open(dtype.whole)
  }

  @Test(arguments: DType.integers) func order(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let row = edges(type)
      let (up, down) = (row.sorted(), row.sorted(by: >))
      for x in arranged(row) {
        let (values, indices) = x.sorted()
        #expect(values.dtype == dtype && values.array(of: T.self) == up)
        #expect(indices.array(of: Int.self).map { row[$0] } == up)
        #expect(x.sorted(descending: true).values.array(of: T.self) == down)
        #expect(x.topK(4).values.array(of: T.self) == Array(down.prefix(4)))
        #expect(x.topK(4, largest: false).values.array(of: T.self) == Array(up.prefix(4)))
        #expect(x.kthValue(3).values.item(as: T.self) == up[2])
        #expect(x.median().item(as: T.self) == up[(row.count - 1) / 2])
        let counted = Dictionary(grouping: row) { $0 }
        let most = counted.mapValues(\.count).max {
          ($0.value, $1.key) < ($1.value, $0.key)
        }
        #expect(x.mode().values.item(as: T.self) == most?.key)
        let (different, inverse, counts) = x.unique()
        let keys = counted.keys.sorted()
        #expect(different.dtype == dtype && different.array(of: T.self) == keys)
        #expect(inverse.array(of: Int.self).map { keys[$0] } == row)
        #expect(counts.array(of: Int.self) == keys.map { counted[$0]?.count ?? 0 })
        let pairs = Tensor.stacked([x, x], over: 1).unique(over: 0).values
        #expect(pairs[0..., 0].array(of: T.self) == keys)
        // Every number's index among the distinct ones.
        #expect(
          different.searchSorted(x).array(of: Int.self) == row.map { keys.firstIndex(of: $0) })
        #expect(
          x.bucketized(by: different, right: true).array(of: Int.self)
            == row.map {
              (keys.firstIndex(of: $0) ?? -2) + 1
            })
      }
      // Few distinct numbers, which are counted in a table.
      let small = Tensor([3, 1, 3, 0, 2, 1, 3] as [T])
      let (different, inverse, counts) = small.unique()
      #expect(different.dtype == dtype && different.array(of: T.self) == [0, 1, 2, 3])
      #expect(inverse.array(of: Int.self) == [3, 1, 3, 0, 2, 1, 3])
      #expect(counts.array(of: Int.self) == [1, 2, 1, 3])
      #expect(small.binCount().array(of: Int.self) == [1, 2, 1, 3])
      let near = Tensor([T.max, T.max - 2, T.max - 1, T.max]).unique()
      #expect(near.values.array(of: T.self) == [T.max - 2, T.max - 1, T.max])
      #expect(small.oneHot()[0].array(of: Int.self) == [0, 0, 0, 1])
    }
    check(dtype.whole)
  }

  @Test func searchAcrossTypes() {
    let sorted = Tensor([-5, 0, 7] as [Int8])
    #expect(sorted.searchSorted(Tensor([300, 6, -400])).array(of: Int.self) == [3, 2, 0])
    #expect(sorted.searchSorted(Tensor(UInt32.max)).item() == 3)
    #expect {
      try catchingTensorErrors { sorted.searchSorted(Tensor([UInt64.max])) }
    } throws: { "\($0)".contains("no integer type holds both uint64 and int8") }
  }

  @Test(arguments: DType.integers) func products(dtype: DType) {
    func check<T: Whole>(_ type: T.Type) {
      let row = edges(type)
      let n = row.count
      let a = (0..<n * n).map { row[($0 * 7 + $0 / n) % n] }
      let b = (0..<n * n).map { row[($0 * 5 + 3) % n] }
      let expected = (0..<n * n).map { index in
        (0..<n).reduce(0 as T) { $0 &+ a[index / n * n + $1] &* b[$1 * n + index % n] }
      }
      let (x, y) = (Tensor(a, shape: [n, n]), Tensor(b, shape: [n, n]))
      #expect(x.matmul(y).dtype == dtype && x.matmul(y).array(of: T.self) == expected)
      #expect(
        Tensor.stacked([x, x]).matmul(y)[1].array(of: T.self) == expected)
      #expect(einsum("ik,kj->ij", x, y).array(of: T.self) == expected)
      #expect(x[0].matmul(y).array(of: T.self) == Array(expected.prefix(n)))
      #expect(x[0].dot(y[0..., 0]).item(as: T.self) == expected[0])
      #expect(x[0].outer(x[1]).array(of: T.self) == (0..<n * n).map { a[$0 / n] &* a[n + $0 % n] })
      #expect(x.addmm(x, y).array(of: T.self) == zip(a, expected).map { $0 &+ $1 })
    }
    check(dtype.whole)
  }
}
