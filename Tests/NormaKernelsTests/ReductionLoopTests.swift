import CNormaLoops
import NormaReference
import Testing

/// The reductions of blocks: the same bits on every instruction set, close to the definition.
@Suite(.serialized) struct ReductionLoopTests {
  static let lengths = [1, 2, 7, 8, 15, 16, 17, 31, 32, 33, 63, 64, 65, 100, 1791, 1792]

  @Test func blocksOfFloats() {
    var random = TestRandom()
    for length in Self.lengths {
      for mean in [Float(0), 1e7] {
        let values = random.floats(length, mean: mean, std: 1)
        var seen: [[UInt64]] = []
        ConversionTests.onEveryLevel { _ in
          guard let loops = norma_find_reductions(Int32(NORMA_F32.rawValue)) else { return }
          var (sum, alone, m2) = (0.0, 0.0, 0.0)
          loops.pointee.moments(values.count, values, &sum, &m2, nil)
          loops.pointee.sum(values.count, values, &alone)
          var (low, high) = (values[0], values[0])
          loops.pointee.minimum(values.count, values, &low)
          loops.pointee.maximum(values.count, values, &high)
          #expect(low == values.min() && high == values.max() && alone == sum)
          seen.append([sum.bitPattern, m2.bitPattern])
          let exact = ReferenceMoments(values.map { Double($0) })
          #expect(abs(sum / Double(length) - exact.mean) <= 1e-9)
          #expect(
            abs(m2 - exact.m2) <= 1e-5 * exact.m2 + 1e-6 * Double(length) * (length == 1 ? 0 : 1))
        }
        #expect(Set(seen).count == 1, "\(length) values around \(mean)")
      }
    }
  }

  /// Columns of a box whose rows are not contiguous.
  @Test func columnsOfFloats() {
    var random = TestRandom()
    for columns in [1, 3, 15, 16, 17, 40, 64] {
      for (rows, pitch) in [(1, 64), (2, 70), (28, 64), (100, 65)] {
        let values = random.floats(rows * pitch, mean: 3, std: 1)
        var seen: [[UInt64]] = []
        ConversionTests.onEveryLevel { _ in
          guard let loops = norma_find_reductions(Int32(NORMA_F32.rawValue)) else { return }
          var sums = [Double](repeating: 0, count: columns), m2s = sums, alone = sums
          var high = Array(values[..<columns])
          loops.pointee.column_moments(rows, columns, pitch, values, &sums, &m2s, nil)
          loops.pointee.column_sum(rows, columns, pitch, values, &alone)
          loops.pointee.column_maximum(rows, columns, pitch, values, &high)
          #expect(sums == alone)
          seen.append((sums + m2s).map(\.bitPattern))
          for j in 0..<columns {
            let column = (0..<rows).map { Double(values[$0 * pitch + j]) }
            let exact = ReferenceMoments(column)
            #expect(abs(sums[j] / Double(rows) - exact.mean) <= 1e-12)
            #expect(abs(m2s[j] - exact.m2) <= 2e-6 * exact.m2)
            #expect(Double(high[j]) == column.max())
          }
        }
        #expect(Set(seen).count == 1, "\(rows) rows of \(columns)")
      }
    }
  }

  @Test func momentsMerge() {
    var random = TestRandom()
    let values = random.doubles(300, mean: 50, std: 2)
    ConversionTests.onEveryLevel { _ in
      let parts = [
        ReferenceMoments(Array(values[..<100])), ReferenceMoments(Array(values[100...])),
      ]
      for columns in [1, 8, 11] {
        var sums = [Double](repeating: parts[0].mean * 100, count: columns)
        var m2s = [Double](repeating: parts[0].m2, count: columns)
        let more = [Double](repeating: parts[1].mean * 200, count: columns)
        let squares = [Double](repeating: parts[1].m2, count: columns)
        norma_merge_moments(columns, 100, &sums, &m2s, nil, 200, more, squares, nil)
        let whole = ReferenceMoments(values)
        for j in 0..<columns {
          #expect(abs(sums[j] / 300 - whole.mean) < 1e-12)
          #expect(abs(m2s[j] - whole.m2) < 1e-10 * whole.m2)
        }
      }
    }
  }

  /// Sums of doubles keep the rounding errors of their additions: parts far from zero merge as if
  /// exact.
  @Test func momentsOfDoublesKeepWhatSumsLose() {
    var random = TestRandom()
    for length in [1, 5, 31, 64, 1000, 1792] {
      let values = random.doubles(3 * length, mean: 1e12, std: 0.01)
      var seen: [[UInt64]] = []
      ConversionTests.onEveryLevel { _ in
        guard let loops = norma_find_reductions(Int32(NORMA_F64.rawValue)) else { return }
        var (sum, m2, lost) = (0.0, 0.0, 0.0)
        loops.pointee.moments(length, values, &sum, &m2, &lost)
        var sums = [0.0], m2s = [0.0], rest = [0.0]
        for part in 1...2 {
          // The second part as a column of two, the third as a row.
          let block = Array(values[(part * length)..<((part + 1) * length)])
          if part == 1 {
            loops.pointee.column_moments(length, 1, 1, block, &sums, &m2s, &rest)
          } else {
            loops.pointee.moments(length, block, &sums, &m2s, &rest)
          }
          norma_merge_moments(
            1, Double(part * length), &sum, &m2, &lost, Double(length), sums, m2s, rest)
        }
        seen.append([sum, m2, lost].map(\.bitPattern))
        let exact = ReferenceMoments(values)
        #expect(abs(m2 - exact.m2) <= 8 * exact.m2.ulp, "\(length) values")
      }
      #expect(Set(seen).count == 1, "\(length) values")
    }
  }

  /// Columns far from zero give the same bits at any position.
  @Test func columnsOfDoubles() {
    var random = TestRandom()
    let (rows, columns) = (50, 19)
    let values = random.doubles(rows * columns, mean: 1e9, std: 1)
    var seen: [[UInt64]] = []
    ConversionTests.onEveryLevel { _ in
      guard let loops = norma_find_reductions(Int32(NORMA_F64.rawValue)) else { return }
      var sums = [Double](repeating: 0, count: columns), m2s = sums, lost = sums
      loops.pointee.column_moments(rows, columns, columns, values, &sums, &m2s, &lost)
      seen.append((sums + m2s + lost).map(\.bitPattern))
      for j in 0..<columns {
        let column = (0..<rows).map { values[$0 * columns + j] }
        var one = [0.0], squares = [0.0], rest = [0.0]
        loops.pointee.column_moments(rows, 1, 1, column, &one, &squares, &rest)
        #expect([one[0], squares[0], rest[0]] == [sums[j], m2s[j], lost[j]])
        let exact = ReferenceMoments(column)
        #expect(abs(m2s[j] - exact.m2) <= 8 * exact.m2.ulp)
      }
    }
    #expect(Set(seen).count == 1)
  }
}
