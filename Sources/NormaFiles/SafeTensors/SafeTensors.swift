import NormaTensor

/// A safetensors file: named tensors, which are read on demand.
///
///     let file = try SafeTensors(contentsOf: "model.safetensors")
///     let weight = try file.tensor(named: "bn1.weight")
///
/// Opening reads only the header, so a file of 100 GB opens instantly, and a tensor is read alone,
/// straight into its memory. The header is checked against every rule of the format: at most
/// 100 MB, no duplicate names, no gaps or overlaps in the data, no trailing bytes. Python:
/// `safetensors.safe_open(path)`.
public struct SafeTensors: Sendable {
  /// The description of one tensor in the header.
  public struct Entry: Sendable, Hashable {
    /// The name, such as `bn1.running_mean`.
    public let name: String
    /// The element type in the format's terms: `F32`.
    public let dtypeName: String
    /// The length of each axis.
    public let shape: [Int]
    /// The bytes of the elements, counted from the end of the header of the tensor's file.
    public let range: Range<Int>

    /// The element type of the tensor, or nil if tensors have no such type (`F8_E4M3`, `C64`).
    public var dtype: DType? { SafeTensors.dtypes.first { $0.name == dtypeName }?.dtype }

    /// The size of all elements in bytes.
    public var byteCount: Int { range.count }
  }

  /// The element types that tensors support, in the reference writer's sort order.
  static let dtypes: [(name: String, dtype: DType)] = [
    ("BOOL", .bool), ("U8", .uint8), ("I8", .int8), ("I16", .int16), ("U16", .uint16),
    ("F16", .float16), ("BF16", .bfloat16), ("I32", .int32), ("U32", .uint32), ("F32", .float32),
    ("F64", .float64), ("I64", .int64), ("U64", .uint64),
  ]

  /// All tensors, in the order of their data; file by file if there are several.
  public let entries: [Entry]

  /// The file's own notes, such as `format: pt`; empty if there are none.
  public let metadata: [String: String]

  private let shards: [SafeTensorsShard]
  private let places: [String: (shard: Int, entry: Int)]
  private let path: String

  /// Opens a file and checks its header.
  ///
  /// A model in several files is opened by its index, `model.safetensors.index.json`, or by the
  /// folder that contains it; a folder with a single safetensors file counts as that file.
  ///
  /// - Throws: `FileError` if a file cannot be read or its header violates a rule, or if the index
  ///   does not describe its files.
  public init(contentsOf path: String) throws {
    try self.init(InputFile(model: path, operation: "SafeTensors(contentsOf:)"))
  }

  /// The same for a file that is already in memory; `name` identifies it in errors.
  package init(bytes: [UInt8], name: String = "the data") throws {
    try self.init(InputFile(bytes: bytes, name: name, operation: "SafeTensors(bytes:)"))
  }

  init(_ file: InputFile) throws {
    if let index = try ShardIndex.read(file) {
      guard index.kind == .safetensors else {
        throw file.context.unsupported(
          "is an index of files of torch.save", "PyTorchFile(contentsOf:) reads it")
      }
      let shards = try index.shards(SafeTensorsShard.init) { $0.header.entries.map(\.name) }
      try self.init(
        shards.map { shard, own in
          var shard = shard
          shard.header.entries.removeAll { !own.contains($0.name) }
          return shard
        }, path: file.context.path)
    } else {
      try self.init([SafeTensorsShard(file)], path: file.context.path)
    }
  }

  private init(_ shards: [SafeTensorsShard], path: String) throws {
    var places: [String: (shard: Int, entry: Int)] = [:]
    var entries: [Entry] = []
    var metadata: [String: String] = [:]
    for (number, shard) in shards.enumerated() {
      for entry in shard.header.entries {
        places[entry.name] = (number, entries.count)
        entries.append(entry)
      }
      metadata.merge(shard.header.metadata) { first, _ in first }
    }
    (self.shards, self.places, self.path) = (shards, places, path)
    (self.entries, self.metadata) = (entries, metadata)
  }

  /// The number of files: one, or those of an index.
  public var fileCount: Int { shards.count }

  /// The names of all tensors, in the order of their data.
  public var keys: [String] { entries.map(\.name) }

  /// The tensor with this name, as `tensor(named:)` reads it; `keys` lists the names.
  ///
  /// - Throws: `FileError` if there is none or it cannot be read.
  public subscript(name: String) -> Tensor {
    get throws { try tensor(named: name) }
  }

  /// Reads the tensor with this name, in one pass over its bytes.
  ///
  /// Supports `BOOL`, `U8` to `U64`, `I8` to `I64`, `F16`, `BF16`, `F32` and `F64`.
  ///
  /// - Throws: `FileError` if there is no such tensor, its element type is another, or the file
  ///   cannot be read.
  public func tensor(named name: String) throws -> Tensor {
    guard let place = places[name] else {
      throw FileContext(operation: "SafeTensors.tensor(named:)", path: path)
        .missing(name, among: keys)
    }
    let (shard, entry) = (shards[place.shard], entries[place.entry])
    let context = FileContext(
      operation: "SafeTensors.tensor(named:)", path: shard.file.context.path)
    guard let dtype = entry.dtype else {
      throw context.unsupported(
        "holds \(quoted(name)) as \(quoted(entry.dtypeName))",
        Self.explanation(entry.dtypeName)
          + "\(Self.dtypes.map(\.name).joined(separator: ", ")) are read")
    }
    try context.checkAxes(entry.shape)
    return try Tensor(shape: entry.shape, dtype: dtype) { target in
      try shard.file.read(
        at: shard.dataStart + entry.range.lowerBound, into: target, for: context)
      if dtype == .bool { ElementFormat.normalizeTruth(target) }
    }
  }

  /// A description of an unsupported type, and what to do about it.
  private static func explanation(_ name: String) -> String {
    switch name.first {
    case "C": "complex numbers, which tensors do not support; save torch.view_as_real(x); "
    case "F": "real numbers of less than 16 bits, which tensors do not support; save x.bfloat16(); "
    default: ""
    }
  }

  /// Reads all tensors.
  ///
  /// - Throws: `FileError`, as `tensor(named:)` does.
  public func tensors() throws -> StateDict {
    var result = StateDict()
    for entry in entries { result[entry.name] = try tensor(named: entry.name) }
    return result
  }
}
