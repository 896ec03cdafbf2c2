import Foundation
import NormaRandom
import Testing

@Suite struct GeneratorStateTests {
  @Test func continuesWherePyTorchStood() throws {
    let saved = bytes(hexadecimal: RandomFixtures.recorded.state)
    var generator = try Generator(state: saved)
    #expect(generator.seed == 1 << 40 + 3)
    #expect(generator.state == saved)
    let four = fill(16) { generator.uniform($0, count: 4, dtype: .float32) }
    let found = (0..<4).map { hexadecimal(bytes: four[(4 * $0)..<(4 * $0 + 4)].reversed()) }
    #expect(found == RandomFixtures.recorded.afterState)
  }

  @Test(arguments: [0, 1, 2, 623, 624, 625, 1248, 5000])
  func continuesWhereItStood(drawn: Int) throws {
    var generator = Generator(seed: 77)
    _ = floats(drawn) { generator.uniform($0, count: drawn, dtype: .float32) }
    _ = floats(1) { generator.normal($0, count: drawn % 2, dtype: .float32) }
    var restored = try Generator(state: generator.state)
    #expect(restored == generator)
    let expected = floats(9) { generator.normal($0, count: 9, dtype: .float32) }
    #expect(floats(9) { restored.normal($0, count: 9, dtype: .float32) } == expected)
  }

  @Test func rejectsInvalidStates() {
    let good = Generator(seed: 0).state
    var cases: [[UInt8]] = [[], Array(good.dropLast()), good + [0]]
    for (offset, value) in [(8, 0), (8, 2), (9, 3), (16, 1), (18, 1), (23, 0x80), (12, 0)] {
      var bad = good
      bad[offset] = UInt8(value)
      cases.append(bad)
    }
    for bad in cases {
      #expect(throws: GeneratorStateError.self) { try Generator(state: bad) }
    }
  }

  @Test func survivesCoding() throws {
    var generator = Generator(seed: -3)
    _ = floats(3) { generator.normal($0, count: 3, dtype: .float32) }
    let data = try JSONEncoder().encode(generator)
    #expect(try JSONDecoder().decode(Generator.self, from: data) == generator)
    let short = try JSONEncoder().encode(generator.state.dropLast())
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(Generator.self, from: short) }
  }
}
