import NormaTensor

/// A PyTorch checkpoint (.pt, .pth, .ckpt, .bin): named tensors, which are read on demand.
///
///     let file = try PyTorchFile(contentsOf: "resnet.pth")
///     let weight = try file.tensor(named: "bn1.weight")
///
/// Reads the files of `torch.save`, both current ones (ZIP files) and those from before PyTorch
/// 1.6, and plain pickles of tensors. No code in the file is ever run: an interpreter for data
/// alone reads its pickle and rejects a file with any other name in it. So a saved module
/// (`torch.save(model)`) is an error, with the advice to save its state dictionary. Opening reads
/// no tensor.
///
/// Dictionaries, lists and tuples may be nested; a tensor's name is the path of keys joined by
/// dots: `optimizer.state.0.exp_avg`. `StateFile` finds the model's own tensors among them.
/// PyTorch: `torch.load(path, weights_only=True)`.
public struct PyTorchFile: Sendable {
  /// The description of one tensor in the file.
  public struct Entry: Sendable, Hashable {
    /// The path of keys to the tensor, joined by dots; empty for a file that is a single tensor.
    public let name: String
    /// The path of keys to the tensor.
    public let path: [String]
    /// The element type in PyTorch's terms: `float32`, `int16`, `complex64`.
    public let dtypeName: String
    /// The type that the tensor is read into, or nil if it is not supported.
    public let dtype: DType?
    /// The length of each axis.
    public let shape: [Int]
    /// The size of all elements in bytes, in the file's own type; elements of views that repeat
    /// count each time.
    public let byteCount: Int
    /// The reason why the tensor cannot be read, such as `a sparse tensor`; nil if it can.
    public let reason: String?
  }

  /// All tensors, in the order of the file.
  public let entries: [Entry]

  /// The number of files: one, or those of an index.
  public var fileCount: Int { max(shards.count, 1) }

  let file: InputFile
  private let views: [PyTorchView]
  private let checks = StorageChecks()
  private let places: [String: Int]
  /// The files of an index, and which of them has a tensor.
  private var shards: [PyTorchFile] = []
  private var homes: [String: Int] = [:]

  /// Opens a file and reads everything but the tensors.
  ///
  /// A model in several files is opened by its index, `pytorch_model.bin.index.json`, or by the
  /// folder that contains it and no safetensors.
  ///
  /// - Throws: `FileError` if the file cannot be read, is damaged, is not a PyTorch file, or
  ///   names anything whose code would have to run.
  public init(contentsOf path: String) throws {
    try self.init(InputFile(model: path, operation: "PyTorchFile(contentsOf:)"))
  }

  /// The same for a file that is already in memory; `name` identifies it in errors.
  package init(bytes: [UInt8], name: String = "the data") throws {
    try self.init(InputFile(bytes: bytes, name: name, operation: "PyTorchFile(bytes:)"))
  }

  init(_ file: InputFile) throws {
    if let index = try ShardIndex.read(file) {
      guard index.kind == .pytorch else {
        throw file.context.unsupported(
          "is an index of safetensors files", "SafeTensors(contentsOf:) reads it")
      }
      try self.init(file, index.shards({ try PyTorchFile(whole: $0) }, names: \.keys))
    } else {
      try self.init(whole: file)
    }
  }

  /// The files of an index, with the names of their own tensors.
  private init(_ index: InputFile, _ shards: [(shard: PyTorchFile, own: Set<String>)]) throws {
    (file, views, places) = (index, [], [:])
    self.shards = shards.map(\.shard)
    entries = shards.flatMap { shard, own in shard.entries.filter { own.contains($0.name) } }
    for (number, (_, own)) in shards.enumerated() { for name in own { homes[name] = number } }
  }

  private init(whole file: InputFile) throws {
    let content = try PyTorchContent(file)
    let leaves = try PyTorchTree.leaves(of: content, context: file.context)
    if leaves.allSatisfy({ $0.tensor.element.name == "numpy" }) {
      throw file.context.unsupported(
        "holds no tensors of PyTorch",
        leaves.isEmpty
          ? "its pickle has other values; \(PickleGlobal.wayOut)"
          : "its pickle has NumPy arrays; save them with numpy.save or numpy.savez")
    }
    var (entries, views, places): ([Entry], [PyTorchView], [String: Int]) = ([], [], [:])
    var numbers: [String: Int] = [:]
    for leaf in leaves {
      var name = leaf.path.joined(separator: ".")
      // Keys that contain dots can give two paths the same name.
      if places[name] != nil {
        var number = numbers[name, default: 1]
        repeat { number += 1 } while places["\(name)#\(number)"] != nil
        numbers[name] = number
        name += "#\(number)"
      }
      let view = try PyTorchView(leaf.tensor, name: name, in: content.heap, of: file)
      places[name] = entries.count
      views.append(view)
      entries.append(Entry(view, path: leaf.path))
    }
    self.file = file
    (self.entries, self.views, self.places) = (entries, views, places)
  }

  /// The names of all tensors, including those that cannot be read.
  public var keys: [String] { entries.map(\.name) }

  /// The tensor with this name, as `tensor(named:)` reads it; `keys` lists the names.
  ///
  /// - Throws: `FileError` if there is none or it cannot be read.
  public subscript(name: String) -> Tensor {
    get throws { try tensor(named: name) }
  }

  /// Reads the tensor with this name, contiguous whatever its layout in the file.
  ///
  /// - Throws: `FileError` if there is no such tensor, its bytes are damaged, or it is of an
  ///   unsupported kind; `entries` has the reason.
  public func tensor(named name: String) throws -> Tensor {
    if let home = homes[name] { return try shards[home].tensor(named: name) }
    let (view, context) = try view(name, "PyTorchFile.tensor(named:)")
    return try view.tensor(context, checks)
  }

  /// The bytes of a tensor in the file's own element type, row-major and little-endian.
  package func bytes(named name: String) throws -> [UInt8] {
    if let home = homes[name] { return try shards[home].bytes(named: name) }
    let (view, context) = try view(name, "PyTorchFile.bytes(named:)")
    return try view.bytes(context, checks)
  }

  /// Reads all tensors that can be read; those that have a `reason` are left out.
  ///
  /// - Throws: `FileError`, as `tensor(named:)` does.
  public func tensors() throws -> StateDict {
    var result = StateDict()
    var totals = [Int](repeating: 0, count: fileCount)
    for entry in entries where entry.reason == nil {
      let home = homes[entry.name] ?? 0
      let owner = shards.isEmpty ? self : shards[home]
      totals[home] = totals[home].addingReportingOverflow(entry.byteCount).partialValue
      guard totals[home] >= 0, totals[home] <= PyTorchView.largestCount(in: owner.file) else {
        throw owner.file.context.unsupported(
          "repeats its memory",
          "its tensors take more than \(totals[home]) bytes; read them one by one")
      }
      result[entry.name] = try owner.tensor(named: entry.name)
    }
    return result
  }

  private func view(
    _ name: String, _ operation: String
  ) throws -> (PyTorchView, FileContext) {
    let context = FileContext(operation: operation, path: file.context.path)
    guard let place = places[name] else { throw context.missing(name, among: keys) }
    return (views[place], context)
  }
}

extension PyTorchFile.Entry {
  init(_ view: PyTorchView, path: [String]) {
    self.init(
      name: view.name, path: path, dtypeName: view.element.name,
      dtype: view.reason == nil ? view.element.format?.dtype : nil, shape: view.shape,
      byteCount: view.byteCount, reason: view.reason)
  }
}
