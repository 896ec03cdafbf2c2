import NormaFiles
import NormaTensor

/// One argument of a recorded call.
enum CaseValue {
  case none
  case bool(Bool)
  case int(Int)
  case double(Double)
  case text(String)
  case tensor(Tensor)
  /// A Python list.
  case list([CaseValue])
  case tuple([CaseValue])
  case dtype(String)
  case slice(start: Int?, stop: Int?, step: Int?)
  case ellipsis
  /// A form that no operation supports.
  case other(String)
}

/// Why a recorded call was not made; none of these is a wrong result.
enum CaseObstacle: Error {
  /// Norma has no such operation, option or type.
  case unsupported(String)
  /// Swift's compiler rejects such a call: a number instead of a tensor, and the like.
  case notWritable(String)
  /// The recorded case itself cannot be read.
  case unreadable(String)
}

/// Decodes the JSON forms of a case; its tensors are in a safetensors file next to it.
///
/// A tensor that PyTorch differentiated starts a graph here too, and is recorded in `leaves` under
/// the name of its gradient: `in.0`, `kw.weight`.
final class CaseDecoder {
  let tensors: SafeTensors
  private(set) var leaves: [String: Tensor] = [:]

  init(tensors: SafeTensors) { self.tensors = tensors }

  /// Clears the leaves of the last case.
  func forgetLeaves() { leaves = [:] }

  /// The tensor of this key, contiguous.
  func tensor(_ key: String) throws -> Tensor {
    guard let entry = tensors.entries.first(where: { $0.name == key }) else {
      throw CaseObstacle.unreadable("no tensor \(key)")
    }
    guard entry.dtype != nil else { throw CaseObstacle.unsupported("dtype \(entry.dtypeName)") }
    return try tensors.tensor(named: key)
  }

  /// The value of a JSON form.
  func value(_ json: JSON) throws -> CaseValue {
    switch json {
    case .null: return .none
    case .bool(let value): return .bool(value)
    case .int(let value): return .int(value)
    case .double(let value): return .double(value)
    case .string(let value): return .text(value)
    case .array(let elements): return .list(try elements.map(value))
    case .object(let members): return try object(json, keys: members.map(\.key))
    }
  }

  private func object(_ json: JSON, keys: [String]) throws -> CaseValue {
    if let key = json["tensor"]?.stringValue {
      let strides = json["strides"]?.arrayValue?.compactMap(\.intValue)
      let stored = try tensor(key)
      let tensor = try strides.map { try stored.laidOut(strides: $0) } ?? stored
      guard json["requires_grad"]?.boolValue == true, tensor.dtype.isFloatingPoint else {
        return .tensor(tensor)
      }
      let leaf = tensor.requiringGradient()
      leaves[String(key.drop { $0 != "/" }.dropFirst())] = leaf
      return .tensor(leaf)
    }
    if let elements = json["tuple"]?.arrayValue { return .tuple(try elements.map(value)) }
    if let elements = json["list"]?.arrayValue { return .list(try elements.map(value)) }
    if let name = json["dtype"]?.stringValue { return .dtype(name) }
    if let parts = json["slice"]?.arrayValue, parts.count == 3 {
      return .slice(start: parts[0].intValue, stop: parts[1].intValue, step: parts[2].intValue)
    }
    if json["ellipsis"] != nil { return .ellipsis }
    if let text = json["float"]?.stringValue, let number = Double(text) { return .double(number) }
    return .other(keys.joined(separator: ", "))
  }
}

extension JSON {
  /// A number, which may be written as the text `inf` or `nan`.
  var number: Double? { doubleValue ?? stringValue.flatMap { Double($0) } }
}
