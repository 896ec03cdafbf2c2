import NormaOneDNN
import NormaReference
import Testing

/// A small generator of its own, so that a failure can be repeated.
private struct Numbers {
  var state: UInt64
  mutating func next() -> Float {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Float(state >> 40) / Float(1 << 23) - 1
  }
}

/// The offset of a product's matrix, from the strides of the batch axes.
private func offset(_ product: Int, _ batch: [Int], _ strides: [Int]) -> Int {
  var (rest, result) = (product, 0)
  for axis in batch.indices.reversed() {
    result += rest % batch[axis] * strides[axis]
    rest /= batch[axis]
  }
  return result
}

private struct Product {
  var batch: [Int] = []
  var m: Int
  var n: Int
  var k: Int
  var aStrides: [Int]
  var bStrides: [Int]

  private static func elements(_ dims: [Int], _ strides: [Int]) -> Int {
    dims.contains(0) ? 1 : zip(dims, strides).reduce(1) { $0 + ($1.0 - 1) * $1.1 }
  }

  /// The worst error in units of the bound for random operands.
  func worstError() throws -> Double {
    var numbers = Numbers(state: UInt64(m * 961 + n * 31 + k))
    let a = (0..<Self.elements(batch + [m, k], aStrides)).map { _ in numbers.next() }
    let b = (0..<Self.elements(batch + [k, n], bStrides)).map { _ in numbers.next() }
    let count = batch.reduce(1, *)
    var c = [Float](repeating: .nan, count: count * m * n)
    try OneDNN.multiply(
      batch: batch, m: m, n: n, k: k, a: a, aStrides: aStrides, b: b, bStrides: bStrides, into: &c)
    var worst = 0.0
    let rank = batch.count
    for product in 0..<count {
      let aStart = offset(product, batch, aStrides)
      let bStart = offset(product, batch, bStrides)
      let expected = ReferenceMatmul.product(
        m: m, n: n, k: k,
        a: { Double(a[aStart + $0 * aStrides[rank] + $1 * aStrides[rank + 1]]) },
        b: { Double(b[bStart + $0 * bStrides[rank] + $1 * bStrides[rank + 1]]) })
      let found = c[product * m * n..<(product + 1) * m * n].map(Double.init)
      let error = ReferenceMatmul.worstError(
        found, expected, k: k, unit: Double(Float.ulpOfOne))
      worst = max(worst, error)
    }
    return worst
  }
}

