import Norma
import NormaExplain

/// The output of `norma doctor` for a checkpoint alone.
struct CheckpointReport: Encodable {
  let file: String
  let format: StateFile.Format
  let diagnosis: CheckpointDiagnosis
  /// Parts of the file other than the model.
  let otherParts: [String]
  /// What the values alone do not show, and the lines that record a capture, which does.
  let limits: String
  let capture: [String]

  /// A report about a file, or nil if the file is a capture.
  ///
  /// - Throws: when the file cannot be read or has no normalization layer.
  init?(file: String) throws {
    let state = try StateFile(contentsOf: file)
    if state.format == .safetensors, NetworkCapture.isCapture(try SafeTensors(contentsOf: file)) {
      return nil
    }
    self.file = file
    format = state.format
    do {
      diagnosis = try state.diagnosis()
    } catch let error as CheckpointDiagnosisError {
      throw DataError("\(file): \(error)")
    }
    otherParts = state.otherParts
    limits = CheckpointDiagnosis.limits
    capture = CheckpointDiagnosis.captureLines
  }

  private var kind: String {
    switch format {
    case .safetensors: "a safetensors file"
    case .pytorch: "a file of torch.save"
    case .npz: "a NumPy archive"
    }
  }

  /// The page for `--html`.
  var page: HTMLReport {
    var page = diagnosis.report(title: file)
    page.facts.insert(.init("file", kind), at: 0)
    if !otherParts.isEmpty {
      page.facts.append(.init("other parts", otherParts.joined(separator: ", ")))
    }
    return page
  }

  func text(style: TextStyle, showsAll: Bool) -> String {
    let tracked = diagnosis.layers.count { $0.hasStatistics }
    let others = diagnosis.layers.count - tracked
    var head =
      "\(file): \(kind), \(diagnosis.tensors) tensors of a model, \(tracked) normalization "
      + "\(tracked == 1 ? "layer" : "layers") with running statistics"
    if others > 0 { head += " and \(others) without" }
    if !otherParts.isEmpty { head += "; other parts: \(otherParts.joined(separator: ", "))" }
    return style.paragraph(head) + "\n\n" + diagnosis.text(style: style, showsAll: showsAll)
  }
}
