import Foundation
import NormaFiles
import NormaTensor

/// Reads every PyTorch file that a folder's manifest.json lists under `zoo`.
///
/// `open`: every tensor has the recorded name, type, shape and exact bytes, and there are no
/// others. `partial`: some tensors are entries with a reason, and the others can be read. `refuse`:
/// a `FileError`, which names the global that would run code if one is recorded.
///
/// - Parameter isVerbose: whether to print the result for each file.
/// - Throws: if the manifest cannot be read; a broken case is a failure in the report.
public func runZooCases(
  in folder: String, isVerbose: Bool = false, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  let folder = URL(fileURLWithPath: folder)
  let manifest = try JSON.parse(
    [UInt8](Data(contentsOf: folder.appendingPathComponent("manifest.json"))))
  var report = ConformanceReport()
  let cases = manifest["zoo"]?.arrayValue ?? []
  if cases.isEmpty { report.record("zoo", operation: "zoo") { "the manifest lists no files" } }
  for item in cases {
    let name = item["file"]?.stringValue ?? "a case without a file"
    guard isWanted(name) else { continue }
    report.record(name, operation: "zoo") {
      let path = folder.appendingPathComponent(name).path
      guard FileManager.default.fileExists(atPath: path) else { return "the file is missing" }
      return try complaint(about: item, path, isVerbose: isVerbose)
    }
  }
  return report
}

/// What is wrong with how a file was read, or nil.
private func complaint(about item: JSON, _ path: String, isVerbose: Bool) throws -> String? {
  let file: PyTorchFile
  do {
    file = try PyTorchFile(contentsOf: path)
  } catch let error as FileError {
    if isVerbose { print(error) }
    guard item["expect"]?.stringValue == "refuse" else { return "\(error)" }
    let name = item["because"]?.stringValue?.firstMatch(of: /global ([\w.]+):/)?.1
    return name.map { error.description.contains($0) } ?? true
      ? nil : "the error does not name \(name ?? ""): \(error)"
  }
  if isVerbose {
    for entry in file.entries {
      print(path, entry.name, entry.dtypeName, entry.shape, entry.reason ?? "", separator: "  ")
    }
  }
  switch item["expect"]?.stringValue {
  case "open":
    if let entry = file.entries.first(where: { $0.reason != nil }) {
      return "\(entry.name) cannot be read: \(entry.reason ?? "")"
    }
    _ = try file.tensors()
    // A file without a list only has to open.
    let known = item["tensors"]?.arrayValue ?? []
    return known.isEmpty ? nil : try RecordedTensors(known).complaint(about: file)
  case "partial":
    _ = try file.tensors()
    let readable = file.entries.count { $0.reason == nil }
    return readable > 0 && readable < file.entries.count
      ? nil : "\(readable) of \(file.entries.count) tensors can be read"
  default: return "it was opened and has \(file.keys)"
  }
}
