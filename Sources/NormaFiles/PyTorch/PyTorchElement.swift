import NormaTensor

/// How PyTorch stores an element, and the type that it is read into.
struct PyTorchElement: Sendable {
  /// PyTorch's name of the type: `float32`.
  let name: String
  let byteCount: Int
  /// How it is read, or nil if tensors have no such element type.
  let format: ElementFormat?
  /// Why there is no format.
  let reason: String

  private init(_ dtype: DType) {
    self.init(dtype.description, dtype.byteCount, ElementFormat(dtype))
  }

  private init(_ name: String, _ byteCount: Int, _ format: ElementFormat?, _ reason: String = "") {
    (self.name, self.byteCount, self.format, self.reason) = (name, byteCount, format, reason)
  }

  /// Elements of an untyped storage.
  static let byte = PyTorchElement(.uint8)

  /// Elements that are not in the file, or of an unknown type.
  static func unknown(_ name: String, _ reason: String) -> PyTorchElement {
    PyTorchElement(name, 1, nil, reason)
  }

  /// The elements of `torch.float32` and the other types, by their names without `torch.`.
  static let named: [String: PyTorchElement] = {
    var result: [String: PyTorchElement] = [:]
    for dtype in DType.allCases { result[dtype.description] = PyTorchElement(dtype) }
    let complex = "complex numbers, which tensors do not support; save torch.view_as_real(x)"
    let quantized = "quantized numbers, which need dequantize() in PyTorch first"
    let narrow = "8-bit floating-point numbers, which tensors do not support; save x.bfloat16()"
    for element in [
      PyTorchElement("complex32", 4, nil, complex), PyTorchElement("complex64", 8, nil, complex),
      PyTorchElement("complex128", 16, nil, complex), PyTorchElement("qint8", 1, nil, quantized),
      PyTorchElement("quint8", 1, nil, quantized), PyTorchElement("qint32", 4, nil, quantized),
      PyTorchElement("quint4x2", 1, nil, quantized), PyTorchElement("quint2x4", 1, nil, quantized),
      PyTorchElement("float8_e4m3fn", 1, nil, narrow),
      PyTorchElement("float8_e5m2", 1, nil, narrow),
      PyTorchElement("float8_e4m3fnuz", 1, nil, narrow),
      PyTorchElement("float8_e5m2fnuz", 1, nil, narrow),
      PyTorchElement("float8_e8m0fnu", 1, nil, narrow),
      PyTorchElement("float4_e2m1fn_x2", 1, nil, "4-bit numbers, which tensors do not support"),
    ] { result[element.name] = element }
    for bits in 1...7 {
      for prefix in ["int", "uint"] {
        result["\(prefix)\(bits)"] = PyTorchElement(
          "\(prefix)\(bits)", 1, nil, "integers of \(bits) bits, which tensors do not support")
      }
    }
    // Types with two names in PyTorch.
    for (alias, name) in [
      ("double", "float64"), ("float", "float32"), ("half", "float16"), ("long", "int64"),
      ("int", "int32"), ("short", "int16"), ("cfloat", "complex64"), ("cdouble", "complex128"),
      ("chalf", "complex32"),
    ] { result[alias] = result[name] }
    return result
  }()

  /// The element types of `torch.FloatStorage` and the other storages, by class name.
  static let storages: [String: String] = [
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16", "LongStorage": "int64", "IntStorage": "int32",
    "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128",
    "QInt8Storage": "qint8", "QUInt8Storage": "quint8", "QInt32Storage": "qint32",
    "QUInt4x2Storage": "quint4x2", "QUInt2x4Storage": "quint2x4", "UntypedStorage": "uint8",
    "_UntypedStorage": "uint8",
  ]
}
