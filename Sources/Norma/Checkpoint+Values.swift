import Foundation

extension Checkpoint {
  /// Stores a value with the model: a scaler, an imputer, names of classes or columns, options.
  ///
  ///     try checkpoint.encode(scaler, as: "scaler")
  ///     try checkpoint.encode(names, as: "classes")
  ///     try checkpoint.write(to: "houses.safetensors")
  ///
  /// It is stored as JSON in the note `value.<name>`; numbers are restored bit for bit.
  /// - Throws: `EncodingError`.
  public mutating func encode(_ value: some Encodable, as name: String) throws {
    notes[Checkpoint.valuePrefix + name] = try Checkpoint.text(value)
  }

  /// The value that was stored under a name.
  ///
  ///     let saved = try Checkpoint(contentsOf: "houses.safetensors")
  ///     let scaler = try saved.decode(StandardScaler.self, from: "scaler")
  ///     try network.load(saved.model)
  ///
  /// - Throws: ``CheckpointError`` if there is none, or one of another type.
  public func decode<Value: Decodable>(
    _ type: Value.Type = Value.self, from name: String
  ) throws -> Value {
    guard let text = notes[Checkpoint.valuePrefix + name] else {
      let names = notes.keys.filter { $0.hasPrefix(Checkpoint.valuePrefix) }
        .map { "\"\($0.dropFirst(Checkpoint.valuePrefix.count))\"" }.sorted()
      throw CheckpointError(
        path: path,
        problem: "has no value \"\(name)\"; it has "
          + (names.isEmpty ? "none" : names.joined(separator: ", ")))
    }
    do {
      return try Checkpoint.decoder.decode(type, from: Data(text.utf8))
    } catch {
      throw CheckpointError(
        path: path, problem: "has a value \"\(name)\" that is not of type \(type): \(error)")
    }
  }

  private static let valuePrefix = "value."

  static func text(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return decoder
  }
}
