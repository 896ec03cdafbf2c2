/// Finds the tensors in the values of a pickle and gives them names.
///
/// A name is the keys on the way, joined by points. What a pickle shares is found once for each
/// way that leads there; loops are left.
struct PyTorchTree {
  struct Leaf {
    var path: [String]
    let tensor: PickledTensor
  }

  /// Most tensors, lists and dictionaries that are visited; a small pickle can describe a tree of any
  /// size. Numbers in lists and keys count less.
  static let visitLimit = 1 << 20
  static let depthLimit = 128
  /// Most bytes of all names.
  static let nameLimit = 1 << 28

  private let heap: PickleHeap
  private let context: FileContext
  private var leaves: [Leaf] = []
  /// The keys that lead to where the walk is, and which nodes it is in.
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
      // Of a key that occurs again the last value counts, at the place of the first.
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
      // The state of an object has the names of its properties; its arguments have none.
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

  /// The text of a key, and a text that differs between keys that Python tells apart.
  private mutating func key(_ value: PickleValue) throws -> (name: String, identity: String) {
    switch value {
    case .none: return ("None", "n")
    case .bool(let truth): return (truth ? "True" : "False", "i\(truth ? 1 : 0)")
    case .int(let number): return ("\(number)", "i\(number)")
    case .double(let number): return ("\(number)", "f\(number)")
    case .global(let index): return (heap.globals[index].name, "g\(index)")
    case .node(let index):
      if let text = heap.string(value) {
        // Long names are work, too: a pickle can use one of megabytes again and again.
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
