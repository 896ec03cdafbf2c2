/// The formats of tensor files, detected by their first bytes and never by their name.
package enum FileFormat: String, Sendable, CaseIterable {
  case npy
  case npz
  case idx
  case safetensors
  case png
  case jpeg
  /// A PyTorch checkpoint: a ZIP file that contains a pickle, or plain pickles.
  case pytorch

  /// The format in words: `a PNG image`.
  package var words: String {
    switch self {
    case .npy: "a NumPy array (.npy)"
    case .npz: "a NumPy archive (.npz)"
    case .idx: "an IDX file"
    case .safetensors: "a safetensors file"
    case .png: "a PNG image"
    case .jpeg: "a JPEG image"
    case .pytorch: "a PyTorch checkpoint, which PyTorchFile reads"
    }
  }

  /// The format of the file at a path.
  package static func detect(_ path: String) throws -> FileFormat {
    try detect(InputFile(path: path, operation: "FileFormat.detect(_:)"))
  }

  /// The format of the file at a path, or of the model in a folder.
  package static func detect(model path: String) throws -> FileFormat {
    try detect(InputFile(model: path, operation: "FileFormat.detect(model:)"))
  }

  /// Whether the file at a path is an ONNX model, which this enumeration does not list.
  package static func isONNX(_ path: String) throws -> Bool {
    if System.names(inFolder: path) != nil { return false }
    let file = try InputFile(path: path, operation: "FileFormat.isONNX(_:)")
    return try ForeignFormat.detect(file)?.isONNX ?? false
  }

  /// The format of a file, possibly compressed with gzip.
  static func detect(_ file: InputFile) throws -> FileFormat {
    let head = try file.head(16)
    if head.starts(with: [0x1f, 0x8b]) {
      var inner = [UInt8](repeating: 0, count: 16)
      let stream = try file.stream()
      let count = try inner.withUnsafeMutableBytes { try stream.read(into: $0) }
      switch simple(Array(inner[..<count])) {
      case .npy: return .npy
      case .idx: return .idx
      default:
        throw file.context.unsupported(
          "holds an unknown format", "inside gzip, .npy and IDX are supported")
      }
    }
    if isSafeTensors(head, size: file.size) { return .safetensors }
    if let index = try ShardIndex.read(file) {
      return index.kind == .pytorch ? .pytorch : .safetensors
    }
    if let format = simple(head) {
      return format == .npz ? try ofZIP(file) : format
    }
    throw try file.mismatch()
  }

  /// Whether a ZIP file comes from PyTorch, with its pickle or an equivalent, or from NumPy.
  private static func ofZIP(_ file: InputFile) throws -> FileFormat {
    let archive = try ZIPArchive(file)
    let isCheckpoint = archive.members.contains { member in
      ["data.pkl", "constants.pkl", "archive_format", "models/model.json"].contains {
        member.name == $0 || member.name.hasSuffix("/\($0)")
      }
    }
    if isCheckpoint { return .pytorch }
    if archive.members.contains(where: { $0.name.hasSuffix(".npy") }) { return .npz }
    // numpy.savez() without arrays writes an empty archive.
    if archive.members.isEmpty { return .npz }
    throw file.mismatch(zip: archive)
  }

  private static func simple(_ head: [UInt8]) -> FileFormat? {
    if head.starts(with: NPYHeader.magic) { return .npy }
    if head.starts(with: [0x50, 0x4b, 3, 4]) || head.starts(with: [0x50, 0x4b, 5, 6]) {
      return .npz
    }
    if let image = ofImage(head) { return image }
    if head.count >= 2, head[0] == 0x80, (2...5).contains(head[1]) { return .pytorch }
    if head.count >= 4, head[0] == 0, head[1] == 0, (0x08...0x0e).contains(head[2]) { return .idx }
    return nil
  }

  /// The format of an image that starts with these bytes, or nil.
  static func ofImage(_ head: [UInt8]) -> FileFormat? {
    if head.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return .png }
    return head.starts(with: [0xff, 0xd8, 0xff]) ? .jpeg : nil
  }

  /// Whether the file starts with the length of a header and the header's opening brace.
  private static func isSafeTensors(_ head: [UInt8], size: Int) -> Bool {
    guard head.count > 8, head[8] == UInt8(ascii: "{") else { return false }
    let length = head[..<8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return length <= UInt64(SafeTensorsHeader.largestCount)
  }
}
