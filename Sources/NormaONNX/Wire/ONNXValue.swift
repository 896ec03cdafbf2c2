import NormaTensor

/// An input or output of a model: its name, and the type and shape that the file declares.
///
/// Declared shapes are hints: axes without a number are free, and exporters often write numbers
/// that do not hold.
public struct ONNXValue: Sendable, Hashable {
  /// The length of an axis: a number, or a free one, which may have a name such as `batch`.
  public enum Axis: Sendable, Hashable, CustomStringConvertible {
    /// A length.
    case fixed(Int)
    /// Any length; the same name means the same length.
    case free(String)

    /// The number, the name, or `?`.
    public var description: String {
      switch self {
      case .fixed(let length): "\(length)"
      case .free(let name): name.isEmpty ? "?" : name
      }
    }
  }

  /// The name by which the value is passed and returned.
  public let name: String
  /// The element type; nil if it is none that tensors have, or if the file does not say.
  public let dtype: DType?
  /// The declared lengths; nil if the file does not say.
  public let shape: [Axis]?
  /// The type in ONNX's terms: `float32`, `strings`, `a sequence`.
  public let typeName: String
}

extension ONNXValue {
  init(_ reader: WireReader) throws {
    var reader = reader
    var name = ""
    var type = TypeProto()
    while let field = try reader.next() {
      switch field.number {
      case 1: name = try reader.string(field)
      case 2: type = try TypeProto(reader.message(field))
      default: try reader.skip(field)
      }
    }
    self.init(name: name, dtype: type.dtype, shape: type.shape, typeName: type.name)
  }
}

/// The declared type of a value.
private struct TypeProto {
  var name = "an undeclared type"
  var dtype: DType?
  var shape: [ONNXValue.Axis]?

  private static let kinds = [
    4: "a sequence", 5: "a map", 7: "an opaque type", 8: "a sparse tensor", 9: "an optional value",
  ]

  init() {}

  init(_ reader: WireReader) throws {
    var reader = reader
    while let field = try reader.next() {
      switch field.number {
      case 1: try read(reader.message(field))
      default:
        name = Self.kinds[field.number] ?? name
        try reader.skip(field)
      }
    }
  }

  /// A tensor's type and shape.
  private mutating func read(_ reader: WireReader) throws {
    var reader = reader
    while let field = try reader.next() {
      switch field.number {
      case 1:
        let number = Int(try reader.integer(field))
        name = ElementType.name(of: number)
        dtype = ElementType(rawValue: number)?.dtype
      case 2:
        var axes: [ONNXValue.Axis] = []
        var inner = try reader.message(field)
        while let field = try inner.next() {
          if field.number == 1 {
            axes.append(try Self.axis(inner.message(field)))
          } else {
            try inner.skip(field)
          }
        }
        shape = axes
      default: try reader.skip(field)
      }
    }
  }

  private static func axis(_ reader: WireReader) throws -> ONNXValue.Axis {
    var reader = reader
    var axis = ONNXValue.Axis.free("")
    while let field = try reader.next() {
      switch field.number {
      case 1: axis = .fixed(Int(try reader.integer(field)))
      case 2: axis = .free(try reader.string(field))
      default: try reader.skip(field)
      }
    }
    // Exporters write 0 or -1 for what they do not know.
    if case .fixed(let length) = axis, length <= 0 { return .free("") }
    return axis
  }
}
