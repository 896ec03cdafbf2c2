/// Formats of other libraries, which Norma does not read: what a file is, and the way out.
struct ForeignFormat {
  /// `an HDF5 file, as Keras 2 writes it`.
  let words: String
  /// What to do instead, as a whole clause.
  let wayOut: String
  /// Whether it is an ONNX model, which another room reads.
  var isONNX = false

  private static let weights =
    "save the weights in Python: numpy.savez(path, **{w.name: w.numpy() for w in model.weights})"

  /// The format of a file by its first bytes, or nil if they show none.
  static func detect(_ file: InputFile) throws -> ForeignFormat? {
    let head = try file.head(1024)
    if head.isEmpty {
      return ForeignFormat(
        words: "empty", wayOut: "a download or a copy that failed leaves such a file")
    }
    return ofStart(head) ?? ofProtocolBuffer(head) ?? ofText(head)
  }

  private static func ofStart(_ head: [UInt8]) -> ForeignFormat? {
    for (place, magic, words, wayOut) in starts where head.count >= place + magic.count {
      if head[place..<place + magic.count].elementsEqual(magic) {
        return ForeignFormat(words: words, wayOut: wayOut)
      }
    }
    return nil
  }

  /// Position, bytes, words and the way out.
  private static let starts: [(Int, [UInt8], String, String)] = [
    (0, [0x89, 0x48, 0x44, 0x46], "an HDF5 file, as Keras 2 and h5py write it", weights),
    (
      4, Array("TFL3".utf8), "a TensorFlow Lite model, which is a program",
      "convert it with tf2onnx to ONNX, or save the weights of the model that it was made from"
    ),
    (
      0, Array("GGUF".utf8), "a GGUF file, as llama.cpp uses it",
      "most of its numbers are packed in blocks; take the model's safetensors files instead"
    ),
    (
      0, Array("PTMF".utf8), "a PyTorch Mobile model, which is a program",
      "save model.state_dict() of the network that it was made from"
    ),
    (
      4, Array("PTMF".utf8), "a PyTorch Mobile model, which is a program", "save model.state_dict()"
    ),
    (4, Array("ET12".utf8), "an ExecuTorch program", "save model.state_dict() instead"),
    (257, Array("ustar".utf8), "a .tar archive", "unpack it first"),
    (0, [0x28, 0xb5, 0x2f, 0xfd], "compressed with Zstandard", "decompress it first"),
    (0, [0x42, 0x5a, 0x68], "compressed with bzip2", "decompress it first"),
    (0, [0xfd, 0x37, 0x7a, 0x58, 0x5a], "compressed with xz", "decompress it first"),
    (0, [0x37, 0x7a, 0xbc, 0xaf], "a 7-Zip archive", "unpack it first"),
    (0, Array("Rar!".utf8), "a RAR archive", "unpack it first"),
    (0, Array("%PDF".utf8), "a PDF document", "the model is elsewhere"),
    (0, Array("GIF8".utf8), "a GIF image", "convert it to PNG"),
    (8, Array("WEBP".utf8), "a WebP image", "convert it to PNG"),
    (8, Array("WAVE".utf8), "a WAVE sound", "save its samples with numpy.save"),
    (0, Array("MATLAB 5".utf8), "a MATLAB file", "save its arrays with numpy.savez"),
  ]

  /// Models of ONNX and TensorFlow begin with a small version number in field 1.
  private static func ofProtocolBuffer(_ head: [UInt8]) -> ForeignFormat? {
    guard head.count >= 4, head[0] == 0x08, head[1] > 0, head[1] < 0x40 else { return nil }
    if head[1] == 1, head[2] == 0x12, head[3] >= 0x80 {
      return ForeignFormat(
        words: "a SavedModel of TensorFlow, which is a program",
        wayOut: "convert it with tf2onnx to ONNX, or \(weights)")
    }
    guard [0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42].contains(head[2]) else { return nil }
    return ForeignFormat(
      words: "an ONNX model",
      wayOut:
        "ONNXModel(contentsOf:) of NormaONNX opens it, and norma inspect shows it",
      isONNX: true)
  }

  private static func ofText(_ head: [UInt8]) -> ForeignFormat? {
    let text = String(decoding: head, as: UTF8.self)
      .drop { $0.isWhitespace || $0 == "\u{feff}" }.lowercased()
    if text.hasPrefix("version https://git-lfs") {
      return ForeignFormat(
        words: "a Git LFS pointer, and not the file itself",
        wayOut: "run git lfs pull in its repository to get the file")
    }
    if text.hasPrefix("<!doctype html") || text.hasPrefix("<html") || text.hasPrefix("<head") {
      return ForeignFormat(
        words: "an HTML page, as failed downloads return",
        wayOut: "download the file again; its address may need a login or another link")
    }
    if text.hasPrefix("<?xml") || text.hasPrefix("<error") {
      return ForeignFormat(
        words: "an XML text, as failed downloads return", wayOut: "download the file again")
    }
    if text.hasPrefix("{") || text.hasPrefix("[") {
      return ForeignFormat(
        words: "a JSON text", wayOut: "tensors are in another file, often beside it")
    }
    // Maps of MessagePack, whose first key is a short text.
    if head.count > 2, (0x81...0x8f).contains(head[0]), (0xa1...0xbf).contains(head[1]) {
      return ForeignFormat(
        words: "a MessagePack file, as Flax writes it",
        wayOut: "save it in Python with safetensors.flax.save_file")
    }
    if ["(lp", "(dp", "ccopy_reg", "ccollections"].contains(where: text.hasPrefix) {
      return ForeignFormat(
        words: "a pickle of protocol 0", wayOut: "save it again in Python with protocol=2 or later")
    }
    let isText = head.allSatisfy { $0 >= 0x20 && $0 < 0x7f || (9...13).contains($0) }
    return isText
      ? ForeignFormat(words: "a text", wayOut: "CSV(contentsOf:) reads tables of numbers") : nil
  }
}

extension InputFile {
  /// The error for a file that is not of the expected format: what it is instead, if its first
  /// bytes show that, or else these bytes.
  func mismatch(_ expected: String? = nil) throws -> FileError {
    if let foreign = try ForeignFormat.detect(self) {
      return context.unsupported("is \(foreign.words)", foreign.wayOut)
    }
    if let expected, let format = try? FileFormat.detect(self) {
      return context.unsupported("is not \(expected)", "it is \(format.words)")
    }
    let bytes = try head(8).map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }
    return context.unsupported(
      "holds an unknown format",
      "its first bytes are \(bytes.joined(separator: " ")); supported: .npy, .npz, IDX, "
        + "safetensors, PyTorch, PNG and JPEG")
  }

  /// The error for a ZIP file without arrays and without PyTorch's pickle.
  func mismatch(zip archive: ZIPArchive) -> FileError {
    let names = archive.members.map(\.name)
    if names.contains("model.weights.h5") {
      return context.unsupported(
        "is a model of Keras 3, whose weights are an HDF5 file",
        "save them in Python: "
          + "numpy.savez(path, **{w.path: w.numpy() for w in model.weights})")
    }
    let listed = names.prefix(4).map(quoted).joined(separator: ", ")
    return context.unsupported(
      "is a ZIP file without tensors",
      names.isEmpty
        ? "it is empty"
        : "it has no data.pkl and no .npy among \(names.count) members, such as \(listed)")
  }
}
