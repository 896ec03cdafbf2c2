import NormaTensor

/// Makes one graph for any length of some axes from the graphs of two calls with different lengths:
/// what differs between them depends on the lengths.
struct AxisMerge {
  /// A free axis: its name, an input that has it, and its length in both calls.
  struct Symbol {
    let name: String
    let input: String
    let axis: Int
    let first: Int
    let second: Int
  }

  private let symbols: [Symbol]
  private(set) var graph = ExportedGraph()
  private(set) var problems: [String] = []
  /// The names of values that hold a length, by its symbol.
  private var lengths: [String: String] = [:]
  private var sizes: [[Int]: String] = [:]
  private var count = 0

  init(_ symbols: [Symbol]) { self.symbols = symbols }

  /// The merged graph; all sizes become tensors.
  mutating func merge(_ first: ExportedGraph, _ second: ExportedGraph) -> ExportedGraph {
    guard first.nodes.count == second.nodes.count, first.tensors.count == second.tensors.count
    else {
      problems.append("operations that depend on the length of an axis")
      return first
    }
    graph.inputs = zip(first.inputs, second.inputs).map(merged)
    graph.outputs = zip(first.outputs, second.outputs).map(merged)
    for (a, b) in zip(first.tensors, second.tensors) { add(a, b.tensor) }
    for (a, b) in zip(first.nodes, second.nodes) {
      let isSame =
        a.op == b.op && a.outputs == b.outputs && a.inputs.count == b.inputs.count
        && a.attributes.map(\.value) == b.attributes.map(\.value)
      guard isSame else {
        problems.append("\(a.op) with options that depend on the length of an axis")
        continue
      }
      var node = a
      node.inputs = zip(a.inputs, b.inputs).map { .value(name(of: $0, $1, a.op)) }
      graph.nodes.append(node)
    }
    graph.removeUnused()
    return graph
  }

  private func merged(
    _ first: ExportedGraph.Value, _ second: ExportedGraph.Value
  ) -> ExportedGraph.Value {
    var value = first
    value.shape = zip(first.shape, second.shape).map { a, b in
      guard case .fixed(let one) = a, case .fixed(let other) = b, one != other else { return a }
      let symbol = symbols.first { $0.first == one && $0.second == other }
      return .free(symbol?.name ?? "")
    }
    return value
  }

  /// A tensor that must be the same in both calls.
  private mutating func add(_ first: (name: String, tensor: Tensor), _ second: Tensor) {
    if first.tensor.shape != second.shape {
      problems.append(
        "a constant of shape \(first.tensor.shape), whose shape depends on the length of an axis")
    }
    graph.tensors.append(first)
  }

  private mutating func newName(_ stem: String) -> String {
    count += 1
    return "sizes/\(stem)_\(count)"
  }

  private mutating func name(
    of first: ExportedGraph.Operand, _ second: ExportedGraph.Operand, _ op: String
  ) -> String {
    switch (first, second) {
    case (.value(let name), .value): return name
    case (.sizes(let a), .sizes(let b)) where a == b: return constant(a)
    case (.sizes(let a), .sizes(let b)) where a.count == b.count:
      return dynamic(a, b, isReshape: op == "Reshape")
    default:
      problems.append("\(op) with other operands for other lengths")
      return ""
    }
  }

  private mutating func constant(_ values: [Int]) -> String {
    if let name = sizes[values] { return name }
    let name = newName("constant")
    graph.tensors.append((name, Tensor(values.map(Int64.init), shape: [values.count])))
    sizes[values] = name
    return name
  }

  // MARK: Sizes that follow from lengths

  /// What a number is made of: factor · lengths + term.
  private func formula(_ a: Int, _ b: Int) -> (symbols: [Symbol], factor: Int, term: Int)? {
    for chosen in 1..<(1 << symbols.count) {
      let used = symbols.indices.filter { chosen >> $0 & 1 == 1 }.map { symbols[$0] }
      let (p, q) = (used.reduce(1) { $0 * $1.first }, used.reduce(1) { $0 * $1.second })
      if p > 0, p != q, a % p == 0, a / p * q == b { return (used, a / p, 0) }
      if p != q, a - p == b - q { return (used, 1, a - p) }
    }
    return nil
  }

  private mutating func dynamic(_ a: [Int], _ b: [Int], isReshape: Bool) -> String {
    let free = a.indices.filter { a[$0] != b[$0] }
    if isReshape, free.count == 1, !a.contains(0) {
      return constant(a.indices.map { $0 == free[0] ? -1 : a[$0] })
    }
    var parts: [String] = []
    for index in a.indices {
      if a[index] == b[index] {
        parts.append(constant([a[index]]))
        continue
      }
      guard let (used, factor, term) = formula(a[index], b[index]) else {
        problems.append("a size that is \(a[index]) and \(b[index]) for two lengths of an axis")
        return ""
      }
      var value = used.dropFirst().reduce(length(used[0])) { product($0, length($1)) }
      if factor != 1 { value = product(value, constant([factor])) }
      if term != 0 { value = node("Add", [value, constant([term])]) }
      parts.append(value)
    }
    return node("Concat", parts, [("axis", .int(0))])
  }

  private mutating func product(_ a: String, _ b: String) -> String { node("Mul", [a, b]) }

  private mutating func node(
    _ op: String, _ inputs: [String],
    _ attributes: [(name: String, value: ExportedGraph.Attribute)] = []
  ) -> String {
    let name = newName(op.lowercased())
    graph.add(op, inputs.map { .value($0) }, [name], attributes)
    return name
  }

  /// The length of an axis of an input, `[1]`.
  private mutating func length(_ symbol: Symbol) -> String {
    if let name = lengths[symbol.name] { return name }
    let shape = node("Shape", [symbol.input])
    let name = node("Gather", [shape, constant([symbol.axis])], [("axis", .int(0))])
    lengths[symbol.name] = name
    return name
  }
}
