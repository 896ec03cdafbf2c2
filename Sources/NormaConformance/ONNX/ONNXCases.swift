import Foundation
import NormaFiles
import NormaONNX

/// Runs the ONNX standard's own cases: folders with a `model.onnx` beside `test_data_set_*` with
/// `input_*.pb` and `output_*.pb`, anywhere below a folder.
///
/// Integers, Booleans and shapes must be equal. Real numbers must be within rtol 1e-3 and atol
/// 1e-7, or what a `data.json` beside the model says, as in the standard's runner. For
/// `bfloat16`, whose steps are larger than rtol, 2 ulp are allowed, because its recorded numbers
/// were rounded after every step. The cases of `ONNXCase.inexact` are recorded less exactly.
///
/// - Throws: if the folder cannot be read; a broken case is a failure in the report.
public func runONNXCases(
  in folder: String, isVerbose: Bool = false, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  var report = ConformanceReport()
  for path in try modelFolders(in: folder) {
    let name = path.split(separator: "/").suffix(2).joined(separator: "/")
    guard isWanted(name) else { continue }
    report.record(name, operation: "ONNX") {
      let complaint = try ONNXCase(path: path).complaint()
      if isVerbose { print(name, complaint ?? "passed") }
      return complaint
    }
  }
  return report
}

/// The folders with a `model.onnx`, sorted.
private func modelFolders(in folder: String) throws -> [String] {
  let manager = FileManager.default
  var found: [String] = []
  func visit(_ path: String, _ depth: Int) throws {
    if manager.fileExists(atPath: path + "/model.onnx") { return found.append(path) }
    guard depth > 0 else { return }
    for name in try manager.contentsOfDirectory(atPath: path).sorted() {
      var isFolder: ObjCBool = false
      let inner = "\(path)/\(name)"
      if manager.fileExists(atPath: inner, isDirectory: &isFolder), isFolder.boolValue {
        try visit(inner, depth - 1)
      }
    }
  }
  try visit(URL(fileURLWithPath: folder).resolvingSymlinksInPath().path, 3)
  return found
}

extension ONNXModel {
  /// The results after two calls on other numbers: from the kernels that were recorded for those,
  /// wherever calls can be repeated.
  func resultsAfterOtherCalls(_ inputs: [Tensor]) throws -> [Tensor] {
    let other = inputs.map { $0.dtype.isFloatingPoint ? ($0 * 0.5).cast(to: $0.dtype) : $0 }
    for _ in 0..<2 { _ = try? callAsFunction(other) }
    return try callAsFunction(inputs)
  }
}

/// One model with its inputs and outputs.
private struct ONNXCase {
  let path: String

  /// Cases whose recorded numbers are wrong by up to 2 ulp of the largest one: those of the inverse
  /// transforms have 1.9e-7 where the exact result is 0, and those of the attentions were rounded
  /// to `float16` after every step.
  private static let inexact: Set<String> = [
    "test_dft_inverse", "test_dft_inverse_opset19", "test_attention_4d_causal_fp16",
    "test_attention_4d_causal_fp16_expanded",
  ]

  func complaint() throws -> String? {
    let model: ONNXModel
    do {
      model = try ONNXModel(contentsOf: path + "/model.onnx")
    } catch ONNXError.unsupported(_, let reasons) {
      // Which kind it is, without the name of the node.
      throw CaseObstacle.unsupported(
        reasons.map { $0.replacing(/\ \([^()]*\)$/, with: "") }.joined(separator: ", "))
    }
    model.eval()
    for set in try FileManager.default.contentsOfDirectory(atPath: path).sorted()
    where set.hasPrefix("test_data_set_") {
      if let complaint = try complaint(about: model, "\(path)/\(set)") { return complaint }
    }
    return nil
  }

  private func complaint(about model: ONNXModel, _ set: String) throws -> String? {
    let inputs = try tensors(set, "input")
    let wanted = try tensors(set, "output")
    let results = try withoutGradients { try model.resultsAfterOtherCalls(inputs) }
    guard results.count == wanted.count else {
      return "\(results.count) outputs instead of \(wanted.count)"
    }
    let (rtol, atol) = try tolerance()
    for (index, (result, expected)) in zip(results, wanted).enumerated() {
      let name = model.outputs[index].name
      // Random draws are another generator's: only their type and shape are the standard's.
      let isRandom =
        path.contains("bernoulli")
        || path.contains("training_dropout") && !path.contains("zero_ratio")
      if result.dtype != expected.dtype {
        return "\(name) is \(result.dtype) instead of \(expected.dtype)"
      }
      if result.shape != expected.shape {
        return "\(name) has shape \(result.shape) instead of \(expected.shape)"
      }
      if isRandom { continue }
      let (values, known) = (result.array(of: Double.self), expected.array(of: Double.self))
      let largest = known.lazy.map(\.magnitude).filter(\.isFinite).max() ?? 0
      let isInexact = Self.inexact.contains(URL(fileURLWithPath: path).lastPathComponent)
      for (position, (value, truth)) in zip(values, known).enumerated() {
        if value == truth || value.isNaN && truth.isNaN { continue }
        let isRounded = isInexact || expected.dtype == .bfloat16
        let rounding = isRounded ? 2 * expected.dtype.ulp(at: isInexact ? largest : truth) : 0
        let allowed = max(atol + rtol * truth.magnitude, rounding)
        if !expected.dtype.isFloatingPoint || !((value - truth).magnitude <= allowed) {
          return "\(name) has \(value) instead of \(truth) at \(position)"
        }
      }
    }
    return nil
  }

  private func tensors(_ set: String, _ kind: String) throws -> [Tensor] {
    var result: [Tensor] = []
    while FileManager.default.fileExists(atPath: "\(set)/\(kind)_\(result.count).pb") {
      do {
        result.append(try Tensor(onnx: "\(set)/\(kind)_\(result.count).pb"))
      } catch let error as FileError where error.kind == .unsupported {
        throw CaseObstacle.unsupported(error.problem)
      }
    }
    return result
  }

  private func tolerance() throws -> (relative: Double, absolute: Double) {
    let file = URL(fileURLWithPath: path + "/data.json")
    guard let data = try? Data(contentsOf: file) else { return (1e-3, 1e-7) }
    let options = try JSON.parse([UInt8](data))
    return (options["rtol"]?.doubleValue ?? 1e-3, options["atol"]?.doubleValue ?? 1e-7)
  }
}
