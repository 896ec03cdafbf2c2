import Foundation
import NormaFiles
import NormaTensor

/// Runs the recorded PyTorch calls in a folder for which Norma has the operation.
///
/// The folder contains a `manifest.json` and, for each entry, a `.json` and a `.safetensors` file.
/// A case passes if shapes, types, integers and Booleans are equal and real numbers are no worse
/// than PyTorch's own. An error case passes if Norma rejects the call too, at run time or because
/// Swift's compiler would.
///
/// - Parameter isWanted: Whether to run the entry with a name, such as `sum`.
/// - Throws: if the manifest cannot be read; a broken entry is a failure in the report.
public func runTorchCases(
  in folder: String, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  let manifest = try readJSON(folder + "/manifest.json")
  guard let entries = manifest["entries"]?.arrayValue else {
    throw CaseObstacle.unreadable("manifest.json has no entries")
  }
  var report = ConformanceReport()
  for entry in entries {
    guard let name = entry["name"]?.stringValue, isWanted(name) else { continue }
    do {
      report.add(try TorchEntry(entry, name: name, folder: folder).run())
    } catch {
      report.record(name, operation: name) { throw error }
    }
  }
  return report
}

/// The JSON value in a file.
func readJSON(_ path: String) throws -> JSON {
  guard let data = FileManager.default.contents(atPath: path) else {
    throw CaseObstacle.unreadable("\(path) cannot be read")
  }
  return try JSON.parse([UInt8](data))
}

/// All cases of one operation or module.
private struct TorchEntry {
  let name: String
  let isModule: Bool
  let cases: [JSON]
  let errorCases: [JSON]
  let decoder: CaseDecoder

  init(_ entry: JSON, name: String, folder: String) throws {
    guard let json = entry["json"]?.stringValue, let data = entry["data"]?.stringValue else {
      throw CaseObstacle.unreadable("the manifest names no files")
    }
    let content = try readJSON("\(folder)/\(json)")
    self.name = name
    isModule = entry["kind"]?.stringValue == "module"
    cases = content["cases"]?.arrayValue ?? []
    errorCases = content["error_cases"]?.arrayValue ?? []
    decoder = CaseDecoder(tensors: try SafeTensors(contentsOf: "\(folder)/\(data)"))
  }

  func run() -> ConformanceReport {
    var report = ConformanceReport()
    guard isModule ? modules[name] != nil : operations[name] != nil else {
      report.missing(name, cases: cases.count + errorCases.count)
      return report
    }
    for (index, recorded) in cases.enumerated() {
      let id = recorded["id"]?.stringValue ?? "\(name)#\(index)"
      report.record(id, operation: name) {
        try isModule ? checkModule(recorded) : checkOperation(recorded)
      }
    }
    for (index, recorded) in errorCases.enumerated() {
      report.record("\(name) error#\(index)", operation: name) { try checkRefusal(recorded) }
    }
    return report
  }

  private func arguments(
    _ recorded: JSON, _ args: String = "args", _ kwargs: String = "kwargs"
  ) throws -> CaseArguments {
    let named = recorded[kwargs]?.objectValue ?? []
    return CaseArguments(
      try (recorded[args]?.arrayValue ?? []).map(decoder.value),
      Dictionary(
        uniqueKeysWithValues: try named.map { ($0.key, try decoder.value($0.value)) }))
  }

  private func checkOperation(_ recorded: JSON) throws -> String? {
    decoder.forgetLeaves()
    let arguments = try arguments(recorded)
    let outputs = try perform(operations[name], arguments)
    return try compareOutputs(outputs, with: recorded)
      ?? compareNamed(arguments.mutated, with: recorded, recordedIn: "mutated", prefix: "mut.")
      ?? compareGradients(of: outputs, with: recorded) { _ in nil }
  }

  private func checkModule(_ recorded: JSON) throws -> String? {
    decoder.forgetLeaves()
    let module = try makeModule(recorded)
    let outputs = try perform(module.call, try arguments(recorded))
    return try compareOutputs(outputs, with: recorded)
      ?? compareNamed(module.state(), with: recorded, recordedIn: "state_after", prefix: "after.")
      ?? compareGradients(of: outputs, with: recorded, parameter: module.gradient)
  }

