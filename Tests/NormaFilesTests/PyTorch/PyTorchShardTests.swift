import Foundation
import NormaFiles
import NormaTensor
import Testing

/// Models in several files of torch.save, with the index that Hugging Face's libraries write.
@Suite struct PyTorchShardTests {
  private let one = Tensor([2], .float32, [1, 2] as [Float])
  private let two = Tensor([3], .int64, [3, 4, 5])

  private func write(
    _ map: [String: String] = ["a.weight": "m-1.bin", "b.bias": "m-2.bin"], to folder: String
  ) throws {
    try PyTorchFile.write(["a.weight": one], to: "\(folder)/m-1.bin")
    try PyTorchFile.write(["b.bias": two], to: "\(folder)/m-2.bin")
    try JSONSerialization.data(withJSONObject: ["weight_map": map])
      .write(to: URL(filePath: "\(folder)/pytorch_model.bin.index.json"))
  }

  @Test func anIndexAndItsFolderAreOneFile() throws {
    try withFolder { folder in
      try write(to: folder)
      let index = "\(folder)/pytorch_model.bin.index.json"
      let file = try PyTorchFile(contentsOf: index)
      #expect(file.keys == ["a.weight", "b.bias"] && file.fileCount == 2)
      #expect(try same(file["a.weight"], one) && same(file["b.bias"], two))
      #expect(try file.bytes(named: "a.weight").count == 8)
      #expect(try file.tensors().count == 2)
      #expect(kind { _ = try file["c"] } == .missing)
      for path in [index, folder] {
        let state = try StateFile(contentsOf: path)
        #expect(state.format == .pytorch && state.keys == file.keys)
        #expect(same(try state["b.bias"], two))
        #expect(try Tensor.all(contentsOf: path).count == 2)
      }
      #expect(kind { _ = try SafeTensors(contentsOf: index) } == .unsupported)
      // safetensors come first.
      try SafeTensors.write(["a": one], to: "\(folder)/m.safetensors")
      #expect(try StateFile(contentsOf: folder).format == .safetensors)
    }
  }

  @Test(arguments: [
    (["a.weight": "m-1.bin", "c": "m-2.bin"], FileError.Kind.malformed),
    (["a.weight": "m-3.bin"], .system), (["a.weight": "../m-1.bin"], .unsupported),
    (["a.weight": "m-1.bin", "b.bias": "m-2.safetensors"], .unsupported),
  ])
  func aWrongIndexIsRefused(_ map: [String: String], _ expected: FileError.Kind) throws {
    try withFolder { folder in
      try write(map, to: folder)
      #expect(kind { _ = try StateFile(contentsOf: folder) } == expected)
    }
  }

  @Test func aTensorIsTakenFromTheFileThatTheIndexNames() throws {
    try withFolder { folder in
      try write(to: folder)
      let other = Tensor([1], .float32, [9] as [Float])
      try PyTorchFile.write(
        ["a.weight": other, "b.bias": two, "free": other], to: "\(folder)/m-2.bin")
      let file = try StateFile(contentsOf: folder)
      #expect(Set(file.keys) == ["a.weight", "b.bias", "free"] && file.keys.count == 3)
      #expect(try same(file["a.weight"], one) && same(file["free"], other))
      #expect(try same(file.tensors()["a.weight"] ?? .poisoned, one))
    }
  }
}
