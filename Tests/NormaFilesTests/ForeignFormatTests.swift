import Foundation
import NormaFiles
import NormaTensor
import Testing

/// Files of other kinds: every reader says in one sentence what the file is, and the way out.
@Suite struct ForeignFormatTests {
  static let files: [(bytes: [UInt8], words: String, wayOut: String)] = [
    ([0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0], "an HDF5 file", "numpy.savez"),
    ([0x1c, 0, 0, 0] + Array("TFL3".utf8) + [0x14, 0], "a TensorFlow Lite model", "tf2onnx"),
    (Array("GGUF".utf8) + [3, 0, 0, 0, 1, 0, 0, 0], "a GGUF file", "safetensors"),
    (Array("version https://git-lfs.github.com/spec/v1\n".utf8), "a Git LFS pointer", "lfs pull"),
    (Array("\n<!DOCTYPE html><html>".utf8), "an HTML page", "download"),
    (Array("<HTML><body>".utf8), "an HTML page", "download"),
    ([0x08, 0x07, 0x12, 0x07] + Array("pytorch".utf8), "an ONNX model", "ONNXModel"),
    ([0x08, 0x08, 0x3a, 0xd2, 0xa1], "an ONNX model", "ONNXModel"),
    ([0x08, 0x01, 0x12, 0xe6, 0x95, 0x42], "a SavedModel of TensorFlow", "tf2onnx"),
    ([0x81, 0xa6] + Array("params".utf8), "a MessagePack file", "safetensors"),
    (Array("(lp0\nI1\na.".utf8), "a pickle of protocol 0", "protocol=2"),
    ([], "empty", "download"),
  ]

  @Test(arguments: files.indices) func isNamedByEveryReader(_ index: Int) {
    let (bytes, words, wayOut) = Self.files[index]
    let readers: [(String, () throws -> Void)] = [
      ("pytorch", { _ = try PyTorchFile(bytes: bytes) }),
      ("state", { try withFile(bytes) { _ = try StateFile(contentsOf: $0) } }),
      ("tensor", { try withFile(bytes) { _ = try Tensor(contentsOf: $0) } }),
      ("all", { try withFile(bytes) { _ = try Tensor.all(contentsOf: $0) } }),
    ]
    for (name, read) in readers {
      let error = #expect(throws: FileError.self, "\(name)") { try read() }
      let text = error?.description ?? ""
      #expect(error?.kind == .unsupported, "\(text)")
      #expect(text.contains(words) && text.contains(wayOut), "\(name): \(text)")
    }
  }

  @Test func keras3IsNamed() throws {
    try withFolder { folder in
      // An .npz whose member has the name that Keras 3 uses.
      let path = "\(folder)/x.npz"
      try NPZ.write(["model.weights.h5": Tensor([1], .float32, [1 as Float])], to: path)
      var bytes = try Tensor.fileBytes(path)
      // Names with another ending, so that it holds no array.
      let name = Array("model.weights.h5.npy".utf8)
      for start in bytes.indices where bytes[start...].starts(with: name) {
        bytes.replaceSubrange(start + name.count - 4..<start + name.count, with: "....".utf8)
      }
      try Data(bytes).write(to: URL(filePath: path))
      #expect(kind { _ = try StateFile(contentsOf: path) } == .unsupported)
      #expect(kind { _ = try PyTorchFile(contentsOf: path) } == .unsupported)
    }
  }

  @Test func othersFormatsOfNormaAreNamed() {
    let npy = [0x93] + Array("NUMPY".utf8) + [1, 0, 0, 0, 0, 0, 0, 0] as [UInt8]
    let error = #expect(throws: FileError.self) { try PyTorchFile(bytes: npy) }
    #expect(error?.description.contains("is not a PyTorch file: it is a NumPy array") == true)
    let random = #expect(throws: FileError.self) { try PyTorchFile(bytes: [0xff, 1, 2, 3]) }
    #expect(random?.description.contains("ff 01 02 03") == true, "\(random?.description ?? "")")
  }

  private func withFile(_ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    try withFolder { folder in
      try Data(bytes).write(to: URL(filePath: "\(folder)/file"))
      try body("\(folder)/file")
    }
  }
}
