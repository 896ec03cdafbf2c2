import ArgumentParser
import Norma
import NormaONNX

/// Files as inputs of an ONNX model.
enum ModelInputs {
  /// `x=file.npy` as its name and its file.
  static func pair(_ text: String) throws -> (name: String, path: String) {
    guard let equals = text.lastIndex(of: "="), equals != text.startIndex,
      text.index(after: equals) != text.endIndex
    else {
      throw ValidationError("--input \(text): a name and a file are expected, as x=file.npy.")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }

  /// The tensors of `--input`, by name.
  static func read(
    _ pairs: [(name: String, path: String)], for model: ONNXModel
  ) throws -> [String: Tensor] {
    var values: [String: Tensor] = [:]
    for (name, path) in pairs {
      if values[name] != nil { throw ValidationError("--input \(name) is given twice.") }
      let tensor = try Tensor(contentsOf: path)
      values[name] = fitted(tensor, to: model.inputs.first { $0.name == name })
    }
    return values
  }

  /// The tensors of each call, where inputs may have several files: one, or one for each call.
  static func calls(
    _ pairs: [(name: String, path: String)], for model: ONNXModel
  ) throws -> [[String: Tensor]] {
    let files = Dictionary(grouping: pairs, by: \.name)
    let count = files.values.map(\.count).max() ?? 1
    if let (name, some) = files.first(where: { $1.count != 1 && $1.count != count }) {
      throw ValidationError(
        "--input \(name) has \(some.count) files and another input \(count); give one, or as many.")
    }
    return try (0..<count).map { call in
      try read(files.values.map { $0[$0.count == 1 ? 0 : call] }, for: model)
    }
  }

  /// The tensor in the model's type, if that is of the same kind.
  static func fitted(_ tensor: Tensor, to input: ONNXValue?) -> Tensor {
    guard let dtype = input?.dtype, dtype != tensor.dtype else { return tensor }
    let isSameKind =
      dtype.isFloatingPoint && tensor.dtype.isFloatingPoint
      || dtype.isInteger && tensor.dtype.isInteger
    return isSameKind ? tensor.cast(to: dtype) : tensor
  }
}
