import Norma
import NormaExplain

/// What `norma doctor` says of a checkpoint alone.
struct CheckpointReport: Encodable {
  let file: String
  let format: StateFile.Format
  let diagnosis: CheckpointDiagnosis
  /// Parts of the file that are not the model's.
  let otherParts: [String]
  /// What the numbers alone do not tell, and the lines that make a capture, which does.
  let limits: String
  let capture: [String]

  /// A report of a file, or nil where the file is a capture.
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

  /// The page that `--html` writes.
  var page: HTMLReport {
    var page = diagnosis.report(title: file)
    page.facts.insert(.init("file", kind), at: 0)
    if !otherParts.isEmpty {
      page.facts.append(.init("beside the model", otherParts.joined(separator: ", ")))
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
    if !otherParts.isEmpty { head += "; beside it \(otherParts.joined(separator: ", "))" }
    return style.paragraph(head) + "\n\n" + diagnosis.text(style: style, showsAll: showsAll)
  }
}
