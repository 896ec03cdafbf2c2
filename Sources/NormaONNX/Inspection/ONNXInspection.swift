import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// What is in an ONNX file, found without running anything, also where it cannot run.
package struct ONNXInspection {
  /// A tensor of the file.
  package struct Weight {
    package let name: String
    package let dtypeName: String
    /// The type that it is read into, or nil if tensors have none such.
    package let dtype: DType?
    package let shape: [Int]
    package let byteCount: Int
    /// Why it cannot be read; nil if it can.
    package let reason: String?
    /// Reads it.
    package let read: () throws -> Tensor
  }

  package let irVersion: Int
  package let producer: String
  /// Versions of operator sets by domain.
  package let opsets: [String: Int]
  package let metadata: [String: String]
  package let inputs: [ONNXValue]
  package let outputs: [ONNXValue]
  /// How often each operator occurs, subgraphs and functions included.
  package let operators: [String: Int]
  /// Initializers and constants of the main graph with more than a few elements.
  package let weights: [Weight]
  /// All that keeps the model from running; empty if it runs.
  package let problems: [String]
  /// The batch norms, with their options, if the model runs.
  package let batchNorms: [(name: String, layer: BatchNorm)]

  /// - Throws: `FileError` if the file cannot be read or is no ONNX model.
  package init(contentsOf path: String) throws {
    let file = try InputFile(path: path, operation: "ONNXInspection(contentsOf:)")
    let proto = try ModelProto(file)
    guard let graph = proto.graph else {
      throw file.context.malformed("is no ONNX model", "it has no graph")
    }
    let folder = URL(fileURLWithPath: path).deletingLastPathComponent().path
    let known = Set(graph.initializers.map(\.name))
    irVersion = Int(proto.irVersion)
    producer = proto.producer
    opsets = proto.opsets
    metadata = Dictionary(proto.metadata.map { ($0.key, $0.value) }) { $1 }
    inputs = graph.inputs.filter { !known.contains($0.name) }
    outputs = graph.outputs
    var operators: [String: Int] = [:]
    Self.count(graph.nodes, into: &operators)
    for function in proto.functions { Self.count(function.nodes, into: &operators) }
    self.operators = operators
    weights =
      graph.initializers.map { Weight($0, named: $0.name, folder) }
      + graph.nodes.filter { $0.op == "Constant" }.flatMap { node in
        node.attributes.compactMap { attribute in
          guard case .tensor(let tensor) = attribute.value else { return nil }
          let weight = Weight(tensor, named: node.outputs.first ?? node.name, folder)
          // Small constants are numbers of the graph rather than weights.
          return weight.shape.reduce(1, *) > 8 ? weight : nil
        }
      }
    do {
      let model = try ONNXModel(contentsOf: path)
      problems = []
      batchNorms = model.namedModules.compactMap { name, module in
        (module as? BatchNorm).map { (name, $0) }
      }
    } catch ONNXError.unsupported(_, let reasons) {
      (problems, batchNorms) = (reasons, [])
    } catch let error as ONNXError {
      (problems, batchNorms) = (["\(error)"], [])
    }
  }

  private static func count(_ nodes: [NodeProto], into operators: inout [String: Int]) {
    for node in nodes {
      operators[node.title, default: 0] += 1
      for attribute in node.attributes {
        if case .graph(let inner) = attribute.value { count(inner.nodes, into: &operators) }
      }
    }
  }
}

extension ONNXInspection.Weight {
  fileprivate init(_ tensor: TensorProto, named name: String, _ folder: String) {
    self.name = name
    dtypeName = ElementType.name(of: tensor.dataType)
    var reason: String?
    do {
      shape = try tensor.shape()
    } catch {
      shape = []
      reason = "\(error)"
    }
    if tensor.dtype == nil { reason = reason ?? "its elements are \(dtypeName)" }
    self.reason = reason
    dtype = reason == nil ? tensor.dtype : nil
    byteCount = shape.reduce(tensor.dtype?.byteCount ?? 0, *)
    read = { try tensor.tensor(in: folder) }
  }
}
