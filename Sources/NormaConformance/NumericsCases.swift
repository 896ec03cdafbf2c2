import NormaFiles
import NormaNN
import NormaTensor

/// Compares statistics and normalization with exact arithmetic, on numerically difficult data.
///
/// The folder contains `numerics.json` and `numerics.safetensors`. A result must be no further from
/// the exact one than the larger of PyTorch's own error and 2 ulp.
///
/// - Throws: if a file cannot be read.
public func runNumericsCases(
  in folder: String, isWanted: (String) -> Bool = { _ in true }
) throws -> ConformanceReport {
  let cases = try readJSON(folder + "/numerics.json")["cases"]?.arrayValue ?? []
  let decoder = CaseDecoder(tensors: try SafeTensors(contentsOf: folder + "/numerics.safetensors"))
  var report = ConformanceReport()
  for json in cases {
    let recorded = NumericsCase(json: json, decoder: decoder)
    guard isWanted(recorded.name) else { continue }
    switch json["kind"]?.stringValue {
    case "vector":
      report.record(recorded.name, operation: "vector") { try recorded.checkVector() }
    case "norm": recorded.checkNorms(&report)
    case "special": recorded.checkSpecial(&report)
    case "bn_degenerate", "bn_shape":
      report.record(recorded.name, operation: "batch norm") { try recorded.checkBatchNorm() }
    case "thread":
      report.record(recorded.name, operation: "thread") { try recorded.checkThread() }
    case let kind: report.missing(kind ?? "a case without kind")
    }
  }
  return report
}

/// One case, with what its checks share.
struct NumericsCase {
  let json: JSON
  let decoder: CaseDecoder

  var name: String { json["name"]?.stringValue ?? "" }

  /// The tensor with this name in the file, or the result of the formula in `form`.
  func input(_ form: JSON?, shape: [Int], dtype: DType = .float32, named key: String) throws
    -> Tensor
  {
    let path = "\(name)/\(key)"
    if decoder.tensors.keys.contains(path) { return try decoder.tensor(path) }
    guard let form else { throw CaseObstacle.unreadable("no input \(key)") }
    let tensor = try generated(form, shape: shape).cast(to: dtype)
    if let recorded = form["xor32"]?.stringValue, tensor.xor32 != UInt32(recorded, radix: 16) {
      throw CaseObstacle.unreadable("the formula gave other bits than the recorded ones")
    }
    return tensor
  }

  private func generated(_ form: JSON, shape: [Int]) throws -> Tensor {
    let count = shape.reduce(1, *)
    switch form["formula"]?.stringValue {
    case "constant":
      return .full(shape, form["value"]?.number ?? .nan, dtype: .float64)
    case "gen":
      guard let mean = form["mean"]?.number, let std = form["std"]?.number,
        let seed = form["seed"]?.intValue
      else { throw CaseObstacle.unreadable("the formula has no mean, std or seed") }
      return Tensor(
        generatedInput(
          count: count, mean: mean, std: std, seed: UInt32(truncatingIfNeeded: seed)),
        shape: shape)
    default: throw CaseObstacle.unsupported("the formula")
    }
  }

  /// Compares a result with numbers: within `ulps` of each, with NaN and infinity equal; nil if it
  /// matches.
  func complaint(
    _ what: String, _ actual: Tensor, _ expected: [Double], ulps: Double = 2,
    atLeast bar: Double = 0
  ) -> String? {
    let values = actual.array(of: Double.self)
    if values.count != expected.count {
      return "\(what): \(values.count) values instead of \(expected.count)"
    }
    for (position, (value, truth)) in zip(values, expected).enumerated() {
      let rounded = Tensor(truth).cast(to: actual.dtype).item()
      if value == rounded || value.isNaN && truth.isNaN { continue }
      let error = (value - truth).magnitude
      if error <= max(bar, ulps * actual.dtype.ulp(at: truth)) { continue }
      let inUlps = error / actual.dtype.ulp(at: truth)
      return "\(what): \(value) instead of \(truth) at \(position), \(inUlps) ulp away"
    }
    return nil
  }

  /// What is wrong with a call that should be an error; nil if it is one.
  func refusal(_ body: () throws -> Tensor) throws -> String? {
    do {
      _ = try catchingTensorErrors { try body().evaluated() }
    } catch is TensorError {
      return nil
    }
    return "is not refused; PyTorch: \(json["message"]?.stringValue ?? "")"
  }
}

extension JSON {
  /// All elements as numbers, including `nan` and `inf` as text and Booleans; empty for anything
  /// else.
  var numbers: [Double] {
    arrayValue?.compactMap { $0.number ?? $0.boolValue.map { $0 ? 1 : 0 } } ?? []
  }

  /// All elements as integers; empty for anything else.
  var ints: [Int] { arrayValue?.compactMap(\.intValue) ?? [] }
}

extension Tensor {
  /// The exclusive or of all 32-bit words of the elements.
  fileprivate var xor32: UInt32 {
    withUnsafeBytes { $0.bindMemory(to: UInt32.self).reduce(0, ^) }
  }
}