@Suite(.enabled(if: OneDNN.isAvailable)) struct OneDNNMatmulTests {
  @Test(arguments: [1, 2, 15, 16, 17, 48, 65]) func matricesInEveryOrder(m: Int) throws {
    for n in [1, 7, 16, 33, 64] {
      for k in [1, 3, 16, 31, 70] {
        for (aStrides, bStrides) in [
          ([k, 1], [n, 1]), ([1, m], [n, 1]), ([k, 1], [1, k]), ([1, m], [1, k]),
          ([k + 5, 1], [n + 3, 1]), ([1, m + 2], [1, k + 4]),
        ] {
          let product = Product(m: m, n: n, k: k, aStrides: aStrides, bStrides: bStrides)
          #expect(try product.worstError() <= 1, "\(product)")
        }
      }
    }
  }

  /// These are compiled, because their work is worth it; the last one has too few columns.
  @Test func largeMatrices() throws {
    let (m, n, k) = (4, 400, 330)
    for product in [
      Product(m: m, n: n, k: k, aStrides: [k, 1], bStrides: [n, 1]),
      Product(m: m, n: n, k: k, aStrides: [1, m + 2], bStrides: [1, k + 4]),
      Product(m: 5, n: 20, k: 5500, aStrides: [5505, 1], bStrides: [1, 5500]),
      Product(m: 5, n: 2, k: 55_000, aStrides: [55_005, 1], bStrides: [1, 55_000]),
    ] {
      #expect(try product.worstError() <= 1, "\(product)")
    }
  }

  @Test func emptySizes() throws {
    for (m, n, k) in [(0, 3, 2), (3, 0, 2), (0, 0, 0)] {
      #expect(try Product(m: m, n: n, k: k, aStrides: [k, 1], bStrides: [n, 1]).worstError() == 0)
    }
    var c: [Float] = [1, 2, 3, 4]
    try OneDNN.multiply(
      m: 2, n: 2, k: 0, a: [0], aStrides: [0, 1], b: [0], bStrides: [2, 1], into: &c)
    #expect(c == [0, 0, 0, 0])
  }

  @Test func batches() throws {
    let (m, n, k) = (5, 9, 7)
    for (batch, aBatch, bBatch) in [
      ([1], [35], [63]), ([2], [35], [63]), ([6], [35], [63]), ([6], [0], [63]), ([6], [35], [0]),
      ([6], [0], [0]), ([6], [40], [70]), ([4, 3], [105, 35], [189, 63]),
      ([4, 3], [35, 0], [0, 63]), ([4, 3], [105, 35], [63, 0]), ([4, 3], [0, 35], [63, 0]),
      ([2, 3, 2], [0, 35, 0], [63, 0, 126]),
      ([2, 2, 2, 2, 2], [0, 35, 0, 70, 0], [63, 0, 0, 0, 9]),
      ([0], [35], [63]), ([3, 0], [35, 0], [63, 63]), ([1, 5], [0, 35], [0, 63]),
    ] {
      for (aMatrix, bMatrix) in [([k, 1], [n, 1]), ([1, m], [1, k])] {
        let product = Product(
          batch: batch, m: m, n: n, k: k, aStrides: aBatch + aMatrix, bStrides: bBatch + bMatrix)
        #expect(try product.worstError() <= 1, "\(product)")
      }
    }
  }

  @Test func vectorsInBatches() throws {
    for (m, n, k) in [(1, 20, 30), (20, 1, 30), (20, 30, 1), (1, 1, 30), (1, 30, 1)] {
      for (aBatch, bBatch) in [(m * k, n * k), (m * k, 0), (0, n * k)] {
        let product = Product(
          batch: [8], m: m, n: n, k: k, aStrides: [aBatch, k, 1], bStrides: [bBatch, n, 1])
        #expect(try product.worstError() <= 1, "\(product)")
      }
    }
  }

  @Test func stridesThatNeedACopyAreAnError() {
    #expect(!OneDNN.canRead(rows: 3, columns: 4, rowStride: 8, columnStride: 2))
    #expect(!OneDNN.canRead(rows: 3, columns: 4, rowStride: 2, columnStride: 1))
    #expect(!OneDNN.canRead(rows: 3, columns: 4, rowStride: 0, columnStride: 1))
    #expect(OneDNN.canRead(rows: 3, columns: 4, rowStride: 4, columnStride: 1))
    #expect(OneDNN.canRead(rows: 3, columns: 4, rowStride: 1, columnStride: 3))
    #expect(OneDNN.canRead(rows: 1, columns: 4, rowStride: -7, columnStride: 1))
    #expect(OneDNN.canRead(rows: 3, columns: 1, rowStride: 5, columnStride: 0))
    #expect(throws: OneDNNError.unsupportedStrides(operand: "b", strides: [2, 2])) {
      var c: [Float] = [0]
      try OneDNN.multiply(
        m: 1, n: 2, k: 2, a: [0, 0], aStrides: [2, 1], b: [0], bStrides: [2, 2], into: &c)
    }
  }

  @Test func twoThreadsMayMultiplyConcurrently() async throws {
    let worst = try await withThrowingTaskGroup(of: Double.self) { group in
      for task in 0..<8 {
        group.addTask {
          var worst = 0.0
          for turn in 0..<20 {
            let size = 8 + (task + turn) % 5
            worst = max(
              worst,
              try Product(
                batch: [6], m: size, n: size, k: 16, aStrides: [size * 16, 16, 1],
                bStrides: [size * 16, size, 1]
              ).worstError())
          }
          return worst
        }
      }
      return try await group.reduce(0) { max($0, $1) }
    }
    #expect(worst <= 1)
  }

  @Test func theVersionIsKnown() throws {
    let version = try #require(OneDNN.version)
    #expect(version.split(separator: ".").count == 3)
  }
}

@Suite struct OneDNNMissingTests {
  @Test(.enabled(if: !OneDNN.isAvailable)) func everyCallSaysSo() {
    #expect(OneDNN.version == nil)
    #expect(throws: OneDNNError.notBuilt) {
      var c: [Float] = [0]
      try OneDNN.multiply(
        m: 1, n: 1, k: 1, a: [1], aStrides: [1, 1], b: [1], bStrides: [1, 1], into: &c)
    }
  }

  @Test func errorsReadAsSentences() {
    #expect(OneDNNError.notBuilt.description.contains("OneDNN trait"))
    #expect(OneDNNError.failed(status: 5).description.contains("5"))
    let strides = OneDNNError.unsupportedStrides(operand: "a", strides: [8, 2])
    #expect(strides.description.contains("operand a with strides [8, 2]"))
    #expect(OneDNNError.outOfMemory.description.contains("memory"))
  }
}
