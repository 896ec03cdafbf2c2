import CNormaLoops
import NormaRandom
import Testing

/// Every level must give the bits of the baseline, whatever the length.
@Suite struct RandomLoopsTests {
  private static let lengths = Array(0...50) + [624, 1000, 4099]

  /// The baseline and the levels of this processor.
  private static let levels = Array(0...norma_loops_best_level())

  /// Words from a known generator.
  private static func words(_ count: Int) -> [UInt32] {
    let blocks = count / 624 + 1
    var words = Generator(seed: 2026).words + [UInt32](repeating: 0, count: blocks * 624)
    norma_find_random_loops(0).pointee.extend(&words, blocks)
    return Array(words[624..<(624 + count)])
  }

  @Test(arguments: levels) func wordsContinueTheRecurrence(level: Int32) {
    var words = Generator(seed: 1).words + [UInt32](repeating: 0, count: 3 * 624)
    norma_find_random_loops(level).pointee.extend(&words, 3)
    for k in 0..<(3 * 624) {
      let y = words[k] & 0x8000_0000 | words[k + 1] & 0x7fff_ffff
      let expected = words[k + 397] ^ y >> 1 ^ (y & 1 == 1 ? 0x9908_b0df : 0)
      #expect(words[k + 624] == expected)
    }
  }

  @Test(arguments: levels) func tempering(level: Int32) {
    for count in Self.lengths {
      let words = Self.words(count)
      var found = [UInt32](repeating: 0, count: count + 1)
      norma_find_random_loops(level).pointee.temper(words, &found, count)
      let expected = words.map { word in
        var y = word
        y ^= y >> 11
        y ^= y << 7 & 0x9d2c_5680
        y ^= y << 15 & 0xefc6_0000
        return y ^ y >> 18
      }
      #expect(found == expected + [0])
    }
  }

  @Test(arguments: levels) func unitNumbers(level: Int32) {
    let loops = norma_find_random_loops(level).pointee
    for count in Self.lengths {
      let words = Self.words(2 * count)
      var tempered = words
      loops.temper(words, &tempered, 2 * count)
      var singles = [Float](repeating: -1, count: count + 1)
      loops.unit32(words, &singles, count)
      #expect(singles == tempered.prefix(count).map { Float($0 & 0xff_ffff) * 0x1p-24 } + [-1])
      var doubles = [Double](repeating: -1, count: count + 1)
      loops.unit64(words, &doubles, count)
      let expected = (0..<count).map { index -> Double in
        let pair = UInt64(tempered[2 * index]) << 32 | UInt64(tempered[2 * index + 1])
        return Double(pair & (1 << 53 - 1)) * 0x1p-53
      }
      #expect(doubles == expected + [-1])
    }
  }

  @Test(arguments: levels) func scaling(level: Int32) {
    let loops = norma_find_random_loops(level).pointee
    for count in Self.lengths {
      let words = Self.words(2 * count)
      var singles = [Float](repeating: 0, count: count)
      loops.unit32(words, &singles, count)
      // The last value rounds up to the open bound.
      if count > 0 { singles[count - 1] = 1 - 0x1p-24 }
      let low: Float = 1
      let high: Float = 1.5
      let expected = singles.map { value -> Float in
        let y = low.addingProduct(value, high - low)
        return y == high ? low : y
      }
      loops.scale32(&singles, count, low, high)
      #expect(singles == expected)
      #expect(singles.allSatisfy { $0 < high })
      var doubles = [Double](repeating: 0, count: count)
      loops.unit64(words, &doubles, count)
      let wide = doubles.map { (-0.37).addingProduct($0, 0.81 - -0.37) }
      loops.scale64(&doubles, count, -0.37, 0.81)
      #expect(doubles == wide)
    }
  }

  @Test(arguments: levels) func normalNumbers(level: Int32) {
    // The ends of 0 ..< 1 and the corners of the quadrants, then random ones.
    let corners: [Float] = [0, 0x1p-24, 0.125, 0.25, 0.375, 0.5, 0.75, 1 - 0x1p-24]
    for groups in [0, 1, 2, 3, 7, 64] {
      var units = [Float](repeating: 0, count: 16 * groups)
      norma_find_random_loops(0).pointee.unit32(Self.words(units.count), &units, units.count)
      if groups > 0 { units.replaceSubrange(0..<16, with: corners + corners.reversed()) }
      var expected = units
      norma_find_random_loops(0).pointee.normal32(&expected, groups, 0.3, 0.7)
      var found = units + [42]
      norma_find_random_loops(level).pointee.normal32(&found, groups, 0.3, 0.7)
      #expect(found.map(\.bitPattern) == (expected + [42]).map(\.bitPattern))
      #expect(worstError(expected, units, mean: 0.3, std: 0.7) < 1e-6)
    }
  }

  /// The greatest distance from the definition, computed in Double.
  private func worstError(
    _ values: [Float], _ units: [Float], mean: Double, std: Double
  ) -> Double {
    var worst = 0.0
    for group in stride(from: 0, to: units.count, by: 16) {
      for lane in group..<(group + 8) {
        let pair = boxMuller(Double(units[lane]), Double(units[lane + 8]))
        worst = max(worst, abs(Double(values[lane]) - (pair.0 * std + mean)))
        worst = max(worst, abs(Double(values[lane + 8]) - (pair.1 * std + mean)))
      }
    }
    return worst
  }
}
