import CNormaLoops
import NormaKernels
import NormaValues
import NormaReference
import Testing

/// A matrix of one of the types of Gemm, stored with gaps, transposed or broadcast.
private struct Operand<T: BitwiseCopyable> {
  var storage: [T]
  var batch: Int
  var row: Int
  var column: Int

  func offset(_ product: Int, _ i: Int, _ j: Int) -> Int { product * batch + i * row + j * column }
  var strides: [Int] { [batch, row, column] }
}

/// The memory layout of an operand.
private enum Storage: CaseIterable {
  case plain, transposed, gaps, repeated

  func operand<T>(_ count: Int, _ rows: Int, _ columns: Int, _ next: () -> T) -> Operand<T> {
    let gap = self == .gaps ? 3 : 1
    let (row, column) = self == .transposed ? (1, rows) : (columns * gap + gap - 1, gap)
    let size = max(rows * row, columns * column) + 1
    let batch = self == .repeated ? 0 : size
    let length = max(size * count, 1)
    return Operand(
      storage: (0..<length).map { _ in next() }, batch: batch, row: row, column: column)
  }
}

/// A small generator of its own, so that a failure can be repeated.
private struct Numbers {
  var state: UInt64
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }
  mutating func real() -> Double { Double(next()) / Double(1 << 30) - 1 }
}

private func multiply<T: BitwiseCopyable>(
  _ dtype: DType, _ count: Int, _ m: Int, _ n: Int, _ k: Int, _ a: Operand<T>, _ b: Operand<T>,
  fill: T, threads: Int = 1
) -> [T] {
  var c = Array(repeating: fill, count: count * m * n)
  a.storage.withUnsafeBytes { aBytes in
    b.storage.withUnsafeBytes { bBytes in
      c.withUnsafeMutableBytes { cBytes in
        guard let a0 = aBytes.baseAddress, let b0 = bBytes.baseAddress,
          let c0 = cBytes.baseAddress
        else { return }
        Gemm.multiply(
          dtype, batch: [count], m: m, n: n, k: k, a: a0, aStrides: a.strides, b: b0,
          bStrides: b.strides, into: c0, threads: threads)
      }
    }
  }
  return c
}

/// The worst error, in units of the bound, over a batch.
private func worstError<T: BinaryFloatingPoint & BitwiseCopyable>(
  of _: T.Type, _ dtype: DType, _ count: Int, _ m: Int, _ n: Int, _ k: Int, a: Storage, b: Storage,
  threads: Int = 1
) -> Double {
  var numbers = Numbers(state: UInt64(m * 31 + n * 7 + k))
  let a = a.operand(count, m, k) { T(numbers.real()) }
  let b = b.operand(count, k, n) { T(numbers.real()) }
  let c = multiply(dtype, count, m, n, k, a, b, fill: T.nan, threads: threads)
  var worst = 0.0
  for product in 0..<count {
    let expected = ReferenceMatmul.product(
      m: m, n: n, k: k, a: { Double(a.storage[a.offset(product, $0, $1)]) },
      b: { Double(b.storage[b.offset(product, $0, $1)]) })
    let found = c[product * m * n..<(product + 1) * m * n].map { Double($0) }
    let error = ReferenceMatmul.worstError(found, expected, k: k, unit: Double(T.ulpOfOne))
    worst = max(worst, error)
  }
  return worst
}

private let shapes: [(m: Int, n: Int, k: Int)] = [
  (1, 1, 1), (1, 33, 5), (33, 1, 5), (4, 8, 3), (5, 9, 7), (6, 16, 8), (7, 17, 9), (12, 32, 16),
  (13, 33, 17), (11, 31, 15), (96, 64, 4), (97, 65, 5), (24, 40, 256), (24, 40, 257),
  (3, 520, 258), (20, 30, 520), (0, 3, 2), (3, 0, 2), (3, 2, 0),
]

@Suite struct GemmTests {
  @Test(arguments: shapes) func realProductsAreWithinTheBound(shape: (m: Int, n: Int, k: Int)) {
    let (m, n, k) = shape
    let pairs: [(Storage, Storage)] = [
      (.plain, .plain), (.transposed, .transposed), (.gaps, .repeated), (.repeated, .gaps),
    ]
    for (a, b) in pairs {
      let single = worstError(of: Float.self, .float32, 2, m, n, k, a: a, b: b)
      let double = worstError(of: Double.self, .float64, 2, m, n, k, a: a, b: b)
      #expect(single <= 1, "float32 \(shape) \(a) \(b)")
      #expect(double <= 2, "float64 \(shape) \(a) \(b)")  // The reference rounds as often.
    }
  }

  @Test(arguments: [1, 2, 3, 7]) func theNumberOfThreadsChangesNothing(threads: Int) {
    var numbers = Numbers(state: 5)
    for (count, m, n, k) in [(1, 201, 60, 300), (1, 60, 201, 300), (3, 100, 100, 64)] {
      let a = Storage.gaps.operand(count, m, k) { Float(numbers.real()) }
      let b = Storage.plain.operand(count, k, n) { Float(numbers.real()) }
      let alone = multiply(.float32, count, m, n, k, a, b, fill: 0)
      let shared = multiply(.float32, count, m, n, k, a, b, fill: .nan, threads: threads)
      #expect(alone.map(\.bitPattern) == shared.map(\.bitPattern))
    }
  }

