import Norma
import NormaExplain
import NormaONNX

/// The output of `norma doctor` for an ONNX model with data.
struct ModelReport: Encodable {
  let file: String
  /// What the model was called with.
  let data: String
  let diagnosis: Diagnosis
  let outputs: [Output]
  /// The result in a few words.
  let verdict: String
  /// What cannot be told, and why; nil if nothing of that kind is missing.
  let limits: String?

  /// A result of the model.
  struct Output: Encodable {
    let name: String
    let shape: [Int]
    /// How many of its values are NaN or infinite.
    let nonFinite: Int
  }

  init(file: String, data: ModelData, model: ONNXModel) throws {
    self.file = file
    self.data = data.words
    model.eval()
    let ordered = model.inputs.compactMap { data.inputs[$0.name] }
    let results = try withoutGradients { try model(ordered) }
    outputs = zip(model.outputs, results).map { output, result in
      let isReal = result.dtype.isFloatingPoint
      let finite = isReal ? Int(result.isFinite().sum().item()) : result.count
      return Output(name: output.name, shape: result.shape, nonFinite: result.count - finite)
    }
    // The results that the effects are about: the first one of real numbers.
    let main = results.firstIndex { $0.dtype.isFloatingPoint } ?? 0
    diagnosis = try model.diagnosis(samples: data.samples) { try model(ordered)[main] }
    limits = diagnosis.layers.isEmpty ? Self.limits(of: model) : nil
    verdict =
      if diagnosis.findings.contains(where: { $0.defect == .domainShift }) {
        "other data than in training, or prepared in another way"
      } else if outputs.contains(where: { $0.nonFinite > 0 }) {
        "results that are not finite"
      } else if limits != nil {
        "unknown: the model keeps no statistics of its training data"
      } else {
        diagnosis.isHealthy ? "healthy" : "something is wrong"
      }
  }

  /// Why the graph does not show whether these data are like those of its training.
  private static func limits(of model: ONNXModel) -> String {
    let norms = model.namedModules.count {
      $0.module is LayerNorm || $0.module is GroupNorm || $0.module is InstanceNorm2d
    }
    return
      "Whether these data are like those of its training cannot be told: only batch norms keep "
      + "statistics of the training data. Exporters usually fold them into the convolutions "
      + "before them, and then they are gone"
      + (norms == 0
        ? ". "
        : "; the \(norms) other normalization \(norms == 1 ? "layer" : "layers") of this graph "
          + "\(norms == 1 ? "normalizes" : "normalize") each sample by itself. ")
      + "Export the network without folding (torch.onnx.export with training=TrainingMode.PRESERVE "
      + "and do_constant_folding=False), or capture it before the export (norma capture --script). "
      + "What was checked are the values of its results."
  }

  /// Whether nothing is wrong.
  var isHealthy: Bool { diagnosis.isHealthy && outputs.allSatisfy { $0.nonFinite == 0 } }

  func text(style: TextStyle, showsAll: Bool) -> String {
    var parts = [style.paragraph("\(file): an ONNX model, \(data)")]
    for output in outputs where output.nonFinite > 0 {
      let count = output.shape.reduce(1, *)
      parts.append(
        style.paragraph(
          "\(output.nonFinite) of the \(count) values of \(output.name) are NaN or infinite."))
    }
    parts.append(
      style.paragraph(
        "The results: "
          + outputs.map { output in
            "\(output.name) \(output.shape)\(output.nonFinite == 0 ? ", all finite" : "")"
          }.joined(separator: "; ")))
    parts.append(style.strong(style.paragraph("Verdict: \(verdict).")))
    parts.append(diagnosis.text(style: style, showsAll: showsAll))
    if let limits { parts.append(style.paragraph(limits)) }
    return parts.joined(separator: "\n\n")
  }
}
