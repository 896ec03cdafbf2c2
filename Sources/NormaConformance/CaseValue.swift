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
  /// A form that no operation here takes.
  case other(String)
}

/// Why a recorded call was not made; none of these is a fault of a result.
enum CaseObstacle: Error {
  /// Norma has no such operation, option or type.
  case unsupported(String)
  /// Swift's compiler refuses such a call: a number where a tensor stands, and the like.
  case notWritable(String)
  /// The recorded case itself cannot be read.
  case unreadable(String)
}

/// Turns the JSON forms of a case into values; its tensors lie in a safetensors file beside it.
///
/// A tensor that PyTorch differentiated by begins a graph here too, and is noted in `leaves` by the
/// name of its gradient: `in.0`, `kw.weight`.
final class CaseDecoder {
  let tensors: SafeTensors
  private(set) var leaves: [String: Tensor] = [:]

  init(tensors: SafeTensors) { self.tensors = tensors }

  /// Forgets the leaves of the last case.
  func forgetLeaves() { leaves = [:] }

  /// The tensor of this key, contiguous.
  func tensor(_ key: String) throws -> Tensor {
    guard let entry = tensors.entries.first(where: { $0.name == key }) else {
      throw CaseObstacle.unreadable("no tensor \(key)")
    }
    guard entry.dtype != nil else { throw CaseObstacle.unsupported("dtype \(entry.dtypeName)") }
    return try tensors.tensor(named: key)
  }

  /// The value that a JSON form stands for.
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
  /// A number, also where it is written as the text `inf` or `nan`.
  var number: Double? { doubleValue ?? stringValue.flatMap { Double($0) } }
}
