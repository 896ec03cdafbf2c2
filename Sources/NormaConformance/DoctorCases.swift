import Foundation
import NormaExplain
import NormaFiles
import NormaNN
import NormaTensor

/// A trained network, a batch, and its known defect.
private struct DoctorCase {
  let folder: URL
  /// nil if the case is a capture.
  let description: JSON?
  let truth: JSON

  init(folder: URL) throws {
    self.folder = folder
    let isCapture = FileManager.default.fileExists(
      atPath: folder.appendingPathComponent("capture.safetensors").path)
    description =
      isCapture ? JSON?.none : try Self.json(folder.appendingPathComponent("arch.json"))
    truth = try Self.json(folder.appendingPathComponent("truth.json"))
  }

  /// The name of the defect; nil if the network is healthy.
  var defect: String? { truth["defect"]?.stringValue }

  /// The correct labels: the defect's, and equally good ones; nil means healthy.
  var accepted: Set<String?> { Self.accepted(truth) }

  /// The same with a second capture, of training data; nil without one.
  var acceptedWithTraining: Set<String?>? {
    guard FileManager.default.fileExists(atPath: path("train.safetensors")) else { return nil }
    return truth["with_train"].map(Self.accepted)
  }

  private static func accepted(_ truth: JSON) -> Set<String?> {
    Set([truth["defect"]?.stringValue] + (truth["accept"]?.arrayValue ?? []).map(\.stringValue))
  }

  var layers: Set<String> {
    Set((truth["layers"]?.arrayValue ?? []).compactMap(\.stringValue))
  }

  /// The channels of each layer for which channels are known.
  var channels: [String: [Int]] {
    var channels: [String: [Int]] = [:]
    for (name, list) in truth["channels"]?.objectValue ?? [] {
      channels[name] = (list.arrayValue ?? []).compactMap(\.intValue).sorted()
    }
    return channels
  }

  func diagnosisWithTraining() throws -> Diagnosis {
    (try NetworkCapture(contentsOf: path("capture.safetensors"))).diagnosis(
      training: try NetworkCapture(contentsOf: path("train.safetensors")))
  }

  func diagnosis() throws -> Diagnosis {
    guard let description else {
      return (try NetworkCapture(contentsOf: path("capture.safetensors"))).diagnosis()
    }
    let network = try DoctorNetwork(description)
    let state = try SafeTensors(contentsOf: path("model.safetensors")).tensors()
    // Tensors missing from a checkpoint keep their initial values, which is one of the defects to
    // find.
    let report = try network.load(state, strict: false)
    if !report.unexpected.isEmpty {
      let names = report.unexpected.joined(separator: ", ")
      throw CaseObstacle.unreadable("the network has no \(names)")
    }
    let batch = try Tensor(npy: path("batch.npy"))
    let training = description["training"]
    return try catchingTensorErrors {
      network.diagnosis(
        on: batch, batches: training?["batches"]?.intValue,
        batchSize: training?["batch_size"]?.intValue)
    }
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private static func json(_ file: URL) throws -> JSON {
    try JSON.parse([UInt8](Data(contentsOf: file)))
  }
}

/// Diagnoses every network in a folder and compares all findings with the known defects.
///
/// A case counts twice: for the defect, and, as `NAME/layers`, for the layers and channels of its
/// finding, if some are known. `NAME/train` is the diagnosis with a second capture, of training
/// data, if there is one. The first finding must be the defect or an equally good label, and no
/// other finding may be more than a note. A healthy network may get notes. A folder without cases
/// is a failure.
///
/// - Parameter isVerbose: whether to print each diagnosis.
/// - Throws: if the folder cannot be read; a broken case is a failure in the report.
public func runDoctorCases(
  in folder: String, isVerbose: Bool = false, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  try CaseFolders(in: folder).report(isWanted: isWanted) { folder, report in
    let name = folder.lastPathComponent
    var found: (item: DoctorCase, diagnosis: Diagnosis)?
    report.record(name, operation: "diagnose") {
      let item = try DoctorCase(folder: folder)
      let diagnosis = try item.diagnosis()
      found = (item, diagnosis)
      if isVerbose { print("== \(name)\n\(diagnosis)\n") }
      return complaint(item, item.accepted, diagnosis)
    }
    if let (item, _) = found, let accepted = item.acceptedWithTraining {
      report.record("\(name)/train", operation: "diagnose") {
        let diagnosis = try item.diagnosisWithTraining()
        if isVerbose { print("== \(name) with data of training\n\(diagnosis)\n") }
        return complaint(item, accepted, diagnosis)
      }
    }
    guard let (item, diagnosis) = found, !item.layers.isEmpty else { return }
    report.record("\(name)/layers", operation: "diagnose") {
      let own = diagnosis.findings.first { $0.defect.rawValue == item.defect }
      return placesComplaint(item, own ?? diagnosis.findings.first)
    }
  }
}

/// What is wrong with the findings, or nil.
private func complaint(
  _ item: DoctorCase, _ accepted: Set<String?>, _ diagnosis: Diagnosis
) -> String? {
  let findings = diagnosis.findings
  let isRight = { (finding: DefectFinding) in accepted.contains(finding.defect.rawValue) }
  let isFirstRight =
    findings.first.map { isRight($0) || item.defect == nil && $0.severity == .note }
    ?? accepted.contains(nil)
  let others = findings.filter { !isRight($0) && $0.severity != .note }
  if isFirstRight && others.isEmpty { return nil }
  let names = findings.map { "\($0.defect.rawValue) (\($0.severity.rawValue))" }
  return "found \(names), known is \(item.defect ?? "nothing")"
}

/// What is wrong with the layers and channels of a finding, or nil.
private func placesComplaint(_ item: DoctorCase, _ finding: DefectFinding?) -> String? {
  let layers = Set(finding?.layers ?? [])
  guard layers == item.layers else {
    return "found \(layers.sorted()), known are \(item.layers.sorted())"
  }
  let channels = (finding?.channels ?? [:]).mapValues { $0.sorted() }
  guard item.channels.isEmpty || channels == item.channels else {
    return "found channels \(channels), known are \(item.channels)"
  }
  return nil
}
