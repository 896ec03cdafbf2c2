/// The index of a model in several safetensors files: which tensor is in which file.
///
/// A JSON object with a `weight_map` from names to files beside the index, as Hugging Face's
/// libraries write it.
struct SafeTensorsIndex {
  /// The most files that an index may name; larger models have a few hundred.
  static let mostFiles = 1024

  private let file: InputFile
  private let homes: [(name: String, file: String)]

  /// Whether a file is JSON text. A safetensors file whose header is so long that it begins with
  /// the same byte has zeros where text has none.
  static func isIndex(_ file: InputFile) throws -> Bool {
    let head = try file.head(8)
    return head.first == UInt8(ascii: "{") && !head.contains(0)
  }

  init(_ file: InputFile) throws {
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
        "an index of safetensors files has one; open the file with the tensors instead")
    }
    homes = try map.map { name, value in
      guard let home = value.stringValue else {
        throw context.malformed("has a damaged index", "the file of \(quoted(name)) is no text")
      }
      return (name, home)
    }
    self.file = file
  }

  /// The files of the index, in the order of their names, without what another file holds.
  func shards() throws -> [SafeTensorsShard] {
    let context = file.context
    var wanted: [String: Set<String>] = [:]
    for (name, home) in homes { wanted[home, default: []].insert(name) }
    guard wanted.count <= Self.mostFiles else {
      throw context.unsupported(
        "names too many files", "\(wanted.count), and at most \(Self.mostFiles) are opened")
    }
    var shards: [SafeTensorsShard] = []
    var seen: Set<String> = []
    let owners = Dictionary(homes.map { ($0.name, $0.file) }) { first, _ in first }
    for (home, names) in wanted.sorted(by: { $0.key < $1.key }) {
      // A path that leads elsewhere could read files that have nothing to do with the model.
      guard !home.isEmpty, !home.contains("/"), home != "..", home != "." else {
        throw context.unsupported(
          "names a file outside of its folder", "\(quoted(home)); all files lie beside the index")
      }
      guard home.hasSuffix(".safetensors") else {
        throw context.unsupported(
          "is an index of other files",
          "\(quoted(home)) is no safetensors file; open its files one by one")
      }
      guard let folder = file.folder else {
        throw context.unsupported("has no folder", "an index is read from a file")
      }
      var shard = try SafeTensorsShard(
        InputFile(path: folder + home, operation: context.operation))
      if let lost = names.subtracting(shard.header.entries.map(\.name)).min() {
        throw context.malformed(
          "has a damaged index", "\(quoted(home)) has no tensor \(quoted(lost))")
      }
      // A tensor that the index does not mention is kept; one of another file is not.
      shard.header.entries.removeAll { owners[$0.name] ?? home != home }
      for entry in shard.header.entries where !seen.insert(entry.name).inserted {
        throw context.malformed(
          "is ambiguous", "two of its files have a tensor \(quoted(entry.name))")
      }
      shards.append(shard)
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

  /// Opens a file; for a folder, the index of its safetensors files, or the only such file.
  convenience init(model path: String, operation: String) throws {
    guard let names = System.names(inFolder: path) else {
      try self.init(path: path, operation: operation)
      return
    }
    let base = path.hasSuffix("/") ? path : path + "/"
    let indices = names.filter { $0.hasSuffix(".safetensors.index.json") }
    let found = indices.isEmpty ? names.filter { $0.hasSuffix(".safetensors") } : indices
    guard let name = found.first, found.count == 1 else {
      let listed = found.sorted().prefix(4).map(quoted).joined(separator: ", ")
      let context = FileContext(operation: operation, path: path)
      if found.isEmpty {
        throw context.error(
          .system, "cannot be opened", "it is a directory without a safetensors file")
      }
      throw context.unsupported(
        "is a folder of several models", "name one of \(listed)\(found.count > 4 ? ", ..." : "")")
    }
    try self.init(path: base + name, operation: operation)
  }
}