  /// Propagates the recorded gradients of the outputs backward, and compares the resulting
  /// gradients.
  private func compareGradients(
    of outputs: [Tensor], with recorded: JSON, parameter: (String) -> Tensor?
  ) throws -> String? {
    let wanted = recorded["grads_f32"]?.objectValue ?? []
    if wanted.isEmpty { return nil }
    for (index, key) in recorded["cotangents"]?.objectValue ?? [] {
      guard let key = key.stringValue, let index = Int(index), outputs.indices.contains(index)
      else { continue }
      // An output that depends on nothing has no gradient, as in PyTorch.
      guard outputs[index].hasHistory else { return "gradient: out.\(index) has no history" }
      let cotangent = try decoder.tensor(key)
      try catchingTensorErrors {
        outputs[index].backward(upstream: cotangent, retainGraph: true)
      }
    }
    var actual = StateDict()
    for (name, _) in wanted {
      let gradient =
        name.hasPrefix("param.")
        ? parameter(String(name.dropFirst(6)))
        : decoder.leaves[name].map { $0.grad ?? .zeros($0.shape) }
      actual[name] = gradient
    }
    return try compareNamed(actual, with: recorded, recordedIn: "grads", prefix: "grad.")
  }

  /// Creates the module of a case, with its state and in its mode.
  private func makeModule(_ recorded: JSON) throws -> CaseModule {
    let arguments = try arguments(recorded, "ctor_args", "ctor_kwargs")
    guard let make = modules[name] else { throw CaseObstacle.unsupported("") }
    let module = try make(arguments)
    if let unread = arguments.unread { throw CaseObstacle.unsupported(unread) }
    for (key, form) in recorded["state"]?.objectValue ?? [] {
      guard case .tensor(let tensor) = try decoder.value(form) else { continue }
      try module.load(key, tensor)
    }
    module.setTraining(recorded["training"]?.boolValue ?? true)
    return module
  }

  private func perform(
    _ operation: ((CaseArguments) throws -> [Tensor])?, _ arguments: CaseArguments
  ) throws -> [Tensor] {
    guard let operation else { throw CaseObstacle.unsupported("") }
    let outputs = try catchingTensorErrors {
      let outputs = try operation(arguments).map { $0.evaluated() }
      arguments.mutated = arguments.mutated.evaluated()
      return outputs
    }
    if let unread = arguments.unread { throw CaseObstacle.unsupported(unread) }
    return outputs
  }

  /// A complaint if Norma accepts what PyTorch rejects.
  private func checkRefusal(_ recorded: JSON) throws -> String? {
    do {
      if isModule {
        let module = try catchingTensorErrors { try makeModule(recorded) }
        _ = try perform(module.call, try arguments(recorded))
      } else {
        _ = try perform(operations[name], try arguments(recorded))
      }
    } catch is TensorError {
      return nil
    } catch CaseObstacle.notWritable {
      return nil
    }
    return "is not refused; PyTorch: \(recorded["raised"]?["message"]?.stringValue ?? "")"
  }

  private func compareOutputs(_ outputs: [Tensor], with recorded: JSON) throws -> String? {
    let wanted = recorded["outputs_f32"]?.arrayValue ?? []
    if outputs.count != wanted.count {
      return "\(outputs.count) results instead of \(wanted.count)"
    }
    for (index, form) in wanted.enumerated() {
      guard let key = form["tensor"]?.stringValue else {
        throw CaseObstacle.unsupported("a result that is no tensor")
      }
      let truth = recorded["outputs_f64"]?[index]?["tensor"]?.stringValue
      let name = "out.\(index)"
      if let complaint = try expected(key, truth: truth, name: name, in: recorded)
        .complaint(about: outputs[index])
      {
        return "\(name): \(complaint)"
      }
    }
    return nil
  }

  private func compareNamed(
    _ actual: StateDict, with recorded: JSON, recordedIn member: String, prefix: String
  ) throws -> String? {
    for (name, key) in recorded[member + "_f32"]?.objectValue ?? [] {
      guard let key = key.stringValue else { continue }
      guard let tensor = actual[name] else { return "\(prefix)\(name) is not there" }
      let truth = recorded[member + "_f64"]?[name]?.stringValue
      let expected = try expected(key, truth: truth, name: prefix + name, in: recorded)
      if let complaint = expected.complaint(about: tensor) {
        return "\(prefix)\(name): \(complaint)"
      }
    }
    return nil
  }

  private func expected(
    _ key: String, truth: String?, name: String, in recorded: JSON
  ) throws -> ExpectedTensor {
    ExpectedTensor(
      recorded: try decoder.tensor(key),
      truth: try truth.map(decoder.tensor),
      ownError: recorded["f32_vs_f64"]?[name]?["max_abs"]?.number ?? 0)
  }
}
