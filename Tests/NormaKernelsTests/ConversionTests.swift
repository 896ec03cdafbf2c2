import CNormaLoops
import NormaValues
import NormaReference
import Testing

/// Conversions between types in memory, over all halves and on every instruction set.
@Suite(.serialized) struct ConversionTests {
  /// Calls `body` with every instruction set that this processor has selected in turn.
  static func onEveryLevel(_ body: (Int32) -> Void) {
    let level = norma_loops_level()
    defer { norma_loops_select(level) }
    for other in 0...norma_loops_best_level() {
      norma_loops_select(other)
      body(other)
    }
  }

  static func run<A, B: BitwiseCopyable>(
    _ loop: norma_loop?, _ values: [A], _ zero: B
  ) -> [B] {
    var result = [B](repeating: zero, count: values.count)
    values.withUnsafeBytes { source in
      result.withUnsafeMutableBytes { target in
        guard let loop, let from = source.baseAddress, let to = target.baseAddress else { return }
        withUnsafePointer(to: Optional(from)) { loop(values.count, $0, to) }
      }
    }
    return result
  }

  @Test func everyHalfBecomesItsFloat() {
    let bits = (0...UInt16.max).map { $0 }
    Self.onEveryLevel { level in
      let half = Self.run(
        norma_find_conversion(Int32(NORMA_F16.rawValue), Int32(NORMA_F32.rawValue)), bits, Float(0))
      let short = Self.run(
        norma_find_conversion(Int32(NORMA_BF16.rawValue), Int32(NORMA_F32.rawValue)), bits, Float(0)
      )
      for (k, pattern) in bits.enumerated() {
        let expected = Float(Float16(bitPattern: pattern))
        if half[k].bitPattern != expected.bitPattern && !(half[k].isNaN && expected.isNaN) {
          Issue.record("float16 \(pattern) became \(half[k]) on level \(level)")
        }
        if short[k].bitPattern != UInt32(pattern) << 16 {
          Issue.record("bfloat16 \(pattern) became \(short[k]) on level \(level)")
        }
      }
    }
  }

  /// Floats at, below and above every half and every middle between two halves.
  @Test func floatsBecomeTheNearestHalf() {
    var floats: [Float] = [
      .nan, -.nan, .infinity, -.infinity, .greatestFiniteMagnitude, 65520, 65519.99,
    ]
    for pattern in stride(from: UInt16(0), to: 0x7c00, by: 3) {
      let (a, b) = (Float(Float16(bitPattern: pattern)), Float(Float16(bitPattern: pattern + 1)))
      let middle = b.isFinite ? (a + b) / 2 : 65520
      floats += [a, -a, middle, middle.nextUp, -middle.nextDown]
    }
    for pattern in stride(from: UInt32(0), to: 0x7f80, by: 11) {
      let a = Float(bitPattern: pattern << 16)
      floats += [
        a, -a, Float(bitPattern: pattern << 16 | 0x8000), Float(bitPattern: pattern << 16 | 0x8001),
      ]
    }
    let expectedHalf = floats.map { Float16($0) }, expectedShort = floats.map { BFloat16($0) }
    Self.onEveryLevel { level in
      let half = Self.run(
        norma_find_conversion(Int32(NORMA_F32.rawValue), Int32(NORMA_F16.rawValue)), floats,
        UInt16(0))
      let short = Self.run(
        norma_find_conversion(Int32(NORMA_F32.rawValue), Int32(NORMA_BF16.rawValue)), floats,
        UInt16(0))
      let roundedHalf = Self.run(norma_find_rounding(Int32(NORMA_F16.rawValue)), floats, Float(0))
      let roundedShort = Self.run(norma_find_rounding(Int32(NORMA_BF16.rawValue)), floats, Float(0))
      for (k, value) in floats.enumerated() {
        if value.isNaN {
          #expect(Float16(bitPattern: half[k]).isNaN && roundedHalf[k].isNaN)
          #expect(Float(BFloat16(bitPattern: short[k])).isNaN && roundedShort[k].isNaN)
          continue
        }
        if half[k] != expectedHalf[k].bitPattern || roundedHalf[k] != Float(expectedHalf[k]) {
          Issue.record("\(value) became float16 \(half[k]), \(roundedHalf[k]) on level \(level)")
        }
        if short[k] != expectedShort[k].bitPattern || roundedShort[k] != Float(expectedShort[k]) {
          Issue.record("\(value) became bfloat16 \(short[k]), \(roundedShort[k]) on level \(level)")
        }
      }
    }
  }

  @Test func integersAndReals() {
    let words: [Int64] = [
      0, 1, -1, .max, .min, 1 << 53 + 1, 16_777_217, -16_777_219, 300, -300, 1 << 40,
    ]
    let reals: [Double] = [
      0, -0.5, 1.9, -1.9, 255.9, 1e10, -1e10, 1e300, .nan, .infinity, -.infinity,
    ]
    let (i64, f64) = (Int32(NORMA_I64.rawValue), Int32(NORMA_F64.rawValue))
    let (i32, f32) = (Int32(NORMA_I32.rawValue), Int32(NORMA_F32.rawValue))
    Self.onEveryLevel { level in
      #expect(Self.run(norma_find_conversion(i64, f64), words, 0.0) == words.map { Double($0) })
      #expect(Self.run(norma_find_conversion(i64, f32), words, Float(0)) == words.map { Float($0) })
      let narrow = Self.run(norma_find_conversion(i64, i32), words, Int32(0))
      #expect(narrow == words.map { Int32(truncatingIfNeeded: $0) })
      let back = Self.run(norma_find_conversion(i32, i64), narrow, Int64(0))
      #expect(back == narrow.map { Int64($0) })
      #expect(
        Self.run(norma_find_conversion(i32, f32), narrow, Float(0)) == narrow.map { Float($0) })
      let longs = Self.run(norma_find_conversion(f64, i64), reals, Int64(0))
      #expect(longs == reals.map { Int64(exactly: $0.rounded(.towardZero)) ?? .min })
      let ints = Self.run(norma_find_conversion(f64, i32), reals, Int32(0))
      #expect(ints == reals.map { Int32(exactly: $0.rounded(.towardZero)) ?? .min })
      let bytes = Self.run(
        norma_find_conversion(f64, Int32(NORMA_U8.rawValue)), reals, UInt8(0))
      #expect(bytes == ints.map { UInt8(truncatingIfNeeded: $0) }, "level \(level)")
    }
  }
}
