/// Finds the tensors in the values of a pickle and names them.
///
/// A name is the path of keys joined by dots. Shared values are found once for each path that leads
/// to them; cycles are skipped.
struct PyTorchTree {
  struct Leaf {
    var path: [String]
    let tensor: PickledTensor
  }

  /// The largest number of tensors, lists and dictionaries to visit, as a small pickle can describe
  /// a tree of any size. Keys and numbers in lists count less.
  static let visitLimit = 1 << 20
  static let depthLimit = 128
  /// The largest size of all names in bytes.
  static let nameLimit = 1 << 28

  private let heap: PickleHeap
  private let context: FileContext
  private var leaves: [Leaf] = []
  /// The path of keys to the current position, and the nodes on it.
  private var path: [String] = []
  private var isOpen: [Bool]
  private var visits = 0
  private var nameBytes = 0

  static func leaves(of content: PyTorchContent, context: FileContext) throws -> [Leaf] {
    var tree = PyTorchTree(heap: content.heap, context: context)
    try tree.visit(content.root)
    return tree.leaves
  }

  private init(heap: PickleHeap, context: FileContext) {
    (self.heap, self.context) = (heap, context)
    isOpen = [Bool](repeating: false, count: heap.nodes.count)
  }

  private mutating func spend(_ count: Int) throws {
    visits += count
    if visits > Self.visitLimit {
      throw context.unsupported("holds too many values", "more than \(Self.visitLimit)")
    }
  }

  private func mayHoldTensors(_ value: PickleValue) -> Bool {
    guard case .node(let index) = value else { return false }
    switch heap.nodes[index].kind {
    case .string, .bytes, .wideInteger, .storage: return false
    case .tensor: return true
    case .dictionary, .object, .list, .tuple, .set: return !heap.nodes[index].items.isEmpty
    }
  }

  private mutating func visit(_ value: PickleValue) throws {
    guard case .node(let index) = value else { return }
    try spend(1)
    let node = heap.nodes[index]
    switch node.kind {
    case .tensor(let place):
      nameBytes += path.reduce(0) { $0 + $1.utf8.count + 17 }
      if nameBytes > Self.nameLimit {
        throw context.unsupported("holds too long names", "more than \(Self.nameLimit) bytes")
      }
      leaves.append(Leaf(path: path, tensor: heap.tensors[place]))
    case .dictionary, .object, .list, .tuple, .set:
      if node.items.isEmpty || isOpen[index] { return }
      isOpen[index] = true
      defer { isOpen[index] = false }
      if path.count == Self.depthLimit {
        throw context.unsupported("is nested too deeply", "more than \(path.count) levels")
      }
      try visitItems(node)
    case .string, .bytes, .wideInteger, .storage: return
    }
  }

  private mutating func visit(_ value: PickleValue, under key: String) throws {
    path.append(key)
    try visit(value)
    path.removeLast()
  }

  private mutating func visitItems(_ node: PickleNode) throws {
    switch node.kind {
    case .dictionary:
      // For a repeated key the last value counts, at the position of the first.
      try spend(node.items.count / 4)
      var places: [String: Int] = [:]
      var keys: [(name: String, value: PickleValue)] = []
      for index in stride(from: 0, to: node.items.count - 1, by: 2) {
        let (name, identity) = try key(node.items[index])
        if let place = places[identity] {
          keys[place].value = node.items[index + 1]
        } else {
          places[identity] = keys.count
          keys.append((name, node.items[index + 1]))
        }
      }
      for (name, value) in keys where mayHoldTensors(value) {
        try visit(value, under: name)
      }
    case .object:
      // The state of an object has property names; its arguments have none.
      for item in node.items {
        if case .dictionary? = heap.node(item)?.kind { try visit(item) }
      }
    default:
      try spend(node.items.count / 16)
      for (index, item) in node.items.enumerated() where mayHoldTensors(item) {
        try visit(item, under: "\(index)")
      }
    }
  }

  /// The text of a key, and an identity that distinguishes keys as Python does.
  private mutating func key(_ value: PickleValue) throws -> (name: String, identity: String) {
    switch value {
    case .none: return ("None", "n")
    case .bool(let truth): return (truth ? "True" : "False", "i\(truth ? 1 : 0)")
    case .int(let number): return ("\(number)", "i\(number)")
    case .double(let number): return ("\(number)", "f\(number)")
    case .global(let index): return (heap.globals[index].name, "g\(index)")
    case .node(let index):
      if let text = heap.string(value) {
        // Long names count as work, too: a pickle can use a name of megabytes repeatedly.
        try spend(text.utf8.count / 64)
        return (text, "s" + text)
      }
      guard let items = heap.sequence(value), items.count <= 8 else { return ("?", "o\(index)") }
      var names: [String] = []
      for item in items {
        if case .node = item {
          let text = heap.string(item) ?? "?"
          try spend(text.utf8.count / 64)
          names.append(text)
        } else {
          names.append(try key(item).name)
        }
      }
      return ("(" + names.joined(separator: ", ") + ")", "o\(index)")
    }
  }
}
