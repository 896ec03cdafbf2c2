import NormaTensor

/// A graph that is being written: nodes, and the tensors that they read.
struct ExportedGraph {
  /// What a node reads.
  enum Operand {
    /// A value by its name; empty for one that is left out.
    case value(String)
    /// Integers of a shape or a position. They differ between calls with other lengths.
    case sizes([Int])
  }

  enum Attribute: Hashable {
    case int(Int), ints([Int]), float(Double), string(String), strings([String])
    /// One number as a tensor.
    case number(Double, DType)
  }

  struct Node {
    var op: String
    var inputs: [Operand]
    var outputs: [String]
    var attributes: [(name: String, value: Attribute)] = []
  }

  struct Value {
    var name: String
    var dtype: DType
    /// A length, or the name of a free one.
    var shape: [ONNXValue.Axis]
  }

  var nodes: [Node] = []
  /// Tensors by name, in the order of their first use.
  var tensors: [(name: String, tensor: Tensor)] = []
  var inputs: [Value] = []
  var outputs: [Value] = []

  /// Parts of one node: `Conv` on operands, with attributes.
  mutating func add(
    _ op: String, _ inputs: [Operand], _ outputs: [String],
    _ attributes: [(name: String, value: Attribute)] = []
  ) {
    nodes.append(Node(op: op, inputs: inputs, outputs: outputs, attributes: attributes))
  }

  /// Removes the nodes and tensors that no result needs, such as last states.
  mutating func removeUnused() {
    var used = Set(outputs.map(\.name))
    var kept: [Node] = []
    for node in nodes.reversed() where node.outputs.contains(where: used.contains) {
      kept.append(node)
      for case .value(let name) in node.inputs { used.insert(name) }
    }
    nodes = kept.reversed()
    tensors.removeAll { !used.contains($0.name) }
  }
}

extension ExportedGraph {
  /// The bytes of a model file.
  ///
  /// - Parameter external: where tensors in another file lie.
  func bytes(
    opset: Int, name: String, metadata: [String: String], external: ExportedData? = nil
  ) -> [UInt8] {
    var model = ProtoWriter()
    model.integer(1, 8)
    model.string(2, "Norma")
    model.message(7) { graph in
      for node in nodes { graph.message(1) { node.write(&$0) } }
      graph.string(2, name)
      for (name, tensor) in tensors {
        graph.message(5) {
          tensor.write(&$0, name: name, at: external?.offsets[name], of: external?.location ?? "")
        }
      }
      for value in inputs { graph.message(11) { value.write(&$0) } }
      for value in outputs { graph.message(12) { value.write(&$0) } }
    }
    model.message(8) {
      $0.string(1, "")
      $0.integer(2, opset)
    }
    for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
      model.message(14) {
        $0.string(1, key)
        $0.string(2, value)
      }
    }
    return model.bytes
  }
}

extension ExportedGraph.Node {
  fileprivate func write(_ node: inout ProtoWriter) {
    for case .value(let name) in inputs { node.string(1, name) }
    for name in outputs { node.string(2, name) }
    if let first = outputs.first { node.string(3, first) }
    node.string(4, op)
    for (name, value) in attributes {
      node.message(5) { attribute in
        attribute.string(1, name)
        switch value {
        case .float(let number):
          attribute.float(2, Float(number))
          attribute.integer(20, 1)
        case .int(let number):
          attribute.integer(3, number)
          attribute.integer(20, 2)
        case .string(let text):
          attribute.string(4, text)
          attribute.integer(20, 3)
        case .number(let number, let dtype):
          attribute.message(5) { Tensor([number]).cast(to: dtype).write(&$0, name: "") }
          attribute.integer(20, 4)
        case .ints(let numbers):
          for number in numbers { attribute.integer(8, number) }
          attribute.integer(20, 7)
        case .strings(let texts):
          for text in texts { attribute.string(9, text) }
          attribute.integer(20, 8)
        }
      }
    }
  }
}

extension ExportedGraph.Value {
  fileprivate func write(_ value: inout ProtoWriter) {
    value.string(1, name)
    value.message(2) { type in
      type.message(1) { tensor in
        tensor.integer(1, ElementType.number(of: dtype))
        tensor.message(2) { axes in
          for length in shape {
            axes.message(1) { axis in
              switch length {
              case .fixed(let count): axis.integer(1, count)
              case .free(let name): axis.string(2, name)
              }
            }
          }
        }
      }
    }
  }
}

extension Tensor {
  /// - Parameter offset: the position of the elements in another file; nil if they lie in this one.
  fileprivate func write(
    _ writer: inout ProtoWriter, name: String, at offset: Int? = nil, of location: String = ""
  ) {
    for length in shape { writer.integer(1, length) }
    writer.integer(2, ElementType.number(of: dtype))
    writer.string(8, name)
    guard let offset else {
      withUnsafeBytes { writer.data(9, $0) }
      return
    }
    for (key, value) in [
      ("location", location), ("offset", "\(offset)"), ("length", "\(byteSize)"),
    ] {
      writer.message(13) {
        $0.string(1, key)
        $0.string(2, value)
      }
    }
    writer.integer(14, 1)
  }
}
