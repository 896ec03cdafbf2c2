import NormaTensor

@testable import NormaONNX

/// A node of a model that a test makes.
struct TestNode {
  var op: String
  var inputs: [String]
  var outputs: [String]
  var domain = ""
  var ints: [String: Int] = [:]
  var lists: [String: [Int]] = [:]
  var floats: [String: Float] = [:]
  var strings: [String: String] = [:]
  var graphs: [String: TestGraph] = [:]

  init(
    _ op: String, _ inputs: [String], _ outputs: [String], domain: String = "",
    ints: [String: Int] = [:], lists: [String: [Int]] = [:], floats: [String: Float] = [:],
    strings: [String: String] = [:], graphs: [String: TestGraph] = [:]
  ) {
    (self.op, self.inputs, self.outputs, self.domain) = (op, inputs, outputs, domain)
    (self.ints, self.lists, self.floats, self.strings) = (ints, lists, floats, strings)
    self.graphs = graphs
  }

  func write(_ writer: inout ProtoWriter) {
    for name in inputs { writer.string(1, name) }
    for name in outputs { writer.string(2, name) }
    writer.string(4, op)
    writer.string(7, domain)
    func attribute(_ name: String, _ kind: Int, _ value: (inout ProtoWriter) -> Void) {
      writer.message(5) {
        $0.string(1, name)
        value(&$0)
        $0.integer(20, kind)
      }
    }
    for (name, value) in floats { attribute(name, 1) { $0.float(2, value) } }
    for (name, value) in ints { attribute(name, 2) { $0.integer(3, value) } }
    for (name, value) in strings { attribute(name, 3) { $0.string(4, value) } }
    for (name, graph) in graphs { attribute(name, 5) { $0.message(6, graph.write) } }
    for (name, values) in lists {
      attribute(name, 7) { for value in values { $0.integer(8, value) } }
    }
  }
}

/// A graph that a test makes; all inputs are `float32` unless they say otherwise.
struct TestGraph {
  var nodes: [TestNode]
  var inputs: [(name: String, type: Int, shape: [Int])] = []
  var outputs: [String]
  var constants: [(name: String, value: Tensor)] = []
  /// Constants whose elements are in another file: name, shape and location.
  var external: [(name: String, shape: [Int], location: String)] = []

  func write(_ writer: inout ProtoWriter) {
    for node in nodes { writer.message(1, node.write) }
    writer.string(2, "graph")
    for (name, value) in constants {
      writer.message(5) { tensor in
        for length in value.shape { tensor.integer(1, length) }
        tensor.integer(2, value.dtype == .int64 ? 7 : value.dtype == .bool ? 9 : 1)
        tensor.string(8, name)
        tensor.data(9, value.withUnsafeBytes { Array($0) })
      }
    }
    for (name, shape, location) in external {
      writer.message(5) { tensor in
        for length in shape { tensor.integer(1, length) }
        tensor.integer(2, 1)
        tensor.string(8, name)
        tensor.message(13) {
          $0.string(1, "location")
          $0.string(2, location)
        }
        tensor.integer(14, 1)
      }
    }
    for (name, type, shape) in inputs {
      writer.message(11) { value in
        value.string(1, name)
        value.message(2) { kind in
          kind.message(1) { tensor in
            tensor.integer(1, type)
            tensor.message(2) { axes in
              for length in shape {
                axes.message(1) { length < 0 ? $0.string(2, "n") : $0.integer(1, length) }
              }
            }
          }
        }
      }
    }
    for name in outputs { writer.message(12) { $0.string(1, name) } }
  }

  /// A model of this graph.
  func bytes(opset: Int = 18) -> [UInt8] {
    var writer = ProtoWriter()
    writer.integer(1, 8)
    writer.string(2, "test")
    writer.message(7, write)
    writer.message(8) {
      $0.string(1, "")
      $0.integer(2, opset)
    }
    writer.message(14) {
      $0.string(1, "classes")
      $0.string(2, "cat,dog")
    }
    return writer.bytes
  }

  func model(opset: Int = 18, options: ONNXModel.Options = .init()) throws -> ONNXModel {
    try ONNXModel(bytes: bytes(opset: opset), options: options)
  }

  /// The results of one node, for inputs `x0`, `x1`, ... in its operator set.
  static func results(
    _ op: String, _ operands: [Tensor], outputs: Int = 1, opset: Int = 18,
    ints: [String: Int] = [:], lists: [String: [Int]] = [:], floats: [String: Float] = [:],
    strings: [String: String] = [:]
  ) throws -> [Tensor] {
    let names = operands.indices.map { "x\($0)" }
    let made = (0..<outputs).map { "y\($0)" }
    let graph = TestGraph(
      nodes: [
        TestNode(op, names, made, ints: ints, lists: lists, floats: floats, strings: strings)
      ],
      inputs: zip(names, operands).map { ($0, $1.dtype == .int64 ? 7 : 1, $1.shape) },
      outputs: made)
    let model = try graph.model(opset: opset)
    model.eval()
    return try model(operands)
  }
}
