import Foundation
import NormaExplain
import NormaFiles
import NormaNN
import NormaTensor

/// A trained network, a batch, and what is known to be wrong with it.
private struct DoctorCase {
  let folder: URL
  let description: JSON
  let truth: JSON

  init(folder: URL) throws {
    self.folder = folder
    description = try Self.json(folder.appendingPathComponent("arch.json"))
    truth = try Self.json(folder.appendingPathComponent("truth.json"))
  }

  /// The name of the defect; nil where the network is healthy.
  var defect: String? { truth["defect"]?.stringValue }

  var layers: Set<String> {
    Set((truth["layers"]?.arrayValue ?? []).compactMap(\.stringValue))
  }

  /// The channels of each layer that has some of its own.
  var channels: [String: [Int]] {
    var channels: [String: [Int]] = [:]
    for (name, list) in truth["channels"]?.objectValue ?? [] {
      channels[name] = (list.arrayValue ?? []).compactMap(\.intValue).sorted()
    }
    return channels
  }

  func diagnosis() throws -> Diagnosis {
    let network = try DoctorNetwork(description)
    let state = try SafeTensors(contentsOf: path("model.safetensors")).tensors()
    // What a checkpoint lacks keeps its first values: that is one of the things to find.
    try network.load(state, strict: false)
    let batch = try Tensor(npy: path("batch.npy"))
    let training = description["training"]
    return try catchingTensorErrors {
      diagnose(
        network, batch, batches: training?["batches"]?.intValue,
        batchSize: training?["batch_size"]?.intValue)
    }
  }

  private func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

  private static func json(_ file: URL) throws -> JSON {
    try JSON.parse([UInt8](Data(contentsOf: file)))
  }
}

/// Diagnoses every network in a folder and compares the first finding with what is known.
///
/// A case counts twice: for the defect (a healthy network must get none), and, as `NAME/layers`, for
/// the layers and channels that it names, where some are known.
///
/// - Parameter isVerbose: whether to print each diagnosis.
/// - Throws: when the folder cannot be read; a broken case is a failure in the report.
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
      let names = diagnosis.findings.map(\.defect.rawValue)
      return names.first == item.defect
        ? nil : "found \(names), known is \(item.defect ?? "nothing")"
    }
    guard let (item, diagnosis) = found, !item.layers.isEmpty else { return }
    report.record("\(name)/layers", operation: "diagnose") {
      placesComplaint(item, diagnosis.findings.first)
    }
  }
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
