import CNormaLoops
import NormaValues

/// Encodes a tensor as the name of its type, its shape, and the bytes of its elements as text:
/// exact for all types, including NaN and infinities.
///
///     {"dtype": "float32", "shape": [2], "data": "AACAPwAAAEA="}
///
/// `data` is the Base64 of the elements in row-major order, little-endian. Histories are not kept.
/// Decoding never ends the program: sizes are checked before memory is allocated. For large tensors
/// files are faster and smaller. PyTorch: none (`pickle`).
extension Tensor: Codable {
  private enum Key: String, CodingKey { case dtype, shape, data }

  /// Writes the tensor; throws for a poisoned one, which has no elements.
  public func encode(to encoder: any Encoder) throws {
    if isPoisoned {
      throw EncodingError.invalidValue(
        self,
        EncodingError.Context(
          codingPath: encoder.codingPath, debugDescription: "a poisoned tensor has no elements"))
    }
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(dtype.description, forKey: .dtype)
    try container.encode(shape, forKey: .shape)
    let text = withUnsafeBytes { bytes in
      String(unsafeUninitializedCapacity: Tensor.textLength(bytes.count)) { text in
        if let target = text.baseAddress {
          norma_base64_encode(
            bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), Int64(bytes.count), target)
        }
        return Tensor.textLength(bytes.count)
      }
    }
    try container.encode(text, forKey: .data)
  }

  /// Reads a tensor.
  ///
  /// - Throws: `DecodingError` for an unknown type, an invalid shape, and bytes that do not fill
  ///   it.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    func corrupted(_ key: Key, _ text: String) -> DecodingError {
      .dataCorruptedError(forKey: key, in: container, debugDescription: text)
    }
    let name = try container.decode(String.self, forKey: .dtype)
    guard let dtype = DType.allCases.first(where: { $0.description == name }) else {
      throw corrupted(.dtype, "'\(name)' is not an element type")
    }
    let shape = try container.decode([Int].self, forKey: .shape)
    guard shape.count <= Shape.mostAxes else {
      throw corrupted(.shape, "\(shape.count) axes are more than \(Shape.mostAxes)")
    }
    let count: Int
    do throws(TensorError) {
      count = try Shape.count(shape, call: "Tensor(from:)")
    } catch {
      throw corrupted(.shape, error.reason)
    }
    var text = try container.decode(String.self, forKey: .data)
    let byteCount = count * dtype.byteCount
    self = try text.withUTF8 { text in
      guard text.count == Tensor.textLength(byteCount) else {
        throw corrupted(
          .data,
          "\(text.count) characters do not hold the \(byteCount) bytes of \(dtype) \(shape)")
      }
      return try Tensor(shape: shape, dtype: dtype) { bytes in
        guard let target = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), byteCount > 0
        else { return }
        guard norma_base64_decode(text.baseAddress, Int64(text.count), target) == byteCount else {
          throw corrupted(.data, "the text is not Base64 of \(byteCount) bytes")
        }
        if dtype == .bool, bytes.contains(where: { $0 > 1 }) {
          throw corrupted(.data, "a Boolean is neither 0 nor 1")
        }
      }
    }
  }

  private static func textLength(_ byteCount: Int) -> Int { (byteCount + 2) / 3 * 4 }
}
