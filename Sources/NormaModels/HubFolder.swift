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
      return try StateFile(contentsOf: "\(path)/\(name)").tensors()
    }
    throw FileError(
      kind: .missing, operation: "init(contentsOf:)", path: path, problem: "has no weights",
      detail: "expected \(names.joined(separator: " or "))")
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
  let file = try InputFile(path: path, operation: operation)
  do {
    return try JSON.parse(file.bytes(at: 0, count: file.size))
  } catch let error as JSONError {
    throw file.context.malformed("is not JSON", "\(error)")
  }
}
