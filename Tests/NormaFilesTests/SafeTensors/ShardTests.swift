import Foundation
import NormaFiles
import NormaTensor
import Testing

/// Models in several safetensors files, and files larger than memory.
@Suite struct ShardTests {
  private let one = Tensor([2], .float32, [1, 2] as [Float])
  private let two = Tensor([3], .int64, [3, 4, 5])

  /// Two files and an index in a folder.
  private func write(
    _ map: [String: String] = ["a.weight": "m-1.safetensors", "b.bias": "m-2.safetensors"],
    to folder: String
  ) throws {
    try SafeTensors.write(["a.weight": one], metadata: ["x": "1"], to: "\(folder)/m-1.safetensors")
    try SafeTensors.write(["b.bias": two], metadata: ["y": "2"], to: "\(folder)/m-2.safetensors")
    let index = ["metadata": [:], "weight_map": map]
    try JSONSerialization.data(withJSONObject: index)
      .write(to: URL(filePath: "\(folder)/m.safetensors.index.json"))
  }

  @Test func anIndexAndItsFolderAreOneFile() throws {
    try withFolder { folder in
      try write(to: folder)
      for path in ["\(folder)/m.safetensors.index.json", folder, "\(folder)/"] {
        let file = try SafeTensors(contentsOf: path)
        #expect(file.keys == ["a.weight", "b.bias"] && file.fileCount == 2)
        #expect(try same(file["a.weight"], one) && same(file["b.bias"], two))
        #expect(file.metadata == ["x": "1", "y": "2"])
        #expect(kind { _ = try file["c"] } == .missing)
        let state = try StateFile(contentsOf: path)
        #expect(state.format == .safetensors && state.keys == file.keys)
        #expect(same(try state["b.bias"], two))
        #expect(try Tensor.all(contentsOf: path).count == 2)
      }
    }
  }

  @Test func aFolderWithOneFileIsThatFile() throws {
    try withFolder { folder in
      #expect(kind { _ = try SafeTensors(contentsOf: folder) } == .system)
      try SafeTensors.write(["a": one], to: "\(folder)/x.safetensors")
      #expect(same(try SafeTensors(contentsOf: folder)["a"], one))
      try SafeTensors.write(["a": one], to: "\(folder)/y.safetensors")
      #expect(kind { _ = try SafeTensors(contentsOf: folder) } == .unsupported)
    }
  }

  @Test(arguments: [
    (["a.weight": "m-1.safetensors", "c": "m-2.safetensors"], FileError.Kind.malformed),
    (["a.weight": "m-3.safetensors"], .system), (["a.weight": "../m-1.safetensors"], .unsupported),
    (["a.weight": "/etc/passwd"], .unsupported), (["a.weight": ".."], .unsupported),
    (["a.weight": "m-1.bin"], .unsupported), (["a.weight": ""], .unsupported),
  ])
  func aWrongIndexIsRefused(_ map: [String: String], _ expected: FileError.Kind) throws {
    try withFolder { folder in
      try write(map, to: folder)
      #expect(kind { _ = try SafeTensors(contentsOf: folder) } == expected)
    }
  }

  @Test func aTensorIsTakenFromTheFileThatTheIndexNames() throws {
    try withFolder { folder in
      let other = Tensor([1], .float32, [9] as [Float])
      try write(to: folder)
      // Once more in the second file, with a tensor that the index does not mention.
      try SafeTensors.write(
        ["a.weight": other, "b.bias": two, "free": other], to: "\(folder)/m-2.safetensors")
      let file = try SafeTensors(contentsOf: folder)
      #expect(Set(file.keys) == ["a.weight", "b.bias", "free"] && file.keys.count == 3)
      #expect(try same(file["a.weight"], one) && same(file["free"], other))
      try SafeTensors.write(["a.weight": one, "free": one], to: "\(folder)/m-1.safetensors")
      #expect(kind { _ = try SafeTensors(contentsOf: folder) } == .malformed)
    }
  }

  @Test func jsonThatIsNoIndex() {
    for text in ["{", "{}", #"{"weight_map": 3}"#, #"{"weight_map": {"a": 1}}"#, "[1, 2]"] {
      kind(text) { _ = try SafeTensors(bytes: Array(text.utf8)) }
    }
    let index = #"{"weight_map": {"a": "m.safetensors"}}"#
    #expect(kind { _ = try SafeTensors(bytes: Array(index.utf8)) } == .unsupported)
  }

  /// 10 GB of zeros that take no room on the disk, and after them a tensor of four numbers.
  @Test func aFileOfTenGigabytesOpensInstantly() throws {
    try withFolder { folder in
      let path = "\(folder)/big.safetensors"
      let bytes = 10_000_000_000
      let text =
        #"{"big": {"dtype": "F32", "shape": [\#(bytes / 4)], "data_offsets": [0, \#(bytes)]}, "#
        + #""small": {"dtype": "F32", "shape": [4], "data_offsets": [\#(bytes), \#(bytes + 16)]}}"#
      var head = (0..<8).map { UInt8(truncatingIfNeeded: text.utf8.count >> (8 * $0)) }
      head += Array(text.utf8)
      try Data(head).write(to: URL(filePath: path))
      let handle = try FileHandle(forWritingTo: URL(filePath: path))
      try handle.truncate(atOffset: UInt64(head.count + bytes))
      try handle.seekToEnd()
      try handle.write(contentsOf: [1, 2, 3, 4 as Float].withUnsafeBytes { Data($0) })
      try handle.close()
      let start = ContinuousClock.now
      let file = try SafeTensors(contentsOf: path)
      let small = try file.tensor(named: "small")
      let time = ContinuousClock.now - start
      #expect(small.array(of: Float.self) == [1, 2, 3, 4])
      #expect(file.entries.map(\.byteCount) == [bytes, 16])
      // Reading everything takes seconds.
      #expect(time < .milliseconds(500), "\(time)")
    }
  }
}
