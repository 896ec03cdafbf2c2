import NormaTensor
import Testing

@testable import NormaFiles

@Suite struct NPZTests {
  @Test func archivesOfNumPyAndZIP() throws {
    for name in ["numpy.npz", "stored.npz", "deflated.npz"] {
      let archive = try NPZ(contentsOf: Fixture.path(name))
      #expect(archive.keys == ["a", "b/c"])
      let a = Tensor([2, 3], .float32, (0..<6).map { Float($0) })
      #expect(try same(archive.tensor(named: "a"), a), "\(name)")
      #expect(try same(archive.tensor(named: "b/c"), Tensor([2], .int64, [1, 2])), "\(name)")
      #expect(kind { _ = try archive["c"] } == .missing)
      #expect(kind { _ = try archive.tensor(named: "c") } == .missing)
      #expect(kind { _ = try Tensor(contentsOf: Fixture.path(name)) } == .unsupported)
      #expect(try Tensor.all(contentsOf: Fixture.path(name)).count == 2)
    }
    #expect(kind { _ = try NPZ(contentsOf: Fixture.path("checkpoint.npz")) } == .unsupported)
  }

  @Test func everyTypeAndShapeSurvives() throws {
    var generator = SplitMix(state: 3)
    var tensors: [String: Tensor] = [:]
    for dtype in DType.allCases where dtype != .bfloat16 {
      for shape in shapes {
        tensors["ä/\(dtype)\(shape)"] = Tensor(random: shape, dtype, &generator)
      }
    }
    tensors["zeros"] = Tensor(shape: [300_000], dtype: .uint8) {
      $0.copyBytes(from: [UInt8](repeating: 0, count: 300_000))
    }
    try withFolder { folder in
      // Sizes and offsets of 64 bits without files of four gigabytes.
      for (compressed, wideFrom) in [(false, 1 << 32), (true, 1 << 32), (false, 500), (true, 500)] {
        try NPZ.write(tensors, to: "\(folder)/x.npz", compressed: compressed, wideFrom: wideFrom)
        let archive = try NPZ(contentsOf: "\(folder)/x.npz")
        #expect(archive.keys == tensors.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) })
        for (name, tensor) in tensors {
          #expect(
            same(try archive.tensor(named: name), tensor), "\(name) \(compressed) \(wideFrom)")
        }
      }
      try NPZ.write([:], to: "\(folder)/empty.npz")
      #expect(try Tensor.all(contentsOf: "\(folder)/empty.npz").isEmpty)
      try NPZ.write(["a": tensors["zeros"]].compactMapValues { $0 }, to: "\(folder)/one.npz")
      #expect(try Tensor(contentsOf: "\(folder)/one.npz").shape == [300_000])
    }
  }

  @Test func theChecksumWithoutALibraryIsTheSame() {
    var generator = SplitMix(state: 7)
    let bytes = (0..<1000).map { _ in UInt8(truncatingIfNeeded: generator.next()) }
    bytes.withUnsafeBytes { bytes in
      let (head, tail) = (
        UnsafeRawBufferPointer(rebasing: bytes[..<300]),
        UnsafeRawBufferPointer(rebasing: bytes[300...])
      )
      let inParts = Checksum.byTable(Checksum.byTable(0, head), tail)
      #expect(UInt(inParts) == Checksum.update(0, bytes))
    }
    // The check value of the CRC catalogue.
    let known = Array("123456789".utf8).withUnsafeBytes { Checksum.byTable(0, $0) }
    #expect(known == 0xcbf4_3926)
  }

  @Test func checksumsCount() throws {
    for name in ["stored.npz", "deflated.npz"] {
      let bytes = try Fixture.bytes(name)
      // The last value of the last array stands before the directory.
      let directory = Int(bytes[bytes.count - 6]) + Int(bytes[bytes.count - 5]) << 8
      var damaged = bytes
      damaged[directory - 1] ^= 0x10
      #expect(kind { _ = try NPZ(bytes: damaged).tensor(named: "b/c") } != nil, "\(name)")
    }
  }
}
