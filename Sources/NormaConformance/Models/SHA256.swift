/// The hash function SHA-256, which identifies exact bytes in recorded cases. Source: FIPS 180-4.
enum SHA256 {
  /// The hash in 64 hexadecimal digits.
  static func hex(_ bytes: [UInt8]) -> String {
    var state: [UInt32] = [
      0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab,
      0x5be0_cd19,
    ]
    let whole = bytes.count / 64 * 64
    var end = Array(bytes[whole...]) + [0x80]
    end += [UInt8](repeating: 0, count: (120 - end.count % 64) % 64)
    for place in stride(from: 56, through: 0, by: -8) {
      end.append(UInt8(truncatingIfNeeded: (bytes.count * 8) >> place))
    }
    constants.withUnsafeBufferPointer { constants in
      bytes.withUnsafeBytes { add($0[..<whole], to: &state, constants) }
      end.withUnsafeBytes { add($0[...], to: &state, constants) }
    }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  /// Whole blocks of 64 bytes.
  private static func add(
    _ blocks: Slice<UnsafeRawBufferPointer>, to state: inout [UInt32],
    _ constants: UnsafeBufferPointer<UInt32>
  ) {
    let blocks = UnsafeRawBufferPointer(rebasing: blocks)
    withUnsafeTemporaryAllocation(of: UInt32.self, capacity: 64) { words in
      for start in stride(from: 0, to: blocks.count, by: 64) {
        for place in 0..<16 {
          words[place] =
            blocks.loadUnaligned(fromByteOffset: start + 4 * place, as: UInt32.self).bigEndian
        }
        for place in 16..<64 {
          let (a, b) = (words[place - 15], words[place - 2])
          let first = rotated(a, 7) ^ rotated(a, 18) ^ a &>> 3
          let second = rotated(b, 17) ^ rotated(b, 19) ^ b &>> 10
          words[place] = words[place - 16] &+ first &+ words[place - 7] &+ second
        }
        mix(words, into: &state, constants)
      }
    }
  }

  private static func mix(
    _ words: UnsafeMutableBufferPointer<UInt32>, into state: inout [UInt32],
    _ constants: UnsafeBufferPointer<UInt32>
  ) {
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for place in 0..<64 {
      let choice = e & f ^ ~e & g
      let majority = a & b ^ a & c ^ b & c
      let first = rotated(e, 6) ^ rotated(e, 11) ^ rotated(e, 25)
      let sum = h &+ first &+ choice &+ constants[place] &+ words[place]
      let second = (rotated(a, 2) ^ rotated(a, 13) ^ rotated(a, 22)) &+ majority
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ sum, c, b, a, sum &+ second)
    }
    for (place, value) in [a, b, c, d, e, f, g, h].enumerated() { state[place] &+= value }
  }

  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 {
    word &>> count | word &<< (32 - count)
  }

  /// The first 32 bits of the fractions of the cube roots of the first 64 primes.
  private static let constants: [UInt32] = {
    var primes: [UInt32] = []
    var candidate: UInt32 = 2
    while primes.count < 64 {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes.map(cubeRootFraction)
  }()

  /// The fractional part of floor(2^32 prime^(1/3)), by bisection in 128-bit integers.
  private static func cubeRootFraction(_ prime: UInt32) -> UInt32 {
    let target = UInt128(prime) << 96
    var (low, high) = (UInt128(0), UInt128(1) << 36)
    while high - low > 1 {
      let middle = (low + high) / 2
      if middle * middle * middle <= target { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }
}
