import NormaTensor

extension ElementFormat {
  /// The element named in an .npy header, such as `<f4`.
  init(npy descr: String, context: FileContext) throws {
    var code = Substring(descr)
    var isBigEndian = false
    if let first = code.first, "<>|=".contains(first) {
      isBigEndian = first == ">"
      code = code.dropFirst()
    }
    switch code {
    case "b1": self.init(.bool, name: "bool")
    case "u1": self.init(.uint8)
    case "u2": self.init(.uint16, isBigEndian: isBigEndian)
    case "u4": self.init(.uint32, isBigEndian: isBigEndian)
    case "u8": self.init(.uint64, isBigEndian: isBigEndian)
    case "i1": self.init(.int8)
    case "i2": self.init(.int16, isBigEndian: isBigEndian)
    case "i4": self.init(.int32, isBigEndian: isBigEndian)
    case "i8": self.init(.int64, isBigEndian: isBigEndian)
    case "f2": self.init(.float16, isBigEndian: isBigEndian)
    case "f4": self.init(.float32, isBigEndian: isBigEndian)
    case "f8": self.init(.float64, isBigEndian: isBigEndian)
    default:
      throw context.unsupported(
        "holds dtype \(quoted(descr))",
        "\(Self.explanation(code)); bool, integers of 8 to 64 bits, float16, float32 and float64 "
          + "are read"
      )
    }
  }

  /// The name of an element in an .npy header, or nil if NumPy has no such type.
  static func npyName(_ dtype: DType) -> String? {
    switch dtype {
    case .bool: "|b1"
    case .uint8: "|u1"
    case .uint16: "<u2"
    case .uint32: "<u4"
    case .uint64: "<u8"
    case .int8: "|i1"
    case .int16: "<i2"
    case .int32: "<i4"
    case .int64: "<i8"
    case .float16: "<f2"
    case .float32: "<f4"
    case .float64: "<f8"
    case .bfloat16: nil
    }
  }

  private static func explanation(_ code: Substring) -> String {
    switch code.first {
    case "c": "complex numbers, which tensors do not support; save x.real and x.imag"
    case "f": "a wider or unknown floating-point number"
    case "O": "pickled Python objects, which could run code"
    case "U", "S", "a": "text"
    case "V": "raw bytes (as for bfloat16 saved by ml_dtypes: save it as float32 or safetensors)"
    case "M", "m": "dates or durations"
    default: "an unknown type"
    }
  }
}
