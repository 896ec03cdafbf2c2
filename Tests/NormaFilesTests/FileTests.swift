import Foundation
import NormaFiles
import NormaTensor
import Testing

extension Tensor {
  static func fileBytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
  }

  static func fileNames(_ folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
  }
}

@Suite struct FileTests {
  let tensor = Tensor([2], .float32, [1, 2] as [Float])

  @Test func pathsThatCannotBeRead() throws {
    try withFolder { folder in
      #expect(mkfifo("\(folder)/pipe", 0o600) == 0)
      for path in ["\(folder)/none", folder, "\(folder)/pipe", "/dev/zero", "", "a\0b"] {
        #expect(kind(path) { _ = try Tensor(npy: path) } == .system)
        #expect(kind(path) { _ = try Tensor(contentsOf: path) } == .system)
        #expect(kind(path) { _ = try SafeTensors(contentsOf: path) } == .system)
      }
    }
  }

  @Test func pathsThatCannotBeWritten() throws {
    try withFolder { folder in
      for path in ["\(folder)/none/x.npy", folder, "/dev/null", "", "a\0b"] {
        #expect(kind(path) { try tensor.write(npy: path) } == .system)
      }
      let left = try Tensor.fileNames(folder)
      #expect(left.isEmpty)
    }
  }

  @Test func aWriteReplacesTheWholeFileBehindALink() throws {
    try withFolder { folder in
      try tensor.write(npy: "\(folder)/x.npy")
      let manager = FileManager.default
      try manager.createSymbolicLink(
        atPath: "\(folder)/link", withDestinationPath: "\(folder)/x.npy")
      let other = Tensor([1], .int32, [Int32(7)])
      let old = try Tensor(npy: "\(folder)/x.npy")
      try other.write(npy: "\(folder)/link")
      #expect(same(try Tensor(npy: "\(folder)/x.npy"), other))
      #expect(same(old, tensor))
      #expect(try manager.destinationOfSymbolicLink(atPath: "\(folder)/link") == "\(folder)/x.npy")
      #expect(try Tensor.fileNames(folder) == ["link", "x.npy"])
    }
  }

  @Test func aWriteThatFailsHalfwayKeepsTheOldFile() throws {
    try withFolder { folder in
      let path = "\(folder)/x.npz"
      try NPZ.write(["a": tensor], to: path)
      let refused = Tensor([1], .bfloat16, [UInt16(0)])
      #expect(kind { try NPZ.write(["a": refused, "0": tensor], to: path) } == .unsupported)
      #expect(try NPZ(contentsOf: path).keys == ["a"])
      #expect(try Tensor.fileNames(folder) == ["x.npz"])
    }
  }

  @Test func anOpenArchiveKeepsItsContent() throws {
    try withFolder { folder in
      let path = "\(folder)/x"
      try SafeTensors.write(["a": tensor], to: path)
      let open = try SafeTensors(contentsOf: path)
      try SafeTensors.write(["b": tensor], to: path)
      #expect(same(try open.tensor(named: "a"), tensor), "replaced under a reader")
    }
  }

  @Test func aFileThatShrinksUnderItsReader() throws {
    try withFolder { folder in
      let path = "\(folder)/x"
      try SafeTensors.write(["a": tensor], to: path)
      let open = try SafeTensors(contentsOf: path)
      #expect(truncate(path, 60) == 0)
      #expect(kind { _ = try open.tensor(named: "a") } == .truncated)
    }
  }

  @Test func unknownFormats() throws {
    try withFolder { folder in
      let path = "\(folder)/x"
      for bytes in [[], [1], Array("hello world, this is no tensor".utf8)]
        as [[UInt8]]
      {
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        #expect(kind { _ = try Tensor(contentsOf: path) } == .unsupported, "\(bytes)")
      }
    }
  }
}
