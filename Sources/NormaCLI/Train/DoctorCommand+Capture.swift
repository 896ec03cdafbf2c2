import ArgumentParser
import Norma
import NormaExplain

/// What `norma doctor` says of a capture.
struct CaptureReport: Encodable {
  let file: String
  let framework: String
  let model: String
  let diagnosis: Diagnosis
  var repair: Repair?
  /// What was diagnosed; it is no part of the JSON.
  let capture: Capture

  private enum CodingKeys: String, CodingKey { case file, framework, model, diagnosis, repair }

  /// The buffers of exact recalibration, written to a file.
  struct Repair: Encodable {
    let file: String
    let layers: Int
    /// The samples that the statistics rest on, and the capture that holds them.
    let samples: Int
    let from: String
    /// Whether these are known to be data of training.
    let isTraining: Bool
    /// The lines of Python that load it.
    let pytorch: [String]
  }

  /// - Throws: when a file cannot be read, is no capture, or the repair cannot be written.
  init(file: String, training: String?, repair: String?) throws {
    self.file = file
    let capture = try Capture(contentsOf: file)
    let other = try training.map { try Capture(contentsOf: $0) }
    if let other, let training {
      guard other.layers.contains(where: { capture[$0.name] != nil }) else {
        throw CaptureReportError(problem: "\(training) has no layer of \(file)")
      }
    }
    self.capture = capture
    framework = capture.framework
    model = capture.model
    diagnosis = diagnose(capture, training: other)
    if let repair {
      // Statistics are those of training: where a capture of such data is given, they come from it.
      let source = other ?? capture
      let layers = try source.writeRecalibrated(to: repair, from: training ?? file)
      self.repair = Repair(
        file: repair, layers: layers, samples: source.samples, from: training ?? file,
        isTraining: training != nil || capture.facts.data == .training,
        pytorch: [
          "import safetensors.torch",
          "model.load_state_dict(safetensors.torch.load_file(\"\(repair)\"), strict=False)",
        ])
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
              : "They are right where these are data of training, prepared as in training. ")
            + "To load them:") + "\n"
          + repair.pytorch.map { "  " + style.strong($0) }.joined(separator: "\n"))
    } else if diagnosis.findings.contains(where: \.defect.isRecalibrated) {
      parts.append(
        style.paragraph("New running statistics from this batch, as a file for load_state_dict:")
          + "\n  " + style.strong("norma doctor \(file) --repair statistics.safetensors"))
    }
    return parts.joined(separator: "\n\n")
  }
}

/// Captures that do not belong together.
struct CaptureReportError: Error, CustomStringConvertible {
  let problem: String
  var description: String { problem }
}
