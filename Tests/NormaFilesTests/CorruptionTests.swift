import NormaFiles
import NormaTensor
import Testing

/// Every small file, cut at every byte and with every byte changed: an error or a whole tensor.
@Suite struct CorruptionTests {
  static let readers: [(suffix: String, read: @Sendable ([UInt8]) throws -> [Tensor])] = [
    (".npy", { [try Tensor(npyBytes: $0)] }),
    (".npy.gz", { [try Tensor(npyBytes: $0)] }),
    (".idx", { [try Tensor(idxBytes: $0)] }),
    ("8.idx.gz", { [try Tensor(idxBytes: $0)] }),
    ("members.idx.gz", { [try Tensor(idxBytes: $0)] }),
    (".safetensors", { try readAll($0) }),
    (".npz", { try Array(NPZ(bytes: $0).tensors().values) }),
    ("small-stored.pt", { try Array(PyTorchFile(bytes: $0).tensors().values) }),
    ("small-deflated.pt", { try Array(PyTorchFile(bytes: $0).tensors().values) }),
    ("small-legacy.pt", { try Array(PyTorchFile(bytes: $0).tensors().values) }),
    ("plain.pt", { try Array(PyTorchFile(bytes: $0).tensors().values) }),
    (".jpg", { [try Tensor(jpegBytes: $0, appliesOrientation: true)] }),
  ]

  /// All tensors of supported types; the others must be rejected.
  @Sendable static func readAll(_ bytes: [UInt8]) throws -> [Tensor] {
    let file = try SafeTensors(bytes: bytes)
    return try file.entries.compactMap { entry in
      if entry.dtype != nil { return try file.tensor(named: entry.name) }
      kind { _ = try file.tensor(named: entry.name) }
      return nil
    }
  }

  /// Reads damaged bytes: returns whether that threw a `FileError`, and otherwise checks the
  /// result.
  static func isRefused(
    _ bytes: [UInt8], _ read: ([UInt8]) throws -> [Tensor], _ comment: @autoclosure () -> String
  ) -> Bool {
    do {
      for tensor in try read(bytes) {
        let expected = tensor.shape.reduce(tensor.dtype.byteCount, *)
        let isWhole = tensor.withUnsafeBytes { $0.count == expected }
        let isTruth = tensor.dtype != .bool || tensor.bytes.allSatisfy { $0 < 2 }
        if !isWhole || !isTruth { Issue.record("an invalid tensor from \(comment())") }
      }
      return false
    } catch is FileError {
      return true
    } catch {
      Issue.record("no FileError: \(error) from \(comment())")
      return true
    }
  }

  @Test(arguments: readers.indices) func cutAnywhere(_ index: Int) throws {
    let (suffix, read) = Self.readers[index]
    for name in try Fixture.names(suffix) {
      let bytes = try Fixture.bytes(name)
      for count in 0..<bytes.count {
        let isRefused = Self.isRefused(Array(bytes[..<count]), read, "\(name) cut at \(count)")
        #expect(isRefused, "\(name) cut at \(count)")
      }
      #expect(Self.isRefused(bytes, read, name) == Self.mustBeRefused(name), "\(name)")
    }
  }

  @Test(arguments: readers.indices) func anyByteChanged(_ index: Int) throws {
    let (suffix, read) = Self.readers[index]
    for name in try Fixture.names(suffix) {
      var bytes = try Fixture.bytes(name)
      for index in bytes.indices {
        let original = bytes[index]
        for bit in 0..<8 {
          bytes[index] = original ^ 1 << UInt8(bit)
          _ = Self.isRefused(bytes, read, "\(name) with bit \(bit) of byte \(index) changed")
        }
        for byte in [0x00, 0xff, 0x2d, 0x39, 0x7b] as [UInt8] {
          bytes[index] = byte
          _ = Self.isRefused(bytes, read, "\(name) with byte \(index) = \(byte)")
        }
        bytes[index] = original
      }
    }
  }

  @Test func randomBytes() {
    var generator = SplitMix(state: 4)
    let starts: [[UInt8]] = [
      [0x93] + Array("NUMPY".utf8) + [1, 0], [0, 0, 8], [0x50, 0x4b, 3, 4], [0x1f, 0x8b, 8, 0], [],
    ]
    for round in 0..<2000 {
      let start = starts[round % starts.count]
      let bytes =
        start
        + (0..<Int.random(in: 0...80, using: &generator)).map { _ in
          UInt8.random(in: 0...255, using: &generator)
        }
      for (_, read) in Self.readers { _ = Self.isRefused(bytes, read, "seed 4, round \(round)") }
    }
  }

  static func mustBeRefused(_ name: String) -> Bool {
    name.hasPrefix("refused") || name == "checkpoint.npz"
  }
}
