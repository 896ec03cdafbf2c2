import NormaTensor

extension Tensor {
  /// Reads the tensor in a file of any supported format: .npy, IDX, PNG, JPEG, and .npz or
  /// safetensors with a single tensor; .npy and IDX may be compressed with gzip.
  ///
  /// The format is detected from the first bytes, not from the name. For archives of several
  /// tensors use `NPZ(contentsOf:)`, `SafeTensors(contentsOf:)` or `Tensor.all(contentsOf:)`.
  ///
  /// - Throws: `FileError` if the format is unknown, the file contains several tensors or none,
  ///   or for the reasons of `Tensor(npy:)`, `Tensor(idx:count:)` and `SafeTensors.tensor(named:)`.
  public init(contentsOf path: String) throws {
    let file = try InputFile(path: path, operation: "Tensor(contentsOf:)")
    switch try FileFormat.detect(file) {
    case .npy: try self.init(npy: file)
    case .idx: try self.init(idx: file, count: nil)
    case .png: try self.init(png: file, channels: nil)
    case .jpeg: try self.init(jpeg: file, channels: nil, appliesOrientation: false)
    case .npz:
      let archive = try NPZ(file)
      self = try archive.tensor(named: Self.only(archive.keys, file.context))
    case .safetensors:
      let archive = try SafeTensors(file)
      self = try archive.tensor(named: Self.only(archive.keys, file.context))
    case .pytorch:
      let archive = try PyTorchFile(file)
      self = try archive.tensor(named: Self.only(archive.keys, file.context))
    }
  }

  /// Reads all tensors in a file of any supported format, by name.
  ///
  /// The only tensor of an .npy, IDX, PNG or JPEG file has the empty name.
  ///
  /// - Throws: `FileError`, as `Tensor(contentsOf:)` does.
  public static func all(contentsOf path: String) throws -> StateDict {
    let file = try InputFile(model: path, operation: "Tensor.all(contentsOf:)")
    return switch try FileFormat.detect(file) {
    case .npy: ["": try Tensor(npy: file)]
    case .idx: ["": try Tensor(idx: file, count: nil)]
    case .png: ["": try Tensor(png: file, channels: nil)]
    case .jpeg: ["": try Tensor(jpeg: file, channels: nil, appliesOrientation: false)]
    case .npz: try NPZ(file).tensors()
    case .safetensors: try SafeTensors(file).tensors()
    case .pytorch: try PyTorchFile(file).tensors()
    }
  }

  private static func only(_ keys: [String], _ context: FileContext) throws -> String {
    guard let key = keys.first, keys.count == 1 else {
      let listed = keys.prefix(8).map(quoted).joined(separator: ", ")
      throw context.unsupported(
        "holds \(keys.count) tensors",
        keys.isEmpty
          ? "one is expected"
          : "one is expected; open the archive and name one of \(listed)"
            + (keys.count > 8 ? ", ..." : ""))
    }
    return key
  }
}
