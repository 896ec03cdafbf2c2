import NormaTensor

/// A safetensors file: named tensors, which are read on demand.
///
///     let file = try SafeTensors(contentsOf: "model.safetensors")
///     let weight = try file.tensor(named: "bn1.weight")
///
/// Opening reads only the header, so a file of 100 GB opens instantly. The header is checked
/// against every rule of the format: at most 100 MB, no duplicate names, no gaps or overlaps in the
/// data, no trailing bytes. Python: `safetensors.safe_open(path)`.
public struct SafeTensors: Sendable {
  /// The description of one tensor in the header.
  public struct Entry: Sendable, Hashable {
    /// The name, such as `bn1.running_mean`.
    public let name: String
    /// The element type in the format's terms: `F32`.
    public let dtypeName: String
    /// The length of each axis.
    public let shape: [Int]
    /// The bytes of the elements, counted from the end of the header.
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

  /// All tensors, in the order of their data.
  public let entries: [Entry]

  /// The file's own notes, such as `format: pt`; empty if there are none.
  public let metadata: [String: String]

  private let file: InputFile
  private let dataStart: Int
  private let places: [String: Int]

  /// Opens a file and checks its header.
  ///
  /// - Throws: `FileError` if the file cannot be read or its header violates a rule.
  public init(contentsOf path: String) throws {
    try self.init(InputFile(path: path, operation: "SafeTensors(contentsOf:)"))
  }

  /// The same for a file that is already in memory; `name` identifies it in errors.
  package init(bytes: [UInt8], name: String = "the data") throws {
    try self.init(InputFile(bytes: bytes, name: name, operation: "SafeTensors(bytes:)"))
  }

  init(_ file: InputFile) throws {
    let context = file.context
    if file.size < 8 {
      throw context.truncated("8 bytes for the header's length are needed and \(file.size) follow")
    }
    let length = try file.bytes(at: 0, count: 8).reversed().reduce(UInt64(0)) {
      $0 << 8 | UInt64($1)
    }
    if length > UInt64(SafeTensorsHeader.largestCount) {
      if let format = try? FileFormat.detect(file) {
        throw context.unsupported("is not a safetensors file", "it is \(format.words)")
      }
      throw context.malformed(
        "has an absurd header",
        "\(length) bytes, and at most \(SafeTensorsHeader.largestCount) are allowed")
    }
    let count = Int(length)
    if count > file.size - 8 {
      throw context.truncated("its header claims \(count) bytes and \(file.size - 8) follow")
    }
    dataStart = 8 + count
    let header = try SafeTensorsHeader(
      file.bytes(at: 8, count: count), dataCount: file.size - dataStart, context: context)
    entries = header.entries
    metadata = header.metadata
    places = Dictionary(uniqueKeysWithValues: header.entries.enumerated().map { ($1.name, $0) })
    self.file = file
  }

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
    let context = FileContext(
      operation: "SafeTensors.tensor(named:)", path: file.context.path)
    guard let place = places[name] else { throw context.missing(name, among: keys) }
    let entry = entries[place]
    guard let dtype = entry.dtype else {
      throw context.unsupported(
        "holds \(quoted(name)) as \(quoted(entry.dtypeName))",
        Self.explanation(entry.dtypeName)
          + "\(Self.dtypes.map(\.name).joined(separator: ", ")) are read")
    }
    try context.checkAxes(entry.shape)
    return try Tensor(shape: entry.shape, dtype: dtype) { target in
      try file.read(at: dataStart + entry.range.lowerBound, into: target, for: context)
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
