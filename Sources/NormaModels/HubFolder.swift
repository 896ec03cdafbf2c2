import Foundation
import NormaFiles
import NormaTensor

/// A folder of a model as Hugging Face's programs write it.
struct HubFolder {
  let path: String

  init(_ path: String) { self.path = path }

  /// All tensors of the weights, in one file or in several with an index.
  func state() throws -> StateDict {
    let names = [
      "model.safetensors", "model.safetensors.index.json", "pytorch_model.bin",
      "pytorch_model.bin.index.json",
    ]
    for name in names where FileManager.default.fileExists(atPath: "\(path)/\(name)") {
      if name == names[3] { return try shards("\(path)/\(name)") }
      return try StateFile(contentsOf: "\(path)/\(name)").tensors()
    }
    throw FileError(
      kind: .missing, operation: "init(contentsOf:)", path: path, problem: "has no weights",
      detail: "expected \(names.joined(separator: " or "))")
  }

  /// The tensors of the files that an index of pickles names; all lie beside it.
  private func shards(_ index: String) throws -> StateDict {
    let operation = "init(contentsOf:)"
    let map = try readJSON(index, operation: operation)["weight_map"]?.objectValue ?? []
    var all = StateDict()
    let owners = Dictionary(map.map { ($0.0, $0.1.stringValue ?? "") }) { $1 }
    for name in Set(owners.values).sorted() {
      guard name.hasSuffix(".bin"), !name.contains("/") else {
        throw FileError(
          kind: .unsupported, operation: operation, path: index,
          problem: "names a file outside of its folder, or of another kind", detail: quoted(name))
      }
      for (key, tensor) in try StateFile(contentsOf: "\(path)/\(name)").tensors()
      where owners[key] == name {
        all[key] = tensor
      }
    }
    if let lost = owners.keys.filter({ all[$0] == nil }).min() {
      throw FileError(
        kind: .malformed, operation: operation, path: index, problem: "has a damaged index",
        detail: "no file has the tensor \(quoted(lost))")
    }
    return all
  }

  /// The content of `config.json`.
  func config() throws -> HubConfig { try HubConfig("\(path)/config.json") }
}

/// The options of a model in a JSON file.
struct HubConfig {
  let path: String
  let json: JSON

  init(_ path: String) throws {
    self.path = path
    json = try readJSON(path, operation: "init(contentsOf:)")
  }

  func integer(_ key: String) throws -> Int {
    guard let value = json[key]?.intValue, value > 0 else {
      throw refusal("\(key) is not a positive integer")
    }
    return value
  }

  func number(_ key: String) -> Double? { json[key]?.doubleValue }

  /// Refuses other values of an option than those that are implemented.
  func require(_ key: String, among known: [String]) throws {
    guard let value = json[key]?.stringValue, !known.contains(value) else { return }
    throw FileError(
      kind: .unsupported, operation: "init(contentsOf:)", path: path,
      problem: "has \(key) \(value)", detail: "supported: \(known.joined(separator: ", "))")
  }

  func refusal(_ detail: String) -> FileError {
    FileError(
      kind: .malformed, operation: "init(contentsOf:)", path: path,
      problem: "does not describe a model", detail: detail)
  }
}

/// The JSON value in a file.
func readJSON(_ path: String, operation: String) throws -> JSON {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw FileError(
      kind: .system, operation: operation, path: path, problem: "cannot be read",
      detail: "there is no such file, or no permission")
  }
  do {
    return try JSON.parse([UInt8](data))
  } catch {
    throw FileError(
      kind: .malformed, operation: operation, path: path, problem: "is not JSON",
      detail: "\(error)")
  }
}
