/// The index of a model in several files: which tensor is in which.
///
/// A JSON object with a `weight_map` from names to files beside the index, as Hugging Face's
/// libraries write it: `model.safetensors.index.json` or `pytorch_model.bin.index.json`.
struct ShardIndex {
  /// The kinds of files that an index names.
  enum Kind {
    case safetensors, pytorch

    init?(path: String) {
      let ends: KeyValuePairs<String, Kind> = [
        ".safetensors": .safetensors, ".bin": .pytorch, ".pt": .pytorch, ".pth": .pytorch,
      ]
      guard let kind = ends.first(where: { path.hasSuffix($0.key) })?.value else { return nil }
      self = kind
    }
  }

  /// The most files that an index may name; larger models have a few hundred.
  static let mostFiles = 1024

  /// The kind of its files.
  let kind: Kind
  private let file: InputFile
  private let homes: [(name: String, file: String)]

  /// The index in a file, or nil if it is no JSON text. A safetensors file whose header is so long
  /// that it begins with the same byte has zeros where text has none.
  static func read(_ file: InputFile) throws -> ShardIndex? {
    let head = try file.head(8)
    guard head.first == UInt8(ascii: "{"), !head.contains(0) else { return nil }
    return try ShardIndex(file)
  }

  private init(_ file: InputFile) throws {
    let context = file.context
    guard file.size <= SafeTensorsHeader.largestCount else {
      throw context.unsupported("is a huge index", "\(file.size) bytes")
    }
    let json: JSON
    do {
      json = try JSON.parse(file.bytes(at: 0, count: file.size), maximumDepth: 16)
    } catch let error as JSONError {
      throw context.malformed("is not valid JSON", "\(error)")
    }
    guard let map = json["weight_map"]?.objectValue else {
      throw context.unsupported(
        "is a JSON file without a \"weight_map\"",
        "an index of a model in several files has one; open the file with the tensors instead")
    }
    homes = try map.map { name, value in
      guard let home = value.stringValue else {
        throw context.malformed("has a damaged index", "the file of \(quoted(name)) is no text")
      }
      return (name, home)
    }
    let kinds = homes.map { Kind(path: $0.file) }
    let kind = kinds.first.flatMap { $0 } ?? .safetensors
    if let other = zip(homes, kinds).first(where: { $1 != kind })?.0.file {
      throw context.unsupported(
        "is an index of other files",
        "\(quoted(other)) is not \(kind == .pytorch ? "of torch.save" : "a safetensors file"); "
          + "open its files one by one")
    }
    (self.file, self.kind) = (file, kind)
  }

  /// Opens the files, in the order of their names.
  ///
  /// - Parameters:
  ///   - open: opens a file.
  ///   - names: its tensors.
  /// - Returns: the files with the names of their own tensors: those that the index has there, and
  ///   those that it does not mention.
  func shards<Shard>(
    _ open: (InputFile) throws -> Shard, names: (Shard) -> [String]
  ) throws -> [(shard: Shard, own: Set<String>)] {
    let context = file.context
    var wanted: [String: Set<String>] = [:]
    for (name, home) in homes { wanted[home, default: []].insert(name) }
    guard wanted.count <= Self.mostFiles else {
      throw context.unsupported(
        "names too many files", "\(wanted.count), and at most \(Self.mostFiles) are opened")
    }
    var shards: [(shard: Shard, own: Set<String>)] = []
    var seen: Set<String> = []
    let owners = Dictionary(homes.map { ($0.name, $0.file) }) { first, _ in first }
    for (home, wantedNames) in wanted.sorted(by: { $0.key < $1.key }) {
      // A path that leads elsewhere could read files that have nothing to do with the model.
      guard !home.isEmpty, !home.contains("/"), home != "..", home != "." else {
        throw context.unsupported(
          "names a file outside of its folder", "\(quoted(home)); all files lie beside the index")
      }
      guard let folder = file.folder else {
        throw context.unsupported("has no folder", "an index is read from a file")
      }
      let shard = try open(InputFile(path: folder + home, operation: context.operation))
      let found = Set(names(shard))
      if let lost = wantedNames.subtracting(found).min() {
        throw context.malformed(
          "has a damaged index", "\(quoted(home)) has no tensor \(quoted(lost))")
      }
      let own = found.filter { owners[$0] ?? home == home }
      if let double = own.intersection(seen).min() {
        throw context.malformed(
          "is ambiguous", "two of its files have a tensor \(quoted(double))")
      }
      seen.formUnion(own)
      shards.append((shard, own))
    }
    return shards
  }
}

extension InputFile {
  /// The folder of the file with a slash at its end, or nil for bytes in memory.
  var folder: String? {
    guard isOnDisk else { return nil }
    return context.path.lastIndex(of: "/").map { String(context.path[...$0]) } ?? ""
  }

  /// Opens a file; for a folder, the index of its safetensors files, or the only such file, or the
  /// same of Hugging Face's files of torch.save.
  convenience init(model path: String, operation: String) throws {
    guard let names = System.names(inFolder: path) else {
      try self.init(path: path, operation: operation)
      return
    }
    let base = path.hasSuffix("/") ? path : path + "/"
    let kinds: [(String) -> Bool] = [
      { $0.hasSuffix(".safetensors.index.json") }, { $0.hasSuffix(".safetensors") },
      { $0 == "pytorch_model.bin.index.json" }, { $0 == "pytorch_model.bin" },
    ]
    let found = kinds.lazy.map { names.filter($0) }.first { !$0.isEmpty } ?? []
    guard let name = found.first, found.count == 1 else {
      let listed = found.sorted().prefix(4).map(quoted).joined(separator: ", ")
      let context = FileContext(operation: operation, path: path)
      if found.isEmpty {
        throw context.error(
          .system, "cannot be opened",
          "it is a directory without a safetensors file or pytorch_model.bin")
      }
      throw context.unsupported(
        "is a folder of several models", "name one of \(listed)\(found.count > 4 ? ", ..." : "")")
    }
    try self.init(path: base + name, operation: operation)
  }
}
