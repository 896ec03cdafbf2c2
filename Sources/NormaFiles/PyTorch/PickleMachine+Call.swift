extension PickleMachine {
  /// The result of a call.
  mutating func call(_ function: PickleValue, _ arguments: PickleValue) throws -> PickleValue {
    guard let global = heap.global(function) else {
      throw damaged("a value that is not a function is called before byte \(source.position)")
    }
    guard let items = heap.sequence(arguments) else {
      throw damaged("\(global.name) is called without a tuple of arguments")
    }
    try spend(items.count)
    switch global.meaning {
    case .rebuild(let rebuild): return try self.rebuild(rebuild, items, global.name)
    case .dictionary: return try dictionary(items)
    case .list: return heap.make(.list, try copied(items.first))
    case .tuple: return heap.make(.tuple, try copied(items.first))
    case .set: return heap.make(.set, try copied(items.first))
    case .encode: return try encoded(items)
    case .data: return heap.make(.object(global.name), items)
    case .storage, .dtype, .type:
      throw context.unsupported(
        "would run code", "\(global.name) is called, which does not represent data")
    }
  }

  /// The state that a pickle sets on an object that it created.
  mutating func build(_ target: PickleValue, _ state: PickleValue) throws {
    guard case .node(let index) = target else {
      throw damaged("a state before byte \(source.position) belongs to nothing")
    }
    switch heap.nodes[index].kind {
    case .object: heap.nodes[index].items.append(state)
    case .tensor(let place):
      // NumPy: version, shape, type, order, bytes.
      if let parts = heap.sequence(state), parts.count == 5, let shape = heap.ints(parts[1]) {
        try spend(shape.count)
        heap.tensors[place].shape = shape
      }
    // Attributes of a container, such as the versions in a state dictionary, are not tensors.
    case .dictionary, .list, .set, .tuple, .storage: break
    case .string, .bytes, .wideInteger:
      throw damaged("a state before byte \(source.position) belongs to a constant")
    }
  }

  /// The items of a sequence, counted as operations.
  private mutating func copied(_ value: PickleValue?) throws -> [PickleValue] {
    let items = value.flatMap(heap.sequence) ?? []
    try spend(items.count)
    return items
  }

  /// A dictionary, empty or from pairs.
  private mutating func dictionary(_ items: [PickleValue]) throws -> PickleValue {
    var content: [PickleValue] = []
    if let first = items.first, let node = heap.node(first) {
      try spend(node.items.count)
      switch node.kind {
      case .dictionary: content = node.items
      case .list, .tuple:
        for pair in node.items {
          guard let parts = heap.sequence(pair), parts.count == 2 else {
            throw damaged("a dictionary is created from something other than pairs")
          }
          content += parts
        }
      default: break
      }
    }
    return heap.make(.dictionary, content)
  }

  /// Bytes as Latin-1 text, which is how protocol 2 writes them.
  private mutating func encoded(_ items: [PickleValue]) throws -> PickleValue {
    guard let text = items.first.flatMap(heap.string) else {
      throw damaged("_codecs.encode is called without text")
    }
    try spend(text.utf8.count)
    let bytes = text.unicodeScalars.map { UInt8(truncatingIfNeeded: $0.value) }
    return heap.make(.bytes(bytes))
  }

  /// A storage elsewhere in the file.
  mutating func persistent(_ id: PickleValue) throws -> PickleValue {
    guard let parts = heap.sequence(id), let kind = parts.first.flatMap(heap.string) else {
      throw damaged("a persistent identifier before byte \(source.position) is not a tuple")
    }
    guard kind == "storage" else {
      throw context.unsupported(
        "holds a whole module, which is code and not only tensors",
        "the pickle refers to a \(quoted(kind)); \(PickleGlobal.wayOut)")
    }
    guard parts.count >= 5, let count = heap.int(parts[4]), count >= 0,
      let global = heap.global(parts[1]), case .storage(let element) = global.meaning
    else { throw damaged("a storage before byte \(source.position) is described wrongly") }
    let key = heap.string(parts[2]) ?? heap.int(parts[2]).map(String.init)
    guard let key else { throw damaged("a storage before byte \(source.position) has no name") }
    var storage = PickledStorage(
      key: key, element: element, location: heap.string(parts[3]) ?? "", count: count)
    if parts.count > 5, let view = heap.sequence(parts[5]) {
      guard view.count == 3, let start = heap.int(view[1]), let length = heap.int(view[2]),
        start >= 0, length >= 0, start <= count, length <= count - start
      else { throw damaged("a view of storage \(quoted(key)) is outside of it") }
      storage.start = start
    }
    heap.storages.append(storage)
    return heap.make(.storage(heap.storages.count - 1))
  }
}
