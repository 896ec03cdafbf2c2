/// The content of a PyTorch file: the values of its pickle, with all storages located.
struct PyTorchContent {
  /// The container that the values came from.
  enum Container: Sendable {
    case zip
    case legacy
    /// A pickle that was not written by PyTorch itself.
    case pickle
  }

  private(set) var heap: PickleHeap
  let root: PickleValue
  let container: Container
  /// The remaining number of operations that pickles may use.
  let budget: Int

  /// Reads the pickles of a file but none of its tensors.
  init(_ file: InputFile) throws {
    if try file.head(4) == [0x50, 0x4b, 3, 4] {
      try self.init(zip: file)
    } else {
      try self.init(pickles: file, isNested: false, budget: PickleMachine.operationLimit)
    }
  }

  /// Reads a storage inside a pickle, which is a file of the older format.
  init(nested file: InputFile, budget: Int) throws {
    try self.init(pickles: file, isNested: true, budget: budget)
  }

  // MARK: - ZIP files

  private init(zip file: InputFile) throws {
    let archive = try ZIPArchive(file)
    let root = try Self.root(archive, of: file)
    var members: [String: ZIPArchive.Member] = [:]
    for member in archive.members where member.name.hasPrefix(root) {
      members[String(member.name.dropFirst(root.count))] = member
    }
    guard let pickle = members["data.pkl"] else {
      throw file.context.malformed("is not a PyTorch file", "data.pkl is missing")
    }
    let context = file.context.member(pickle.name)
    let (pickles, range) = try Self.bytes(of: pickle, in: file, context: context)
    var machine = PickleMachine(PickleSource(pickles, range: range, context: context))
    let value = try machine.run()
    (self.root, heap, container, self.budget) = (value, machine.heap, .zip, machine.budget)
    var isBigEndian = false
    if let order = members["byteorder"] {
      let text = try ZIPArchive.stream(
        order, of: file, context: file.context.member(order.name), zeroIsChecksum: false)
      isBigEndian = try text.header(min(order.count, 8), "the order of bytes").first == 0x62  // "b"
    }
    for place in heap.storages.indices where heap.storages[place].needsPlace {
      let storage = heap.storages[place]
      guard let member = members["data/\(storage.key)"] else {
        throw file.context.malformed(
          "is damaged", "the pickle needs \(quoted("\(root)data/\(storage.key)")), which is missing"
        )
      }
      let count = try storage.byteCount(file.context)
      guard count <= member.count else {
        throw file.context.truncated(
          "storage \(quoted(member.name)) needs \(count) bytes and has \(member.count)")
      }
      heap.storages[place].place = StoragePlace(
        file: file, source: .member(member), byteCount: count, isBigEndian: isBigEndian)
    }
  }

  /// The archive's folder that contains data.pkl, with its slash.
  private static func root(_ archive: ZIPArchive, of file: InputFile) throws -> String {
    let context = file.context
    let names = archive.members.map(\.name)
    func has(_ end: String) -> Bool { names.contains { $0 == end || $0.hasSuffix("/\(end)") } }
    let pickles = names.filter { $0 == "data.pkl" || $0.hasSuffix("/data.pkl") }
    let depth = { (name: String) in name.utf8.count { $0 == UInt8(ascii: "/") } }
    if has("constants.pkl"), pickles.count > 0 || has("model.json") {
      throw context.unsupported(
        "is a TorchScript archive, which is a program",
        "load it with torch.jit.load and save model.state_dict()")
    }
    if has("archive_format") || has("serialized_exported_program.json") || has("models/model.json")
    {
      throw context.unsupported(
        "is an archive of torch.export, which is a program",
        "load it with torch.export.load and save program.state_dict")
    }
    guard let name = pickles.min(by: { depth($0) < depth($1) }) else {
      if names.contains(where: { $0.hasSuffix(".npy") }) {
        throw context.unsupported("is not a PyTorch file", "it is \(FileFormat.npz.words)")
      }
      throw file.mismatch(zip: archive)
    }
    return String(name.dropLast("data.pkl".count))
  }

