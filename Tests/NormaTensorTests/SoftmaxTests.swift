import Foundation
import NormaKernels
import NormaReference
import NormaTensor
import Testing

/// Softmax, row by row in cache and by its parts, against its definition in Double.
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

  /// The one trip over rows changes no bit: another order of memory goes by parts.
  @Test(arguments: columns.filter { $0 >= 16 })
  func rowsAndPartsAgree(columns: Int) {
    var random = TestRandom(for: "\(#function) \(columns)")
    let rows = 5
    let values = (0..<(rows * columns)).map { _ in Double.random(in: -9...9, using: &random) }
    let x = Tensor(values, shape: [rows, columns], dtype: .float32)
    // Rows with gaps between them lie in the same order and are not contiguous.
    let wide = Tensor.concatenated([x, x], over: 1).narrowed(over: 1, from: 0, count: columns)
    for threads in [1, 2, 7] {
      withThreads(threads) {
        #expect(
          x.softmax(over: 1).array(of: Float.self) == wide.softmax(over: 1).array(of: Float.self))
      }
    }
  }

  @Test func numbersThatAreNone() {
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
}
