#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Random data for tests: SplitMix64, with a seed that is printed and can be set again.
///
/// The seed is that of the run: 1, or the value of the environment variable `NORMA_TEST_SEED`,
/// which may be `random` for a different one each time.
/// Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
package struct TestRandom: RandomNumberGenerator, Sendable {
  /// The seed of every test in this run that names none.
  package static let runSeed: UInt64 = {
    let given = getenv("NORMA_TEST_SEED").map { String(cString: $0) }
    return given == "random" ? .random(in: 1..<1_000_000) : given.flatMap(UInt64.init) ?? 1
  }()

  package let seed: UInt64
  private var state: UInt64

  /// Starts a sequence and prints its seed, so that a failure can be repeated.
  package init(seed: UInt64? = nil, for test: String = #function) {
    let seed = seed ?? TestRandom.runSeed
    print("\(test): random data from seed \(seed) (NORMA_TEST_SEED=\(seed) repeats it)")
    self.seed = seed
    state = seed
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// `count` numbers, each `mean` plus a uniform one with this standard deviation.
  package mutating func floats(_ count: Int, mean: Float = 0, std: Float = 1) -> [Float] {
    doubles(count, mean: Double(mean), std: Double(std)).map { Float($0) }
  }

  /// `count` numbers, each `mean` plus a uniform one with this standard deviation.
  package mutating func doubles(_ count: Int, mean: Double = 0, std: Double = 1) -> [Double] {
    let halfWidth = std * 3.0.squareRoot()
    return (0..<count).map { _ in mean + Double.random(in: -halfWidth...halfWidth, using: &self) }
  }
}
