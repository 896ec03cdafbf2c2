import Foundation
import Testing

@testable import NormaConformance

@Suite struct ZooTests {
  /// The examples of FIPS 180-4, and the lengths around the end of a block.
  @Test func hashes() {
    #expect(
      SHA256.hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    #expect(
      SHA256.hex(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(
      SHA256.hex(Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8))
        == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1")
    #expect(
      SHA256.hex([UInt8](repeating: 97, count: 64))
        == "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb")
  }

  @Test func aFileIsComparedWithWhatIsKnownOfIt() throws {
    let folder = FileManager.default.temporaryDirectory
      .appendingPathComponent("norma-zoo-\(UInt64.random(in: 0 ... .max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    // A pickle of an empty dictionary has no tensor.
    try Data([0x80, 2, 0x7d, 0x2e]).write(to: folder.appendingPathComponent("none.pt"))
    func report(_ expect: String, file: String = "none.pt") throws -> ConformanceReport {
      let manifest = #"{"zoo": [{"file": "\#(file)", "expect": "\#(expect)", "tensors": []}]}"#
      try Data(manifest.utf8).write(to: folder.appendingPathComponent("manifest.json"))
      return try runZooCases(in: folder.path)
    }
    #expect(try report("refuse").passed == 1)
    #expect(try report("open").failures.count == 1)
    #expect(try report("open", file: "missing.pt").failures.count == 1)
  }
}
