extension PickleMachine {
  /// The tensor that one of PyTorch's functions would reconstruct.
  mutating func rebuild(
    _ rebuild: PickleGlobal.Rebuild, _ items: [PickleValue], _ name: String
  ) throws -> PickleValue {
    try spend(4)
    switch rebuild {
    case .tensor: return try strided(items, element: nil, metadata: 6, name)
    case .tensorWithType:
      guard items.count > 6, case .dtype(let element)? = heap.global(items[6])?.meaning else {
        throw damaged("\(name) is called without an element type")
      }
      return try strided(items, element: element, metadata: 7, name)
    case .parameter: return try tensor(items.first, name)
    case .typed:
      // A function, a class and the function's arguments; the class's own state is not a tensor.
      guard items.count >= 3, let global = heap.global(items[0]),
        case .rebuild(let inner) = global.meaning, inner != .typed,
        let arguments = heap.sequence(items[2])
      else { throw damaged("\(name) is called without a function that makes a tensor") }
      return try self.rebuild(inner, arguments, global.name)
    case .quantized:
      guard items.count >= 3, let place = storage(items[0]) else {
        throw damaged("\(name) is called without a storage")
      }
      let element = heap.storages[place].element
      return unsupported(
        element.name, heap.ints(items[2]) ?? [],
        "quantized numbers, which need dequantize() in PyTorch first")
    case .sparse:
      let parts = items.count > 1 ? heap.sequence(items[1]) ?? [] : []
      let sizes = parts.prefix(8).compactMap { heap.ints($0) }
      return unsupported(
        element(in: parts), sizes.last ?? [],
        "a sparse tensor, which needs to_dense() in PyTorch first")
    case .nested:
      return unsupported("unknown", [], "a nested tensor, whose rows have different lengths")
    case .meta:
      let shape = items.count > 1 ? heap.ints(items[1]) ?? [] : []
      return unsupported(
        typeName(items.first), shape, "a tensor on the meta device, without values")
    case .wrapper:
      let shape = items.count > 2 ? heap.ints(items[2]) ?? [] : []
      return unsupported(
        items.count > 1 ? typeName(items[1]) : "unknown", shape,
        "a tensor of a custom class, whose values are in other objects")
    case .fromNumPy:
      return unsupported(
        items.count > 1 ? typeName(items[1]) : "unknown", [],
        "a tensor of another device, saved as a NumPy array")
    case .numpyArray: return unsupported("numpy", [], "a NumPy array; save it with numpy.save")
    case .storage: return try storageInPickle(items, name)
    }
  }

  /// A view of a storage: storage, offset, shape, strides, and possibly more arguments.
  private mutating func strided(
    _ items: [PickleValue], element: PyTorchElement?, metadata: Int, _ name: String
  ) throws -> PickleValue {
    guard items.count >= 4, let place = storage(items[0]), let offset = heap.int(items[1]),
      let shape = heap.ints(items[2]), let strides = heap.ints(items[3])
    else { throw damaged("\(name) is called without a storage, an offset, a shape and strides") }
    try spend(shape.count + strides.count)
    var tensor = PickledTensor(
      element: element ?? heap.storages[place].element, shape: shape, strides: strides,
      offset: offset, storage: place)
    if heap.storages[place].location == "meta" {
      tensor.reason = "a tensor on the meta device, without values"
    } else if tensor.element.format == nil {
      tensor.reason = tensor.element.reason
    } else if items.count > metadata, let node = heap.node(items[metadata]) {
      try spend(node.items.count)
      if case .bool(true)? = heap.value("neg", in: items[metadata]) {
        tensor.reason = "a view that negates its memory; call resolve_neg() in PyTorch first"
      }
    }
    return make(tensor)
  }

  private mutating func unsupported(
    _ type: String, _ shape: [Int], _ reason: String
  ) -> PickleValue {
    make(PickledTensor(element: .unknown(type, reason), shape: shape, reason: reason))
  }

  private mutating func make(_ tensor: PickledTensor) -> PickleValue {
    heap.tensors.append(tensor)
    return heap.make(.tensor(heap.tensors.count - 1))
  }

  private func tensor(_ value: PickleValue?, _ name: String) throws -> PickleValue {
    guard let value, case .tensor? = heap.node(value)?.kind else {
      throw damaged("\(name) is called without a tensor")
    }
    return value
  }

  private func storage(_ value: PickleValue) -> Int? {
    guard case .storage(let place)? = heap.node(value)?.kind else { return nil }
    return place
  }

  private func typeName(_ value: PickleValue?) -> String {
    guard let value, case .dtype(let element)? = heap.global(value)?.meaning else {
      return "unknown"
    }
    return element.name
  }

  /// The element type of the last tensor among these values.
  private func element(in values: [PickleValue]) -> String {
    for value in values.prefix(8).reversed() {
      if case .tensor(let place)? = heap.node(value)?.kind {
        return heap.tensors[place].element.name
      }
    }
    return "unknown"
  }

  /// A storage whose bytes are in the pickle: a file in PyTorch's older format.
  private mutating func storageInPickle(
    _ items: [PickleValue], _ name: String
  ) throws -> PickleValue {
    guard case .node(let index)? = items.first, case .bytes(let bytes) = heap.nodes[index].kind
    else { throw damaged("\(name) is called without bytes") }
    // The same bytes give the same storage again, so that no byte of a file is read twice.
    if let known = storagesInPickle[index] { return known }
    guard !isNested else { throw damaged("\(name) contains itself") }
    let file = InputFile(bytes: bytes, context: context.member(name))
    let content = try PyTorchContent(nested: file, budget: budget)
    budget = content.budget
    guard case .storage(let place)? = content.heap.node(content.root)?.kind else {
      throw damaged("\(name) is called with something other than a storage")
    }
    heap.storages.append(content.heap.storages[place])
    let result = heap.make(.storage(heap.storages.count - 1))
    storagesInPickle[index] = result
    return result
  }
}
