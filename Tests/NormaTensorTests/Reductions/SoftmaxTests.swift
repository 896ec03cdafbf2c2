import Foundation
import NormaReference
import NormaTensor
import Testing

/// Softmax, row by row in cache and composed of its parts, against its definition in Double.
@Suite struct SoftmaxTests {
  /// Around lanes and blocks, and where one row has several blocks.
  static let columns = [1, 2, 15, 16, 17, 31, 32, 33, 100, 1791, 1792, 1793, 4000]

  private static func definition(_ row: [Double]) -> [Double] {
    let highest = row.max() ?? 0
    let powers = row.map { exp($0 - highest) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
  }

  @Test(arguments: columns)
  func rowsAgainstTheDefinition(columns: Int) {
    var random = TestRandom(for: "\(#function) \(columns)")
    let values = (0..<(3 * columns)).map { _ in Double.random(in: -20...20, using: &random) }
    let x = Tensor(values, shape: [3, columns], dtype: .float32)
    let found = x.softmax(over: -1).array(of: Double.self)
    let rows = x.array(of: Double.self)
    for row in 0..<3 {
      let range = (row * columns)..<((row + 1) * columns)
      let expected = Self.definition(Array(rows[range]))
      let highest = rows[range].max() ?? 0
      for ((a, b), value) in zip(zip(found[range], expected), rows[range]) {
        // The distance is rounded once, eˣ is within 0.9 ulp, and so is the quotient.
        let allowed = b * (highest - value + 4) * 0x1p-24 + 1e-40
        #expect(abs(a - b) <= allowed, "\(columns) columns, row \(row)")
      }
    }
  }

  /// The single pass over rows does not change a bit: other memory orders use the composition.
  @Test(arguments: columns.filter { $0 >= 16 })
  func rowsAndPartsAgree(columns: Int) {
    var random = TestRandom(for: "\(#function) \(columns)")
    let rows = 5
    let values = (0..<(rows * columns)).map { _ in Double.random(in: -9...9, using: &random) }
    let x = Tensor(values, shape: [rows, columns], dtype: .float32)
    // Rows with gaps between them are in the same order but not contiguous.
    let wide = Tensor.concatenated([x, x], over: 1).narrowed(over: 1, from: 0, count: columns)
    for threads in [1, 2, 7] {
      withThreads(threads) {
        #expect(
          x.softmax(over: 1).array(of: Float.self) == wide.softmax(over: 1).array(of: Float.self))
        let all = x.logSoftmax(over: 1)
        #expect(all.allClose(to: wide.logSoftmax(over: 1), rtol: 1e-6, atol: 1e-6))
        let indices = Tensor.arange(rows)
        let picked = all.gathered(indices.unsqueezed(1), over: 1).squeezed(1)
        #expect(isSame(x.detached().pickedLogs(at: indices), picked))
      }
    }
  }

  /// From the softmax as computed: products and their sum are exact except for rounding in
  /// `float64`.
  @Test(arguments: columns)
  func gradientAgainstTheDefinition(columns: Int) throws {
    var random = TestRandom(for: "\(#function) \(columns)")
    func numbers() -> Tensor {
      let values = (0..<(3 * columns)).map { _ in Double.random(in: -9...9, using: &random) }
      return Tensor(values, shape: [3, columns], dtype: .float32)
    }
    let (x, g) = (numbers().requiringGradient(), numbers())
    let y = x.softmax(over: 1)
    y.backward(upstream: g)
    let found = try #require(x.grad).array(of: Double.self)
    let (ys, gs) = (y.array(of: Double.self), g.array(of: Double.self))
    for row in 0..<3 {
      let range = (row * columns)..<((row + 1) * columns)
      let mean = range.reduce(0) { $0 + ys[$1] * gs[$1] }
      let size = range.reduce(0) { $0 + abs(ys[$1] * gs[$1]) }
      for i in range {
        let expected = (gs[i] - mean) * ys[i]
        let allowed = abs(expected) * 0x1.01p-24 + 1e-13 * size * ys[i] + 1e-45
        #expect(abs(found[i] - expected) <= allowed, "\(columns) columns, row \(row)")
      }
    }
  }

