import NormaTensor

/// A NumPy archive (.npz): named arrays in a ZIP file, which are read on demand.
///
///     let archive = try NPZ(contentsOf: "batch.npz")
///     let images = try archive.tensor(named: "images")
///
/// Members may be stored or deflated; their checksums are verified. The element types are those of
/// `Tensor(npy:)`. NumPy: `numpy.load(path)`.
public struct NPZ: Sendable {
  /// The description of one array in the archive.
  public struct Entry: Sendable, Hashable {
    /// The name, without `.npy`.
    public let name: String
    /// The element type in NumPy's terms, such as `<f4`; empty if the header is damaged.
    public let dtypeName: String
    /// The type that the array is read into, or nil if it is not supported.
    public let dtype: DType?
    /// The length of each axis.
    public let shape: [Int]
    /// The reason why it cannot be read; nil if it can.
    public let reason: String?
  }

  /// The names of all arrays, without `.npy`, in the order of the file.
  public let keys: [String]

  private let file: InputFile
  private let members: [String: ZIPArchive.Member]

  /// Opens an archive and reads its directory.
  ///
  /// - Throws: `FileError` if the file cannot be read, is damaged, or is a PyTorch checkpoint,
  ///   which is a ZIP file too.
  public init(contentsOf path: String) throws {
    try self.init(InputFile(path: path, operation: "NPZ(contentsOf:)"))
  }

  /// The same for a file that is already in memory; `name` identifies it in errors.
  package init(bytes: [UInt8], name: String = "the data") throws {
    try self.init(InputFile(bytes: bytes, name: name, operation: "NPZ(bytes:)"))
  }

  init(_ file: InputFile) throws {
    self.file = file
    let archive = try ZIPArchive(file)
    if archive.members.contains(where: { $0.name == "data.pkl" || $0.name.hasSuffix("/data.pkl") })
    {
      throw file.context.unsupported(
        "is a PyTorch checkpoint", "PyTorchFile(contentsOf:) reads it")
    }
    var keys: [String] = []
    var members: [String: ZIPArchive.Member] = [:]
    for member in archive.members where member.name.hasSuffix(".npy") {
      let key = String(member.name.dropLast(4))
      keys.append(key)
      members[key] = member
    }
    self.keys = keys
    self.members = members
  }

  /// The descriptions of all arrays, in the order of the file, from the header of each.
  public var entries: [Entry] {
    keys.map { name in
      var header: NPYHeader?
      func entry(_ dtype: DType?, _ reason: String?) -> Entry {
        Entry(
          name: name, dtypeName: header?.descr ?? "", dtype: dtype, shape: header?.shape ?? [],
          reason: reason)
      }
      do {
        let found = try NPYHeader(stream(named: name))
        header = found
        return entry(try ElementFormat(npy: found.descr, context: file.context).dtype, nil)
      } catch let error as FileError {
        return entry(nil, "it \(error.problem): \(error.detail)")
      } catch {
        return entry(nil, "\(error)")
      }
    }
  }

  private func stream(named name: String) throws -> any ByteStream {
    let context = FileContext(operation: "NPZ.tensor(named:)", path: file.context.path)
    guard let member = members[name] else { throw context.missing(name, among: keys) }
    return try ZIPArchive.stream(member, of: file, context: context.member(member.name))
  }

  /// The array with this name, as `tensor(named:)` reads it; `keys` lists the names.
  ///
  /// - Throws: `FileError` if there is none or it cannot be read.
  public subscript(name: String) -> Tensor {
    get throws { try tensor(named: name) }
  }

  /// Reads the array with this name.
  ///
  /// - Throws: `FileError` if there is no such array, or it is damaged or of a type that
  ///   `Tensor(npy:)` does not support.
  public func tensor(named name: String) throws -> Tensor {
    try Tensor(npy: stream(named: name))
  }

  /// Reads all arrays, in the order of the file.
  ///
  /// - Throws: `FileError`, as `tensor(named:)` does.
  public func tensors() throws -> StateDict {
    var result = StateDict()
    for key in keys { result[key] = try tensor(named: key) }
    return result
  }

  /// Writes named tensors as a NumPy archive, in the order of their names.
  ///
  /// The bytes depend only on the tensors, and the file appears under its name when it is complete.
  /// NumPy: `numpy.savez(path, **tensors)`, or `numpy.savez_compressed`.
  ///
  /// - Parameters:
  ///   - tensors: The tensors, in a `StateDict` or a dictionary.
  ///   - path: The file; an existing one is replaced.
  ///   - compressed: Whether to compress the arrays, which is slow and saves little for real
  ///     numbers.
  /// - Throws: `FileError` if the file cannot be written, and for `bfloat16`, which NumPy does
  ///   not have.
  public static func write(
    _ tensors: some Sequence<(key: String, value: Tensor)>, to path: String,
    compressed: Bool = false
  ) throws {
    try write(tensors, to: path, compressed: compressed, wideFrom: 0xf000_0000)
  }

  static func write(
    _ tensors: some Sequence<(key: String, value: Tensor)>, to path: String, compressed: Bool,
    wideFrom: Int
  ) throws {
    try OutputFile.write(path, operation: "NPZ.write(_:to:compressed:)") { file in
      var archive = ZIPWriter(file, wideFrom: wideFrom)
      for (name, tensor) in try file.context.namedOnce(tensors).sorted(by: {
        $0.key.utf8.lexicographicallyPrecedes($1.key.utf8)
      }) {
        let header = try tensor.npyHeader(context: file.context)
        try tensor.withUnsafeBytes {
          try archive.add(name + ".npy", deflated: compressed, header: header, content: $0)
        }
      }
      try archive.finish()
    }
  }
}