  /// The bytes of a member: in the file itself, or decompressed.
  private static func bytes(
    of member: ZIPArchive.Member, in file: InputFile, context: FileContext
  ) throws -> (InputFile, Range<Int>) {
    // Data that decompress to more than any pickle needs are not held in memory.
    guard member.count <= 1 << 28 else {
      throw context.unsupported("has a huge pickle", "\(member.count) bytes")
    }
    let stream = try ZIPArchive.stream(member, of: file, context: context, zeroIsChecksum: false)
    let bytes = try stream.collect(member.count) { found in
      context.truncated("\(member.count) bytes are promised and \(found) follow")
    }
    try stream.expectEnd { context.malformed("is damaged", "bytes follow its end") }
    return (InputFile(bytes: bytes, context: context), 0..<bytes.count)
  }

  // MARK: - Pickles one after the other

  /// The first pickle of a file from before PyTorch 1.6: an 80-bit integer.
  private static let magic: [UInt8] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19]

  private init(pickles file: InputFile, isNested: Bool, budget: Int) throws {
    let context = file.context
    guard try file.head(2).first == 0x80 else { throw try file.mismatch("a PyTorch file") }
    var machine = PickleMachine(
      PickleSource(file, range: 0..<file.size, context: context), isNested: isNested,
      budget: budget)
    var value = try machine.run()
    guard case .wideInteger(Self.magic)? = machine.heap.node(value)?.kind else {
      (root, heap, container, self.budget) = (value, machine.heap, .pickle, machine.budget)
      return
    }
    let version = try machine.run()
    guard machine.heap.int(version) == 1001 else {
      throw context.unsupported("is of an unknown version", "protocol 1001 is supported")
    }
    // Describes the writer's system; such files are always little-endian.
    _ = try machine.run()
    value = try machine.run()
    let keys = try machine.run()
    (root, heap, container, self.budget) = (value, machine.heap, .legacy, machine.budget)
    try findStorages(keys, from: machine.source.position, in: file)
  }

  /// Storages follow the pickles: for each its number of elements, then these, little-endian.
  private mutating func findStorages(
    _ keys: PickleValue, from start: Int, in file: InputFile
  ) throws {
    let context = file.context
    var uses: [String: [Int]] = [:]
    for place in heap.storages.indices where heap.storages[place].needsPlace {
      uses[heap.storages[place].key, default: []].append(place)
    }
    guard let keys = heap.sequence(keys) else {
      throw context.malformed("is damaged", "the list of storages is not a list")
    }
    var position = start
    for key in keys {
      let name = heap.string(key) ?? heap.int(key).map(String.init) ?? ""
      guard let places = uses.removeValue(forKey: name), let first = places.first else {
        throw context.malformed("is damaged", "no tensor names storage \(quoted(name))")
      }
      let storage = heap.storages[first]
      guard file.size - position >= 8 else {
        throw context.truncated("storage \(quoted(name)) is missing")
      }
      var header = LittleEndian(bytes: try file.bytes(at: position, count: 8))
      let count = header.number(8)
      guard count == storage.count else {
        throw context.malformed(
          "is damaged",
          "storage \(quoted(name)) has \(count) elements and the pickle says \(storage.count)")
      }
      position += 8
      let byteCount = try storage.byteCount(context)
      guard byteCount <= file.size - position else {
        throw context.truncated(
          "storage \(quoted(name)) needs \(byteCount) bytes and \(file.size - position) follow")
      }
      for place in places {
        guard try heap.storages[place].byteCount(context) == byteCount else {
          throw context.malformed("is damaged", "storage \(quoted(name)) has two sizes")
        }
        heap.storages[place].place = StoragePlace(
          file: file, source: .range(position..<position + byteCount), byteCount: byteCount)
      }
      position += byteCount
    }
    if let name = uses.keys.min() {
      throw context.malformed("is damaged", "storage \(quoted(name)) is missing")
    }
    if try file.bytes(at: position, count: min(2, file.size - position)).first == 0x80 {
      throw context.unsupported(
        "holds several objects", "another pickle follows at byte \(position); save one at a time")
    }
  }
}

extension PickledStorage {
  /// Whether its bytes are in the file and have not been located yet.
  var needsPlace: Bool { place == nil && location != "meta" }

  func byteCount(_ context: FileContext) throws -> Int {
    try ArrayPlan.byteCount(
      [count], bits: 8 * element.byteCount, dtype: element.name, context: context)
  }
}
