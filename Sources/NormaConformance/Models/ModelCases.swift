import Foundation
import NormaFiles
import NormaNN
import NormaTensor

/// Runs the models that a folder's manifest.json lists: `cases`, `light` and `zoo`.
///
/// A model counts several times: `NAME/file` for the hash of its file, `NAME/tensors` for names,
/// types, shapes and bytes of its tensors, `NAME/call N` for every recorded call within its
/// tolerance, `NAME/decision` for the meaning of the answer, `NAME/gradients` and `NAME/buffers`
/// for those of one call, and `NAME/refused`.
///
/// - Parameters:
///   - folder: A folder with manifest.json, the recorded tensors, and the files of `zoo`.
///   - packages: Folders of the packages' wheels, or of unpacked ones; without any, only `zoo` is
///     read.
///   - isVerbose: Whether to print errors of calls, and each refusal.
/// - Throws: if the manifest cannot be read; a broken case is a failure in the report.
public func runModelCases(
  in folder: String, packages: [String], isVerbose: Bool = false,
  isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  let manifest = try readJSON(folder + "/manifest.json")
  let files = ModelFiles(packages)
  var report = try runZooCases(in: folder, isVerbose: isVerbose, isWanted: isWanted)
  for json in manifest["cases"]?.arrayValue ?? [] {
    let name = json["name"]?.stringValue ?? "a case without a name"
    guard isWanted(name) else { continue }
    do {
      let item = try ModelCase(json, in: folder)
      if packages.isEmpty {
        report.missing("models without --wheels")
      } else if let path = try files.path(of: item.file) {
        ModelRun(item: item, path: path, isVerbose: isVerbose).add(to: &report)
      } else {
        report.record(name, operation: name) { "no wheel has \(item.file) (\(item.package))" }
      }
    } catch {
      report.record(name, operation: name) { throw error }
    }
  }
  for json in manifest["light"]?.arrayValue ?? [] {
    let name = json["name"]?.stringValue ?? "a light model without a name"
    guard isWanted(name) else { continue }
    report.record(name, operation: "light models") {
      guard let check = ModelLoaders.light else { throw CaseObstacle.unsupported("") }
      guard let model = json["file"]?.stringValue, let output = json["output"]?.stringValue else {
        throw CaseObstacle.unreadable("no file or output")
      }
      guard let model = try files.path(of: model), let output = try files.path(of: output) else {
        throw CaseObstacle.unsupported("the package onnx among --wheels")
      }
      return try check(json, model, output)
    }
  }
  return report
}

/// The checks of one model.
private struct ModelRun {
  let item: ModelCase
  let path: String
  let isVerbose: Bool

  func add(to report: inout ConformanceReport) {
    report.record("\(item.name)/file", operation: "file") { try fileComplaint() }
    if !item.tensors.isEmpty {
      report.record("\(item.name)/tensors", operation: "tensors") { try tensorsComplaint() }
    }
    if item.split == "refuse" {
      report.record("\(item.name)/refused", operation: "refusal") { try refusalComplaint() }
    }
    if item.calls.isEmpty { return }
    guard let loader = ModelLoaders.loader(for: item) else {
      report.missing("calls of \(item.format) models", cases: item.calls.count)
      return
    }
    var model: (any LoadedModel)?
    report.record("\(item.name)/load", operation: item.name) {
      model = try loader(item, path)
      return nil
    }
    guard let model else { return }
    var outputs: [[String: Tensor]] = []
    for index in item.calls.indices {
      report.record("\(item.name)/call \(index)", operation: item.name) {
        let inputs = try item.inputs(of: index, after: outputs.last ?? [:])
        let found = try catchingTensorErrors { try model.outputs(for: inputs) }
        outputs.append(found)
        return try outputComplaint(found, index)
      }
    }
    for decision in item.decisions {
      report.record("\(item.name)/decision", operation: decision.rule) {
        try decision.value
          == ModelDecision.value(
            decision.rule, outputs: outputs.last ?? [:], of: item, notes: model.notes)
          ? nil : "another answer than \(decision.value.text())"
      }
    }
    if let mode = item.gradientMode {
      ModelGradients(item: item, model: model, isTraining: mode == "train").add(to: &report)
    }
  }

  private func fileComplaint() throws -> String? {
    guard let data = FileManager.default.contents(atPath: path) else { return "cannot be read" }
    if let byteCount = item.byteCount, byteCount != data.count {
      return "\(data.count) bytes instead of \(byteCount)"
    }
    return item.hash.map { $0 == SHA256.hex([UInt8](data)) } ?? true ? nil : "has other bytes"
  }

  private func tensorsComplaint() throws -> String? {
    switch item.format {
    case "pt": try RecordedTensors(item.tensors).complaint(about: PyTorchFile(contentsOf: path))
    case "safetensors":
      try RecordedTensors(item.tensors).complaint(about: SafeTensors(contentsOf: path))
    default: throw CaseObstacle.unsupported(item.format)
    }
  }

  /// A format without a loader must be refused with an advice; a model that a loader runs in spite
  /// of the manifest is more than it asks for.
  private func refusalComplaint() throws -> String? {
    do {
      if let loader = ModelLoaders.loader(for: item) {
        _ = try loader(item, path)
        if isVerbose { print("\(item.name) is not refused but runs") }
        return nil
      }
      let state = try StateFile(contentsOf: path)
      return "it was opened and has \(state.keys.count) tensors"
    } catch {
      if isVerbose { print(error) }
      if let error = error as? FileError, error.kind != .unsupported {
        return "it was refused as \(error.kind): \(error)"
      }
      return nil
    }
  }

  private func outputComplaint(_ found: [String: Tensor], _ index: Int) throws -> String? {
    for (name, tolerance) in item.calls[index].outputs {
      guard let actual = found[name] else {
        return "no output \(name), but \(found.keys.sorted().joined(separator: ", "))"
      }
      let truth = try item.tensor("\(index)/out.\(name)")
      let bound = ErrorBound(truth: truth, bound: tolerance)
      if isVerbose {
        print("\(item.name) \(index) \(name): \(bound.error(of: actual)) <= \(tolerance)")
      }
      if let complaint = bound.complaint(about: actual) { return "\(name): \(complaint)" }
    }
    return nil
  }
}
