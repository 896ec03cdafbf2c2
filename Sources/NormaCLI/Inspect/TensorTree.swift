/// Tensors by their names, as a tree.
struct TensorTree {
  /// A line of the printed tree.
  struct Line {
    let depth: Int
    let name: String
    /// The tensor's position in the list; nil for a group.
    let entry: Int?
    /// What to print instead of a shape.
    var remark = ""
  }

  private final class Node {
    let name: String
    var children: [Node] = []
    private var positions: [String: Int] = [:]
    var entry: Int?

    init(_ name: String) { self.name = name }

    func child(_ name: String) -> Node {
      if let position = positions[name] { return children[position] }
      positions[name] = children.count
      children.append(Node(name))
      return children[children.count - 1]
    }
  }

  private let root = Node("")
  private let describe: (Int) -> String

  /// - Parameters:
  ///   - names: the tensors' names; parts are separated by dots, or by slashes as in Keras.
  ///   - describe: a tensor's shape and type, by which repeated blocks are recognized.
  init(_ names: [String], describe: @escaping (Int) -> String) {
    self.describe = describe
    for (index, name) in names.enumerated() {
      var node = root
      for part in name.split(whereSeparator: { $0 == "." || $0 == "/" }) {
        node = node.child(String(part))
      }
      node.entry = index
    }
  }

  /// The children in the order of the file, or numbers in their own order: safetensors sorts names
  /// as text, 10 before 2.
  private static func ordered(_ nodes: [Node]) -> [Node] {
    let numbers = nodes.map { Int($0.name) }
    guard numbers.allSatisfy({ $0 != nil }) else { return nodes }
    return nodes.indices.sorted { (numbers[$0] ?? 0, $0) < (numbers[$1] ?? 0, $1) }.map {
      nodes[$0]
    }
  }

  /// All lines; repeated blocks are printed once, unless all are wanted.
  func lines(showsAll: Bool) -> [Line] {
    var lines: [Line] = []
    if let entry = root.entry { lines.append(Line(depth: 0, name: "(the array)", entry: entry)) }
    add(root.children, 0, showsAll, to: &lines)
    return lines
  }

  private func add(_ nodes: [Node], _ depth: Int, _ showsAll: Bool, to lines: inout [Line]) {
    let nodes = Self.ordered(nodes)
    var index = 0
    while index < nodes.count {
      let node = nodes[index]
      var alike = 1
      if !showsAll, let first = Int(node.name), !node.children.isEmpty {
        let signature = signature(node)
        while index + alike < nodes.count, Int(nodes[index + alike].name) == first + alike,
          self.signature(nodes[index + alike]) == signature
        { alike += 1 }
      }
      let last = nodes[index + alike - 1].name
      add(
        node, name: alike > 1 ? "\(node.name) ... \(last)" : node.name,
        remark: alike > 1 ? "\(alike) alike; one is shown" : "", depth, showsAll, to: &lines)
      index += alike
    }
  }

  private func add(
    _ node: Node, name: String, remark: String, _ depth: Int, _ showsAll: Bool,
    to lines: inout [Line]
  ) {
    var (node, name) = (node, name)
    // A group with a single child needs no line of its own.
    while remark.isEmpty, node.entry == nil, node.children.count == 1,
      let only = node.children.first
    {
      (node, name) = (only, "\(name).\(only.name)")
    }
    lines.append(Line(depth: depth, name: name, entry: node.entry, remark: remark))
    add(node.children, depth + 1, showsAll, to: &lines)
  }

  private func signature(_ node: Node) -> String {
    let own = node.entry.map(describe) ?? ""
    return "(\(own)\(node.children.map { $0.name + signature($0) }.joined(separator: ",")))"
  }
}