  /// Elements outside of the mask have no influence, whatever they are, and get no gradient.
  @Test(arguments: [(5, 5), (7, 3), (3, 40), (70, 70)], [DType.float32, .float64])
  func causalRows(shape: (Int, Int), dtype: DType) throws {
    var random = TestRandom(for: "\(#function) \(shape) \(dtype)")
    let all = [2, shape.0, shape.1]
    let values = (0..<(2 * shape.0 * shape.1)).map { _ in Double.random(in: -9...9, using: &random)
    }
    let isSeen = Tensor.arange(shape.1) .<= Tensor.arange(shape.0).unsqueezed(1)
    let x = Tensor(values, shape: all, dtype: dtype)
    let leaf = Tensor.where(isSeen, x, Double.nan).evaluated().requiringGradient()
    let wide = x.cast(to: .float64).requiringGradient()
    let expected = Tensor.where(isSeen, wide, -Double.infinity).softmax(over: -1)
    let found = leaf.causalSoftmax()
    let tolerance = dtype == .float32 ? 2e-6 : 1e-14
    #expect(found.cast(to: .float64).allClose(to: expected, rtol: tolerance, atol: 0))
    let upstream = Tensor(values.reversed(), shape: all, dtype: dtype)
    found.backward(upstream: upstream)
    expected.backward(upstream: upstream.cast(to: .float64))
    let (a, b) = (try #require(leaf.grad), try #require(wide.grad))
    #expect(a.cast(to: .float64).allClose(to: b, rtol: 0, atol: 20 * tolerance))
    let unseen = Tensor.where(isSeen, 0, a).cast(to: .float64)
    #expect(dtype == .float64 || unseen.abs().max().item() == 0.0)
  }

  @Test func rowsWithNaN() {
    let infinity = Float.infinity
    var row = [Float](repeating: 1, count: 20)
    row[7] = .nan
    let x = Tensor(
      row + [Float](repeating: -infinity, count: 20) + [Float](repeating: 3, count: 19)
        + [-infinity], shape: [3, 20])
    let y = x.softmax(over: 1).array(of: Float.self)
    #expect(y[..<40].allSatisfy { $0.isNaN })
    #expect(y[40..<59].allSatisfy { $0 == Float(1.0 / 19) } && y[59] == 0)
  }

  /// Rows of -∞ contribute nothing to a sum, and have no gradient.
  @Test(arguments: [DType.float64, .float32, .float16]) func logSumExpOfEmptySums(dtype: DType) {
    let infinity = Double.infinity
    let x = Tensor([[-infinity, -infinity], [0, -infinity], [-infinity, 2]]).cast(to: dtype)
      .requiringGradient()
    let y = x.logSumExp(over: 1)
    #expect(y.item(at: 0) == -infinity && y.item(at: 1) == 0)
    y.backward(upstream: .ones([3], dtype: dtype))
    #expect(x.grad?.array(of: Double.self) == [0, 0, 1, 0, 0, 1])
    let all = Tensor([-infinity, -infinity]).cast(to: dtype).requiringGradient()
    all.logSumExp().backward()
    #expect(all.grad?.array(of: Double.self) == [0, 0])
  }

  /// One index of each row: the same values as from the whole row, rows without an index, and
  /// gradients that keep their digits if nearly all of the softmax is at the index.
  @Test func logSoftmaxAtIndices() throws {
    let x = Tensor([[0, 1, 2], [20, -1, 0], [3, 3, 3], [.nan, 1, 2]] as [[Float]])
      .requiringGradient()
    let indices = Tensor([2, 0, 1, -1])
    let y = x.logSoftmax(at: indices, over: 1, call: "")
    let all = x.detached().cast(to: .float64).logSoftmax(over: 1)
    for (row, index) in [2, 0, 1].enumerated() {
      let expected: Double = all[row, index].item()
      #expect(abs(y[row].item() - expected) <= 1e-6 * max(abs(expected), 1e-20) + 1e-20)
    }
    #expect(y[3].item() == 0.0)
    y.backward(upstream: Tensor([1, 1, -2, 5] as [Float]))
    let found = try #require(x.grad)
    let p = x.detached().cast(to: .float64).softmax(over: 1)
    // 1 - p of an element that has nearly all: 3e-9, which a difference would lose.
    let rest: Double = p[1, 1].item() + p[1, 2].item()
    #expect(abs(found[1, 0].item() / rest - 1) < 1e-6)
    #expect(abs(found[2, 1].item() + 2 * (2.0 / 3)) < 1e-6)
    #expect(abs(found[0, 0].item() + p[0, 0].item()) < 1e-7)
    #expect(found[3].array(of: Float.self) == [0, 0, 0])
    // Second derivatives, and other axes, use the composition.
    let wide = Tensor([[0.5, 1, -2], [3, 0, 1]] as [[Double]])
    for axis in [0, 1] {
      _ = try checkGradient(
        of: { inputs in
          let indices = axis == 1 ? Tensor([2, -1]) : Tensor([0, 1, -1])
          return inputs[0].logSoftmax(at: indices, over: axis, call: "")
        }, at: [wide], order: 2)
    }
  }
}

extension Tensor {
  fileprivate func pickedLogs(at indices: Tensor) -> Tensor {
    logSoftmax(at: indices, over: rank - 1, call: "")
  }
}
