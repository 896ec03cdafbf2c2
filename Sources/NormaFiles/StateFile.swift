import NormaTensor

/// The named tensors of a model, from a file of any format: safetensors, PyTorch or .npz.
///
///     let state = try StateFile(contentsOf: "checkpoint.pth")
///     let mean = try state.tensor(named: "bn1.running_mean")
///
/// The format is detected from the first bytes. A PyTorch checkpoint often contains more than the
/// model, such as `{"epoch": 3, "state_dict": {...}, "optimizer": {...}}`; the names are then those
/// of the model's own part, and `container` is the path to it. Opening reads no tensor.
public struct StateFile: Sendable {
  /// The description of one tensor in the file.
  public struct Entry: Sendable, Hashable {
    /// The name in the model's state dictionary, such as `bn1.running_mean`.
    public let name: String
    /// The element type in the file's terms: `float32`, `F32`.
    public let dtypeName: String
    /// The type that the tensor is read into, or nil if it is not supported.
    public let dtype: DType?
    /// The length of each axis.
    public let shape: [Int]
    /// The reason why it cannot be read; nil if it can.
    public let reason: String?
  }

  /// The formats for named tensors.
  public enum Format: String, Sendable, Codable {
    /// `safetensors.torch.save_file`.
    case safetensors
    /// `torch.save`.
    case pytorch
    /// `numpy.savez`.
    case npz
  }

  /// The path, as given by the caller.
  public let path: String
  /// The format according to the first bytes of the file.
  public let format: Format
  /// The tensors of the model, in the order of the file.
  public let entries: [Entry]
  /// The path of keys in the file to the model's tensors.
  package let containerKeys: [String]
  /// The path of keys in the file to the model's tensors, joined by dots: `state_dict`; empty if
  /// the file contains nothing else.
  public let container: String
  /// Other parts of the file that contain tensors, such as `optimizer`.
  public let otherParts: [String]

  private let source: Source
  private let places: [String: Int]
  /// The names in the file itself.
  private let fileNames: [String]

  private enum Source: Sendable {
    case safetensors(SafeTensors)
    case pytorch(PyTorchFile)
    case npz(NPZ)
  }

  /// Opens a file, or a model in several safetensors files by its index or its folder.
  ///
  /// - Throws: `FileError` if it cannot be read, is damaged, contains no named tensors, or would
  ///   have to run code.
  public init(contentsOf path: String) throws {
    let file = try InputFile(model: path, operation: "StateFile(contentsOf:)")
    switch try FileFormat.detect(file) {
    case .safetensors: self.init(try SafeTensors(file), path)
    case .pytorch: self.init(try PyTorchFile(file), path)
    case .npz: self.init(try NPZ(file), path)
    case .npy, .idx, .png, .jpeg:
      throw file.context.unsupported(
        "holds no named tensors", "safetensors, files of torch.save and .npz do")
    }
  }

  private init(_ file: SafeTensors, _ path: String) {
    let entries = file.entries.map { entry in
      Entry(
        name: entry.name, dtypeName: entry.dtypeName, dtype: entry.dtype, shape: entry.shape,
        reason: entry.dtype == nil ? "its elements are \(entry.dtypeName)" : nil)
    }
    self.init(path, .safetensors, .safetensors(file), entries, fileNames: file.keys)
  }

  private init(_ file: NPZ, _ path: String) {
    let entries = file.entries.map { entry in
      Entry(
        name: entry.name, dtypeName: entry.dtypeName, dtype: entry.dtype, shape: entry.shape,
        reason: entry.reason)
    }
    self.init(path, .npz, .npz(file), entries, fileNames: file.keys)
  }

  private init(_ file: PyTorchFile, _ path: String) {
    let part = ModelPart(paths: file.entries.map(\.path))
    let chosen = file.entries.filter { $0.path.starts(with: part.container) }
    let entries = chosen.map { entry in
      Entry(
        name: part.container.isEmpty
          ? entry.name : entry.path.dropFirst(part.container.count).joined(separator: "."),
        dtypeName: entry.dtypeName, dtype: entry.dtype, shape: entry.shape, reason: entry.reason)
    }
    self.init(
      path, .pytorch, .pytorch(file), entries, fileNames: chosen.map(\.name),
      container: part.container, otherParts: part.others)
  }

  private init(
    _ path: String, _ format: Format, _ source: Source, _ entries: [Entry], fileNames: [String],
    container: [String] = [], otherParts: [String] = []
  ) {
    (self.path, self.format, self.source, self.entries) = (path, format, source, entries)
    (self.fileNames, self.otherParts) = (fileNames, otherParts)
    (containerKeys, self.container) = (container, container.joined(separator: "."))
    places = Dictionary(
      entries.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
  }

  /// The names of all tensors of the model.
  public var keys: [String] { entries.map(\.name) }

  /// The tensor with this name, as `tensor(named:)` reads it; `keys` lists the names.
  ///
  /// - Throws: `FileError` if there is none or it cannot be read.
  public subscript(name: String) -> Tensor {
    get throws { try tensor(named: name) }
  }

  /// Reads the tensor with this name.
  ///
  /// - Throws: `FileError` if there is none, it is damaged, or it is of an unsupported kind.
  public func tensor(named name: String) throws -> Tensor {
    let fileName = places[name].map { fileNames[$0] } ?? name
    return switch source {
    case .safetensors(let file): try file.tensor(named: fileName)
    case .pytorch(let file): try file.tensor(named: fileName)
    case .npz(let file): try file.tensor(named: fileName)
    }
  }

  /// Reads all tensors that can be read.
  ///
  /// - Throws: `FileError`, as `tensor(named:)` does.
  public func tensors() throws -> StateDict {
    var result = StateDict()
    for entry in entries where entry.reason == nil {
      result[entry.name] = try tensor(named: entry.name)
    }
    return result
  }
}
