import NormaOneDNN
import Testing

@Suite struct MatrixProductTests {
  private func plan(
    _ batch: [Int], m: Int = 5, n: Int = 9, k: Int = 7, a: [Int], b: [Int]
  ) throws -> MatrixProduct {
    try MatrixProduct(batch: batch, m: m, n: n, k: k, aStrides: a, bStrides: b)
  }

  @Test func rowsAndColumnsAreFoundInEitherOrder() {
    let rows = StoredMatrix(rows: 3, columns: 4, rowStride: 6, columnStride: 1)
    #expect(rows == StoredMatrix(isTransposed: false, leading: 6))
    let columns = StoredMatrix(rows: 3, columns: 4, rowStride: 1, columnStride: 5)
    #expect(columns == StoredMatrix(isTransposed: true, leading: 5))
    let column = StoredMatrix(rows: 3, columns: 1, rowStride: 6, columnStride: 2)
    #expect(column == StoredMatrix(isTransposed: false, leading: 6))
    let row = StoredMatrix(rows: 1, columns: 4, rowStride: 0, columnStride: 6)
    #expect(row == StoredMatrix(isTransposed: true, leading: 6))
    #expect(StoredMatrix(rows: 3, columns: 4, rowStride: 8, columnStride: 2) == nil)
    #expect(StoredMatrix(rows: 3, columns: 4, rowStride: 1, columnStride: 2) == nil)
    #expect(StoredMatrix(rows: 3, columns: 4, rowStride: -4, columnStride: 1) == nil)
  }

  @Test func axesOfLengthOneAndNeighboursVanish() throws {
    let axes = try plan([4, 1, 3], a: [105, 9, 35, 7, 1], b: [189, 9, 63, 9, 1]).batch
    #expect(axes == [MatrixProduct.Axis(length: 12, a: 35, b: 63)])
    let kept = try plan([4, 3], a: [105, 35, 7, 1], b: [0, 63, 9, 1])
    #expect(kept.batch.map(\.length) == [4, 3])
    #expect(kept.count == 12)
  }

  @Test func aRepeatedSecondOperandMakesOneProduct() throws {
    let folded = try plan([4, 3], a: [105, 35, 7, 1], b: [0, 0, 9, 1])
    #expect(folded.batch.isEmpty && folded.m == 60 && folded.a.leading == 7)
    let rows = try plan([6], m: 1, a: [20, 7, 1], b: [0, 9, 1])
    #expect(rows.batch.isEmpty && rows.m == 6 && rows.a.leading == 20)
    let gaps = try plan([6], a: [40, 7, 1], b: [0, 9, 1])
    #expect(gaps.batch.map(\.length) == [6] && gaps.m == 5)
    let transposed = try plan([6], a: [35, 1, 5], b: [0, 9, 1])
    #expect(transposed.batch.map(\.length) == [6] && transposed.a.isTransposed)
    let repeated = try plan([6], a: [0, 7, 1], b: [0, 9, 1])
    #expect(repeated.batch == [MatrixProduct.Axis(length: 6, a: 0, b: 0)])
  }
}
