import Foundation
import NormaFiles
import NormaTensor

/// A third-party model with recorded calls, as a manifest describes it.
struct ModelCase {
  /// A recorded call: the inputs, and how exact each output has to be.
  struct Call {
    /// The names of the inputs; the value is the output of the previous call that is fed back, or
    /// nil for a recorded tensor.
    let inputs: [(name: String, fedBack: String?)]
    let outputs: [(name: String, tolerance: Double)]
    /// The shapes of inputs, by name; scalars are recorded with one axis.
    let shapes: [String: [Int]]
  }

  let name: String
  /// `visible`, `visible-extra` or `refuse`.
  let split: String
  /// `onnx`, `pt`, `safetensors`, `jit` or `h5`.
  let format: String
  /// The path inside the package.
  let file: String
  /// `silero-vad==6.2.3`.
  let package: String
  let byteCount: Int?
  let hash: String?
  let calls: [Call]
  /// `eval` or `train` if gradients are recorded, or nil.
  let gradientMode: String?
  /// Names, types, shapes and hashes of all tensors in the file; empty if none are recorded.
  let tensors: [JSON]
  /// What the answers mean, by rule.
  let decisions: [(rule: String, value: JSON)]
  /// The recorded inputs and outputs.
  private let data: SafeTensors?

  init(_ json: JSON, in folder: String) throws {
    func text(_ key: String) throws -> String {
      guard let value = json[key]?.stringValue else {
        throw CaseObstacle.unreadable("the case has no \(key)")
      }
      return value
    }
    name = try text("name")
    split = try text("split")
    format = try text("format")
    file = try text("file")
    package = json["package"]?.stringValue ?? ""
    byteCount = json["model_bytes"]?.intValue
    hash = json["model_sha256"]?.stringValue
    calls = (json["calls"]?.arrayValue ?? []).map(Call.init)
    let mode = json["gradients"]?.stringValue
    gradientMode = mode == "none" ? nil : mode
    tensors = json["tensors"]?.arrayValue ?? []
    decisions = (json["decision"]?.objectValue ?? []).map { ($0.key, $0.value) }
    data = try json["data"]?.stringValue.map { try SafeTensors(contentsOf: "\(folder)/\($0)") }
  }

  /// A recorded tensor, such as `0/in.x`.
  func tensor(_ key: String) throws -> Tensor {
    guard let data else { throw CaseObstacle.unreadable("the case has no data") }
    return try data.tensor(named: key)
  }

  /// The recorded names that start with a prefix, without it and a last `.f64`.
  func names(after prefix: String) -> [String] {
    (data?.keys ?? []).filter { $0.hasPrefix(prefix) && $0.hasSuffix(".f64") }
      .map { String($0.dropFirst(prefix.count).dropLast(4)) }.sorted()
  }

  /// The inputs of a call, with the outputs of the previous one where they are fed back.
  func inputs(of index: Int, after previous: [String: Tensor]) throws -> [String: Tensor] {
    var result: [String: Tensor] = [:]
    for (name, fedBack) in calls[index].inputs {
      if let fedBack {
        guard let value = previous[fedBack] else {
          throw CaseObstacle.unreadable("no earlier call has an output \(fedBack)")
        }
        result[name] = value
      } else {
        let value = try tensor("\(index)/in.\(name)")
        result[name] = value.reshaped(calls[index].shapes[name] ?? value.shape)
      }
    }
    return result
  }
}

extension ModelCase.Call {
  init(_ json: JSON) {
    let given = json["inputs"]?.objectValue ?? []
    inputs = given.map { ($0.key, $0.value["from_output"]?.stringValue) }
    outputs = (json["outputs"]?.arrayValue ?? []).map {
      ($0["name"]?.stringValue ?? "", $0["max_abs_tol"]?.doubleValue ?? 0)
    }
    var shapes: [String: [Int]] = [:]
    for (name, value) in given {
      shapes[name] = value["shape"]?.arrayValue?.compactMap(\.intValue)
    }
    self.shapes = shapes
  }
}
