import NormaFiles
import NormaTensor

extension Tensor {
  /// Reads a file with one serialized `TensorProto` (`.pb`), as ONNX's own test cases have them.
  ///
  /// - Throws: `FileError` if the file cannot be read, or holds an element type that tensors do not
  ///   have. Python: `onnx.numpy_helper.to_array(onnx.load_tensor(path))`.
  public init(onnx path: String) throws {
    let file = try InputFile(path: path, operation: "Tensor(onnx:)")
    self = try TensorProto(WireReader(WireSource(file))).tensor(in: nil)
  }
}
