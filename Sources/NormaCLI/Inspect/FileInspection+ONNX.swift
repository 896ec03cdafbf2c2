import Norma
import NormaExplain
import NormaONNX

/// The graph of an ONNX file in words.
struct InspectedGraph: Encodable {
  let producer: String
  let irVersion: Int
  /// Versions of operator sets by domain; the default one is `""`.
  let opsets: [String: Int]
  /// `x: float32 [batch, 3, 48, 192]`
  let inputs: [String]
  let outputs: [String]
  /// How often each operator occurs.
  let operators: [String: Int]
  /// All that keeps the model from running; empty if it runs.
  let unsupported: [String]

  init(_ file: ONNXInspection) {
    func text(_ value: ONNXValue) -> String {
      let shape = value.shape.map { "[\($0.map(\.description).joined(separator: ", "))]" }
      return "\(value.name): \(value.typeName) \(shape ?? "of any shape")"
    }
    (producer, irVersion, opsets) = (file.producer, file.irVersion, file.opsets)
    (inputs, outputs) = (file.inputs.map(text), file.outputs.map(text))
    (operators, unsupported) = (file.operators, file.problems)
  }

  /// Paragraphs of the page.
  func text(style: TextStyle) -> String {
    let domains = opsets.sorted { $0.key < $1.key }.map { domain, version in
      domain.isEmpty ? "opset \(version)" : "\(domain) \(version)"
    }
    var lines = [
      style.paragraph(
        "\(producer.isEmpty ? "unknown producer" : producer), \(domains.joined(separator: ", ")), "
          + "IR \(irVersion)", indent: 2)
    ]
    lines += inputs.map { style.paragraph("input  \($0)", indent: 2) }
    lines += outputs.map { style.paragraph("output \($0)", indent: 2) }
    let counts = operators.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key) \($0.value)" }
    lines.append(
      style.paragraph(
        "\(operators.values.reduce(0, +)) operators: \(counts.joined(separator: ", "))",
        first: "  ", indent: 4))
    if unsupported.isEmpty {
      lines.append("  everything in it is supported")
    } else {
      lines.append(style.named("  It cannot run:"))
      lines += unsupported.map { style.paragraph($0, first: "    ", indent: 6) }
    }
    return lines.joined(separator: "\n")
  }
}

extension FileInspection {
  /// - Throws: `FileError` if the file cannot be read or is no ONNX model.
  init(onnx path: String, withValues: Bool) throws {
    let file = try ONNXInspection(contentsOf: path)
    self.init(path, kind: "an ONNX model")
    graph = InspectedGraph(file)
    notes = file.metadata
    normalizations = file.batchNorms.map { StoredNorm($0) }
    options = file.batchNorms.map { InspectedOptions($0) }
    tensors = try file.weights.map { weight in
      var entry = Entry(
        name: weight.name, dtype: weight.dtypeName, shape: weight.shape, bytes: weight.byteCount,
        isModel: true, reason: weight.reason, readAs: weight.dtype)
      if withValues, weight.reason == nil { entry.values = ValueSummary(try weight.read()) }
      return entry
    }
  }
}
