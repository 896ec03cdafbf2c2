import ArgumentParser
import Norma
import NormaExplain

/// The output of `norma doctor` for a capture.
struct CaptureReport: Encodable {
  let file: String
  let framework: String
  let model: String
  let diagnosis: Diagnosis
  var repair: Repair?
  /// The diagnosed capture; not part of the JSON.
  let capture: NetworkCapture

  private enum CodingKeys: String, CodingKey { case file, framework, model, diagnosis, repair }

  /// The buffers after exact recalibration, written to a file.
  struct Repair: Encodable {
    let file: String
    let layers: Int
    /// The number of samples behind the statistics, and their capture.
    let samples: Int
    let from: String
    /// Whether these are known to be training data.
    let isTraining: Bool
    /// The lines that load it into a PyTorch network, and into one of the capture's framework.
    let pytorch: [String]
    let code: [String]
  }

  /// - Throws: when a file cannot be read, is not a capture, or the repair cannot be written.
  init(file: String, training: String?, repair: String?) throws {
    self.file = file
    let capture = try NetworkCapture(contentsOf: file)
    let other = try training.map { try NetworkCapture(contentsOf: $0) }
    if let other, let training {
      guard other.layers.contains(where: { capture[$0.name] != nil }) else {
        throw CaptureReportError(problem: "\(training) has no layer of \(file)")
      }
    }
    self.capture = capture
    framework = capture.framework
    model = capture.model
    diagnosis = capture.diagnosis(training: other)
    if let repair {
      // Running statistics belong to training data, so they come from such a capture if there is
      // one.
      let source = other ?? capture
      let layers = try source.writeRecalibrated(to: repair, from: training ?? file)
      self.repair = Repair(
        file: repair, layers: layers, samples: source.samples, from: training ?? file,
        isTraining: training != nil || capture.facts.data == .training,
        pytorch: Self.loading(repair, .pytorch), code: Self.loading(repair, capture.language))
    }
  }

  /// The lines that load new running statistics. In Keras and Flax, layers have the names that the
  /// capture script gave them.
  private static func loading(_ path: String, _ framework: NetworkCapture.Framework) -> [String] {
    let file = "\"\(path)\""
    let numpy = ["import safetensors.numpy", "new = safetensors.numpy.load_file(\(file))"]
    switch framework {
    case .pytorch:
      return [
        "import safetensors.torch",
        "model.load_state_dict(safetensors.torch.load_file(\(file)), strict=False)",
      ]
    case .keras:
      return numpy + [
        "for m in model._flatten_layers():",
        "    name = (m.path or m.name).replace(\"/\", \".\")",
        "    if name + \".running_mean\" in new:",
        "        m.moving_mean.assign(new[name + \".running_mean\"])",
        "        m.moving_variance.assign(new[name + \".running_var\"])",
      ]
    case .flax:
      return numpy + [
        "for path, m in nnx.iter_modules(model):",
        "    name = \".\".join(map(str, path))",
        "    if name + \".running_mean\" in new:",
        "        m.mean[...] = new[name + \".running_mean\"]",
        "        m.var[...] = new[name + \".running_var\"]",
      ]
    case .norma:
      return [
        "try network.load(SafeTensors(contentsOf: \(file)).tensors(), strict: false)"
      ]
    }
  }

  func text(style: TextStyle, showsAll: Bool) -> String {
    var parts = [
      "\(file): \(model.isEmpty ? "a network" : model), \(framework), \(diagnosis.samples) samples",
      diagnosis.text(style: style, showsAll: showsAll),
    ]
    if let repair {
      parts.append(
        style.paragraph(
          "Repair: running statistics of \(repair.layers) layers, pooled over the "
            + "\(repair.samples) samples of \(repair.from), are in \(repair.file). "
            + (repair.isTraining
              ? ""
              : "They are right if these are training data, prepared as in training. ")
            + "To load them:") + "\n"
          + repair.code.map { "  " + style.strong($0) }.joined(separator: "\n"))
    } else if diagnosis.findings.contains(where: \.defect.isRecalibrated) {
      parts.append(
        style.paragraph(
          "To write new running statistics from this batch to a file that "
            + "\(diagnosis.framework.title) can load:")
          + "\n  " + style.strong("norma doctor \(file) --repair statistics.safetensors"))
    }
    return parts.joined(separator: "\n\n")
  }
}

/// Captures that do not match.
struct CaptureReportError: Error, CustomStringConvertible {
  let problem: String
  var description: String { problem }
}
