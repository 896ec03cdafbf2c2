import Foundation
import NormaRandom
import NormaValues
import Testing

@Suite struct GeneratorTests {
  @Test(arguments: RandomFixtures.recorded.streams)
  func drawsAreThoseOfPyTorch(stream: RandomFixtures.Stream) throws {
    var generator = Generator(seed: stream.seed)
    for draw in stream.draws {
      let bytes = try draw.bytes(from: &generator)
      let size = bytes.count / draw.count
      let first = (0..<draw.first.count).map {
        hexadecimal(bytes: bytes[($0 * size)..<(($0 + 1) * size)].reversed())
      }
      #expect(first == draw.first, "\(draw.draw) \(draw.count)")
      #expect(fnv(bytes) == draw.hash, "\(draw.draw) \(draw.count)")
    }
    #expect(fnv(generator.state) == stream.state)
  }

  @Test(
    arguments: [
      (0, [0.49625659, 0.76822180]), (42, [0.88226926, 0.91500396]),
      (Int.max, [0.99379939, 0.57130635]),
    ] as [(Int, [Float])])
  func knownUniformNumbers(seed: Int, expected: [Float]) {
    var generator = Generator(seed: seed)
    #expect(floats(2) { generator.uniform($0, count: 2, dtype: .float32) } == expected)
  }

  @Test(
    arguments: [
      (0, [1.5409961, -0.2934289], [-1.1258398, -1.1523602]),
      (42, [0.33669037, 0.12880941], [1.9269153, 1.4872841]),
      (Int.max, [1.2197630, -0.39297947], [-2.6642976, -1.0910486]),
    ] as [(Int, [Float], [Float])])
  func knownNormalNumbers(seed: Int, two: [Float], firstOfSixteen: [Float]) {
    var few = Generator(seed: seed)
    #expect(floats(2) { few.normal($0, count: 2, dtype: .float32) } == two)
    var many = Generator(seed: seed)
    let sixteen = floats(16) { many.normal($0, count: 16, dtype: .float32) }
    #expect(Array(sixteen.prefix(2)) == firstOfSixteen)
  }

  @Test func onlyTheLowHalfOfASeedCounts() {
    var a = Generator(seed: 5)
    var b = Generator(seed: 1 << 32 + 5)
    #expect(a.next() == b.next())
    #expect(b.seed == 1 << 32 + 5)
    #expect(Generator(seed: -1) == Generator(seed: UInt64.max))
    #expect(Generator() == Generator(seed: 67_280_421_310_721))
  }

  /// However a stream is divided into draws, the words are the same.
  @Test(arguments: [1, 7, 16, 623, 624, 625, 10_000, 39_936, 39_937, 100_000])
  func drawsContinueEachOther(first: Int) {
    let total = 100_003
    var whole = Generator(seed: 3)
    let expected = floats(total) { whole.uniform($0, count: total, dtype: .float32) }
    var parts = Generator(seed: 3)
    let found =
      floats(first) { parts.uniform($0, count: first, dtype: .float32) }
      + floats(total - first) { parts.uniform($0, count: total - first, dtype: .float32) }
    #expect(found == expected)
    #expect(parts == whole)
  }

  @Test func wideDrawsContinueAfterAnOddWord() {
    var generator = Generator(seed: 9)
    _ = floats(1) { generator.uniform($0, count: 1, dtype: .float32) }
    var words = Generator(seed: 9)
    let all = fill(4 * 100_001) { words.integers($0, count: 100_001, dtype: .int32) }
    let pairs = fill(8 * 50_000) { generator.integers($0, count: 50_000, dtype: .int64) }
    // Without their sign bits, the words of `all` are the words of `pairs`, high ones first.
    for index in [0, 1, 311, 312, 19_967, 19_968, 49_999] {
      let high = all[(4 + 8 * index)..<(8 + 8 * index)]
      let low = all[(8 + 8 * index)..<(11 + 8 * index)]
      #expect(Array(high) == Array(pairs[(8 * index + 4)..<(8 * index + 8)]))
      #expect(Array(low) == Array(pairs[(8 * index)..<(8 * index + 3)]))
    }
  }

  @Test func emptyDrawsTakeNothing() {
    var generator = Generator(seed: 1)
    let untouched = generator
    for dtype in [DType.float16, .float32, .float64] {
      _ = fill(8) { generator.uniform($0, count: 0, dtype: dtype) }
      _ = fill(8) { generator.normal($0, count: 0, dtype: dtype) }
      _ = fill(8) { generator.bernoulli($0, count: 0, dtype: dtype, p: 0.5) }
      _ = fill(8) { generator.permutation($0, count: 0) }
      _ = fill(8) { generator.permutation($0, count: 1) }
    }
    #expect(generator == untouched)
  }

  @Test func aCopyGoesItsOwnWay() {
    var original = Generator(seed: 1)
    _ = original.next()
    var copy = original
    let expected = [copy.next(), copy.next()]
    #expect([original.next(), original.next()] == expected)
    _ = copy.next()
    #expect(copy != original)
  }

  @Test func permutationsHoldEveryIndexOnce() {
    for isLong in [false, true] {
      var generator = Generator(seed: 8)
      var found = [Int64](repeating: -1, count: 5000)
      found.withUnsafeMutableBufferPointer {
        guard let base = $0.baseAddress else { return }
        generator.permutation(base, count: 5000, isLong: isLong)
      }
      #expect(found != Array(0..<5000))
      #expect(found.sorted() == Array(0..<5000))
    }
  }

  @Test func servesTheStandardLibrary() {
    var generator = Generator(seed: 4)
    #expect(Array(0..<100).shuffled(using: &generator).sorted() == Array(0..<100))
    var again = Generator(seed: 4)
    let bits = fill(8) { again.integers($0, count: 1, dtype: .int64, from: .min) }
    var third = Generator(seed: 4)
    #expect(bytes(of: third.next()) == bits)
  }

  @Test func hashTellsBytesApart() {
    #expect(fnv([]) == "cbf29ce484222325")
    #expect(fnv([97]) == "af63dc4c8601ec8c")
    #expect(fnv([0, 1]) != fnv([1, 0]))
    #expect(hexadecimal(bytes: bytes(hexadecimal: "00ff10a9")) == "00ff10a9")
  }
}

/// Floats that `body` wrote.
func floats(_ count: Int, _ body: (UnsafeMutableRawPointer) -> Void) -> [Float] {
  let bytes = fill(4 * count, body)
  return bytes.withUnsafeBytes { raw in
    (0..<count).map { raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
  }
}
