import NormaValues

/// Why some bytes are not the state of a generator.
public struct GeneratorStateError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, in one sentence.
  public let description: String
}

extension Generator {
  /// The number of bytes of a saved state.
  public static let stateByteCount = 5056

  // The offsets in PyTorch's format, little-endian.
  private static let wordsOffset = 24
  private static let normalOffset = 5024
  private static let hasNormalOffset = 5040

  /// The state in PyTorch's format: `stateByteCount` bytes that `torch.set_rng_state` takes.
  ///
  /// PyTorch: `generator.get_state().numpy().tobytes()`.
  public var state: [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Self.stateByteCount)
    bytes.put(seed, at: 0)
    bytes.put(UInt32(position == 0 ? 1 : Self.blockSize + 1 - position), at: 8)
    bytes.put(UInt32(1), at: 12)
    bytes.put(UInt64(position), at: 16)
    for (index, word) in words.enumerated() {
      bytes.put(UInt64(word), at: Self.wordsOffset + 8 * index)
    }
    if let cachedNormal {
      bytes.put(cachedNormal.bitPattern, at: Self.normalOffset)
      bytes.put(UInt32(1), at: Self.hasNormalOffset)
    }
    return bytes
  }

  /// Continues from a saved state, whether Norma's or PyTorch's.
  ///
  /// Throws a `GeneratorStateError` if the bytes are not a state: they have another length, belong
  /// to a generator that was never seeded, or have a position outside the block.
  /// PyTorch: `generator.set_state(state)`.
  public init(state bytes: [UInt8]) throws {
    guard bytes.count == Self.stateByteCount else {
      throw GeneratorStateError(
        description: "a generator's state has \(Self.stateByteCount) bytes, not \(bytes.count)")
    }
    let left = bytes.get(UInt32.self, at: 8)
    let position = bytes.get(UInt64.self, at: 16)
    // A fresh seed is (1, 0): nothing left, nothing drawn. After that both change together.
    guard
      (position == 0 && left == 1) || (1...624 ~= position && UInt64(left) + position == 625)
    else {
      throw GeneratorStateError(
        description: "a generator's state cannot be at \(position) of 624 words with \(left) left")
    }
    guard bytes.get(UInt32.self, at: 12) & 0xff == 1 else {
      throw GeneratorStateError(description: "the state belongs to a generator without a seed")
    }
    let hasNormal = bytes.get(UInt32.self, at: Self.hasNormalOffset) != 0
    let normal = Double(bitPattern: bytes.get(UInt64.self, at: Self.normalOffset))
    self.init(
      seed: bytes.get(UInt64.self, at: 0),
      words: (0..<Self.blockSize).map { bytes.get(UInt32.self, at: Self.wordsOffset + 8 * $0) },
      position: Int(position),
      cachedNormal: hasNormal ? normal : nil)
  }
}

extension Generator: Codable {
  /// Decodes the bytes of `state`; throws if they are not a state.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    do {
      try self.init(state: container.decode([UInt8].self))
    } catch let error as GeneratorStateError {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: error.description)
    }
  }

  /// Encodes the bytes of `state`.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(state)
  }
}

extension [UInt8] {
  /// Writes a little-endian integer.
  fileprivate mutating func put<T: FixedWidthInteger>(_ value: T, at offset: Int) {
    for byte in 0..<MemoryLayout<T>.size {
      self[offset + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte))
    }
  }

  /// Reads a little-endian integer.
  fileprivate func get<T: FixedWidthInteger>(_ type: T.Type, at offset: Int) -> T {
    (0..<MemoryLayout<T>.size).reduce(0) { $0 | T(self[offset + $1]) << (8 * $1) }
  }
}
