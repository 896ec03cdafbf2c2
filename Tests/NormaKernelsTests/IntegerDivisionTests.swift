import CNormaLoops
import NormaReference
import Testing

/// Divisions of 64-bit integers, which run in vectors while they are small, against Swift's.
@Suite struct IntegerDivisionTests {
  private static func floored(_ a: Int64, _ b: Int64) -> (quotient: Int64, rest: Int64) {
    let (quotient, rest) = (a / b, a % b)
    let crosses = rest != 0 && (rest < 0) != (b < 0)
    return crosses ? (quotient - 1, rest + b) : (quotient, rest)
  }

  static let divisions: [(code: norma_operation, exact: @Sendable (Int64, Int64) -> Int64)] = [
    (NORMA_FLOOR_DIVIDE, { $1 == 0 ? 0 : floored($0, $1).quotient }),
    (NORMA_TRUNC_DIVIDE, { $1 == 0 ? 0 : $0 / $1 }),
    (NORMA_REMAINDER, { $1 == 0 ? 0 : floored($0, $1).rest }),
    (NORMA_FMOD, { $1 == 0 ? 0 : $0 % $1 }),
  ]

  /// Numbers of all magnitudes, so that vectors and single elements alternate, and quotients next
  /// to integers.
  static func pairs(_ random: inout TestRandom) -> ([Int64], [Int64]) {
    var (a, b): ([Int64], [Int64]) = ([], [])
    for k in 0..<20_000 {
      let bits = Int64(bitPattern: random.next())
      let shift = Int64(k / 64 % 60)
      a.append(bits >> shift)
      b.append(Int64(bitPattern: random.next()) >> Int64.random(in: shift...63, using: &random))
      if k % 5 == 0 && abs(b[k]) < 1 << 20 && abs(a[k]) < 1 << 29 { a[k] = a[k] * b[k] - 1 }
    }
    let edges: [Int64] = [
      0, 1, -1, 2, -2, 3, (1 << 50) - 1, 1 << 50, -(1 << 50), -(1 << 50) - 1, .max, .min + 1,
    ]
    for x in edges {
      for y in edges {
        a.append(x)
        b.append(y)
      }
    }
    return (a, b)
  }

  @Test(arguments: divisions.indices) func divisionIsExact(_ index: Int) throws {
    let (code, exact) = Self.divisions[index]
    var random = TestRandom(for: "division \(index)")
    let (a, b) = Self.pairs(&random)
    let loop = try #require(
      norma_find_loop(Int32(code.rawValue), Int32(NORMA_I64.rawValue), 0))
    for count in [a.count, 1, 7, 8, 9, 0] {
      var result = [Int64](repeating: -7, count: count)
      a.withUnsafeBytes { p in
        b.withUnsafeBytes { q in
          result.withUnsafeMutableBytes { r in
            var scratch = 0
            withUnsafeMutableBytes(of: &scratch) { spare in
              loop(
                count, [p.baseAddress, q.baseAddress], r.baseAddress ?? spare.baseAddress)
            }
          }
        }
      }
      for k in 0..<count where result[k] != exact(a[k], b[k]) {
        Issue.record("\(a[k]) and \(b[k]) give \(result[k]), not \(exact(a[k], b[k]))")
        return
      }
    }
  }

  @Test(arguments: [0, 1, 7, 64, 65, 600]) func aZeroIsFoundAnywhere(_ count: Int) {
    func hasZero<T: FixedWidthInteger>(_ values: [T]) -> Bool {
      values.withUnsafeBytes { norma_holds_zero(count, $0.baseAddress, Int32(T.bitWidth / 8)) != 0 }
    }
    func check<T: FixedWidthInteger>(_: T.Type) {
      var values = [T](repeating: 5, count: count)
      #expect(!hasZero(values))
      for k in values.indices {
        values[k] = 0
        #expect(hasZero(values), "at \(k) of \(count)")
        values[k] = 5
      }
    }
    check(Int64.self)
    check(Int32.self)
    check(UInt8.self)
  }
}
