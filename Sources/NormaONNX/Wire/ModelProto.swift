import NormaFiles
import NormaTensor

/// A model as the file has it.
struct ModelProto {
  var irVersion: Int64 = 0
  var producer = ""
  var documentation = ""
  var opsets: [String: Int] = [:]
  var metadata: [(key: String, value: String)] = []
  var graph: GraphProto?
  var functions: [FunctionProto] = []

  init(_ file: InputFile) throws {
    var reader = WireReader(WireSource(file))
    while let field = try reader.next() {
      switch field.number {
      case 1: irVersion = try reader.integer(field)
      case 2: producer = try reader.string(field) + producer
      case 3: producer += " " + (try reader.string(field))
      case 6: documentation = try reader.string(field)
      case 7: graph = try GraphProto(reader.message(field))
      case 8:
        let (domain, version) = try reader.message(field).opset()
        opsets[domain] = version
      case 14: metadata.append(try reader.message(field).pair())
      case 25: functions.append(try FunctionProto(reader.message(field)))
      default: try reader.skip(field)
      }
    }
  }
}

extension ModelProto {
  /// The versions of the operator sets of the model and of its functions.
  var allOpsets: [String: Int] {
    functions.reduce(opsets) { $0.merging($1.opsets) { own, _ in own } }
  }
}

extension WireReader {
  /// A domain, with the default one as `""`, and its version.
  fileprivate func opset() throws -> (domain: String, version: Int) {
    var reader = self
    var (domain, version) = ("", 0)
    while let field = try reader.next() {
      switch field.number {
      case 1: domain = try reader.string(field)
      case 2: version = Int(try reader.integer(field))
      default: try reader.skip(field)
      }
    }
    return (domain == "ai.onnx" ? "" : domain, version)
  }
}

/// A graph, of a model or in an attribute.
struct GraphProto {
  var name = ""
  var nodes: [NodeProto] = []
  var initializers: [TensorProto] = []
  var sparseInitializers = 0
  var inputs: [ONNXValue] = []
  var outputs: [ONNXValue] = []

  init(_ reader: WireReader) throws {
    var reader = reader
    while let field = try reader.next() {
      switch field.number {
      case 1: nodes.append(try NodeProto(reader.message(field)))
      case 2: name = try reader.string(field)
      case 5: initializers.append(try TensorProto(reader.message(field)))
      case 11: inputs.append(try ONNXValue(reader.message(field)))
      case 12: outputs.append(try ONNXValue(reader.message(field)))
      case 15:
        sparseInitializers += 1
        try reader.skip(field)
      default: try reader.skip(field)
      }
    }
  }
}

/// An operator of a graph with its operands.
struct NodeProto {
  var name = ""
  var op = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [AttributeProto] = []
  /// The version of the operator set, for an operator that a pass has made.
  var version: Int?

  init(_ reader: WireReader) throws {
    var reader = reader
    while let field = try reader.next() {
      switch field.number {
      case 1: inputs.append(try reader.string(field))
      case 2: outputs.append(try reader.string(field))
      case 3: name = try reader.string(field)
      case 4: op = try reader.string(field)
      case 5: attributes.append(try AttributeProto(reader.message(field)))
      case 7: domain = try reader.string(field)
      default: try reader.skip(field)
      }
    }
    if domain == "ai.onnx" { domain = "" }
  }

  /// The operator with its domain: `Conv`, `com.microsoft::FusedConv`.
  var title: String { domain.isEmpty ? op : "\(domain)::\(op)" }
}

/// A named constant of a node.
struct AttributeProto {
  enum Value {
    case none
    case float(Float)
    case int(Int64)
    case string(String)
    case tensor(TensorProto)
    case graph(GraphProto)
    case floats([Float])
    case ints([Int64])
    case strings([String])
    /// A kind that no supported operator has, by name.
    case other(String)
  }

  var name = ""
  /// The name of a function's attribute whose value this one takes.
  var reference = ""
  var value = Value.none

  init(_ name: String, _ value: Value) {
    self.name = name
    self.value = value
  }

  init(_ reader: WireReader) throws {
    var reader = reader
    var kind: Int64 = 0
    var (float, int, string) = (Float(0), Int64(0), "")
    var (floats, ints, strings): ([Float], [Int64], [String]) = ([], [], [])
    var (tensor, graph): (TensorProto?, GraphProto?)
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 2: float = try reader.float(field)
      case 3: int = try reader.integer(field)
      case 4: string = try reader.string(field)
      case 5: tensor = try TensorProto(reader.message(field))
      case 6: graph = try GraphProto(reader.message(field))
      case 7: try reader.floats(field, into: &floats)
      case 8: try reader.integers(field, into: &ints)
      case 9: strings.append(try reader.string(field))
      case 20: kind = try reader.integer(field)
      case 21: reference = try reader.string(field)
      default: try reader.skip(field)
      }
    }
    switch kind {
    case 1: value = .float(float)
    case 2: value = .int(int)
    case 3: value = .string(string)
    case 4: value = tensor.map { .tensor($0) } ?? .none
    case 5: value = graph.map { .graph($0) } ?? .none
    case 6: value = .floats(floats)
    case 7: value = .ints(ints)
    case 8: value = .strings(strings)
    case 0: value = .none
    default:
      let names: [Int64: String] = [
        9: "tensors", 10: "graphs", 11: "a sparse tensor", 12: "sparse tensors", 13: "a type",
        14: "types",
      ]
      value = .other(names[kind] ?? "kind \(kind)")
    }
  }
}

/// A function that the model itself defines; its nodes take the place of a call.
struct FunctionProto {
  var name = ""
  var domain = ""
  var inputs: [String] = []
  var outputs: [String] = []
  var attributes: [String] = []
  var defaults: [AttributeProto] = []
  var nodes: [NodeProto] = []
  var opsets: [String: Int] = [:]

  init(_ reader: WireReader) throws {
    var reader = reader
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 4: inputs.append(try reader.string(field))
      case 5: outputs.append(try reader.string(field))
      case 6: attributes.append(try reader.string(field))
      case 7: nodes.append(try NodeProto(reader.message(field)))
      case 9:
        let (domain, version) = try reader.message(field).opset()
        opsets[domain] = version
      case 10: domain = try reader.string(field)
      case 11: defaults.append(try AttributeProto(reader.message(field)))
      default: try reader.skip(field)
      }
    }
  }
}
