import CNormaLoops
import NormaValues

/// A source of random numbers: the Mersenne twister, with PyTorch's CPU numbers bit for bit.
///
/// A generator is a value: a copy continues on its own from the state of the original. The same
/// seed and the same calls give the same numbers on every processor and with any number of threads.
/// It also works with Swift's own `shuffled(using:)` and `random(in:using:)`.
///
///     var generator = Generator(seed: 0)
///     let weights = withGenerator(&generator) { Tensor.randn(3, 4) }
///
/// Results that are computed with the system's `log`, `cos` and the like in double precision
/// (normal numbers of `float64`, exponential, Cauchy and so on) are as accurate as that library.
///
/// Cost: 2.5 KB, shared between copies until one of them draws.
/// PyTorch: `torch.Generator`. Source: Matsumoto and Nishimura, 1998.
public struct Generator: Sendable, Hashable, RandomNumberGenerator {
  /// The seed that this generator started from. PyTorch: `generator.initial_seed()`.
  public let seed: UInt64

  /// The block of untempered words that is being consumed, always `blockSize` of them.
  package internal(set) var words: [UInt32]

  /// How many of the words have been consumed; 0 on a fresh seed, whose own words are never
  /// returned.
  package internal(set) var position: Int

  /// The second number of a pair of normal numbers, kept for the next call.
  package internal(set) var cachedNormal: Double?

  /// Words in one block of the twister.
  package static let blockSize = Int(NORMA_RANDOM_BLOCK)

  /// A generator with PyTorch's default seed, 67280421310721.
  public init() { self.init(seed: 67_280_421_310_721) }

  /// A generator that starts from `seed`.
  ///
  /// Only the low 32 bits of the seed make a difference, as in PyTorch on the CPU.
  /// PyTorch: `torch.Generator().manual_seed(seed)`.
  public init(seed: some BinaryInteger) {
    let seed = UInt64(truncatingIfNeeded: seed)
    var word = UInt32(truncatingIfNeeded: seed)
    var words = [word]
    words.reserveCapacity(Self.blockSize)
    for index in 1..<UInt32(Self.blockSize) {
      word = 1_812_433_253 &* (word ^ word >> 30) &+ index
      words.append(word)
    }
    self.init(seed: seed, words: words, position: 0, cachedNormal: nil)
  }

  /// A generator in the middle of its stream.
  init(seed: UInt64, words: [UInt32], position: Int, cachedNormal: Double?) {
    self.seed = seed
    self.words = words
    self.position = position
    self.cachedNormal = cachedNormal
  }

  /// The next 64 random bits.
  ///
  /// All draws take from the same stream, so this also changes the numbers of later tensors.
  public mutating func next() -> UInt64 {
    var result: UInt64 = 0
    drawTempered(1, wordsEach: 2) { pair, _ in result = UInt64(pair[0]) << 32 | UInt64(pair[1]) }
    return result
  }
}