  @Test func theLevelChangesNothing() {
    var numbers = Numbers(state: 6)
    let (m, n, k) = (50, 70, 600)
    let a = Storage.plain.operand(1, m, k) { Float(numbers.real()) }
    let b = Storage.plain.operand(1, k, n) { Float(numbers.real()) }
    let wideA = Operand(storage: a.storage.map(Double.init), batch: 0, row: a.row, column: 1)
    let wideB = Operand(storage: b.storage.map(Double.init), batch: 0, row: b.row, column: 1)
    defer { norma_loops_select(norma_loops_best_level()) }
    let results = (0...norma_loops_best_level()).map { level in
      norma_loops_select(level)
      return (
        multiply(.float32, 1, m, n, k, a, b, fill: 0).map(\.bitPattern),
        multiply(.float64, 1, m, n, k, wideA, wideB, fill: 0).map(\.bitPattern)
      )
    }
    for result in results {
      #expect(result.0 == results[0].0)
      #expect(result.1 == results[0].1)
    }
  }

  @Test func integersWrapAround() {
    var numbers = Numbers(state: 7)
    for (m, n, k) in [(1, 1, 1), (5, 7, 9), (17, 3, 300), (0, 2, 2), (2, 2, 0)] {
      for storage in Storage.allCases {
        checkIntegers(UInt8.self, .uint8, m, n, k, storage, &numbers)
        checkIntegers(Int32.self, .int32, m, n, k, storage, &numbers)
        checkIntegers(Int64.self, .int64, m, n, k, storage, &numbers)
      }
    }
  }

  private func checkIntegers<T: FixedWidthInteger & BitwiseCopyable>(
    _: T.Type, _ dtype: DType, _ m: Int, _ n: Int, _ k: Int, _ storage: Storage,
    _ numbers: inout Numbers
  ) {
    let a = storage.operand(2, m, k) { T(truncatingIfNeeded: numbers.next() &* numbers.next()) }
    let b = storage.operand(2, k, n) { T(truncatingIfNeeded: numbers.next() &* numbers.next()) }
    let c = multiply(dtype, 2, m, n, k, a, b, fill: 99, threads: 2)
    var expected: [T] = []
    for product in 0..<2 {
      for i in 0..<m {
        for j in 0..<n {
          expected.append(
            (0..<k).reduce(0) { sum, p in
              sum &+ a.storage[a.offset(product, i, p)] &* b.storage[b.offset(product, p, j)]
            })
        }
      }
    }
    #expect(c == expected, "\(dtype) \((m, n, k)) \(storage)")
  }

  @Test func nanAndInfinityStayInTheirRowsAndColumns() {
    let (m, n, k) = (14, 35, 6)
    var a = Storage.plain.operand(1, m, k) { Float(1) }
    let b = Storage.plain.operand(1, k, n) { Float(1) }
    a.storage[a.offset(0, 3, 2)] = .nan
    a.storage[a.offset(0, 13, 5)] = .infinity
    let c = multiply(.float32, 1, m, n, k, a, b, fill: 0)
    for i in 0..<m {
      for j in 0..<n {
        let value = c[i * n + j]
        #expect(i == 3 ? value.isNaN : value == (i == 13 ? .infinity : 6))
      }
    }
  }

  @Test func severalBatchAxes() {
    // a is the same along the first axis, b along the second.
    let a: [Double] = [1, 2, 3]
    let b: [Double] = [10, 100]
    var c = [Double](repeating: 0, count: 6)
    Gemm.multiply(
      .float64, batch: [2, 3], m: 1, n: 1, k: 1, a: a, aStrides: [0, 1, 1, 1], b: b,
      bStrides: [1, 0, 1, 1], into: &c)
    #expect(c == [10, 20, 30, 100, 200, 300])
  }

  @Test func theHelpersCanFail() {
    let expected = ReferenceMatmul.product(m: 1, n: 2, k: 1, a: { _, _ in 1 }, b: { _, _ in 1 })
    #expect(ReferenceMatmul.worstError([1, 1], expected, k: 1, unit: 1e-7) == 0)
    #expect(ReferenceMatmul.worstError([1], expected, k: 1, unit: 1e-7) == .infinity)
    #expect(ReferenceMatmul.worstError([1, .nan], expected, k: 1, unit: 1e-7) == .infinity)
    #expect(ReferenceMatmul.worstError([1, 1.001], expected, k: 1, unit: 1e-7) > 1)
  }
}

@Suite struct GemmPlanTests {
  @Test func piecesCoverEveryElementOnce() {
    for (products, m, n) in [(1, 1000, 70), (1, 70, 1000), (2, 96, 96), (3, 500, 500), (40, 8, 8)] {
      for threads in [1, 2, 3, 7] {
        let plan = GemmPlan(products: products, m: m, n: n, k: 64, threads: threads)
        var hits = [Int](repeating: 0, count: products * m * n)
        for thread in 0..<plan.threads {
          for index in plan.pieces(ofThread: thread) {
            let piece = plan.piece(index)
            for i in piece.rows {
              for j in piece.columns { hits[(piece.product * m + i) * n + j] += 1 }
            }
          }
        }
        #expect(hits.allSatisfy { $0 == 1 }, "\((products, m, n)) on \(threads)")
      }
    }
  }

  @Test func smallWorkStaysOnOneThread() {
    #expect(GemmPlan(products: 1, m: 20, n: 20, k: 20, threads: 8).threads == 1)
    #expect(GemmPlan(products: 1, m: 500, n: 20, k: 20, threads: 2).threads == 2)
    #expect(GemmPlan(products: 9, m: 500, n: 20, k: 20, threads: 0).threads == 1)
  }
}
