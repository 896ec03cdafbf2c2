import NormaFiles

/// The parts of a file `tokenizer.json` that tokenizers share.
struct TokenizerFile {
  let json: JSON
  let model: JSON?
  /// The number of each token.
  let vocabulary: [String: Int]
  /// Tokens that no text is cut into, with their numbers.
  let added: [(text: String, number: Int)]
  private let path: String
  private let operation: String
  private let kind: String

  /// Opens a file whose model is of a type.
  ///
  /// - Parameter kind: what the file is expected to be: `a WordPiece tokenizer`.
  init(_ path: String, type: String, kind: String, operation: String) throws {
    (self.path, self.operation, self.kind) = (path, operation, kind)
    json = try readJSON(path, operation: operation)
    model = json["model"]
    let members = model?["vocab"]?.objectValue ?? []
    vocabulary = Dictionary(
      members.compactMap { token, number in number.intValue.map { (token, $0) } }
    ) { $1 }
    added = (json["added_tokens"]?.arrayValue ?? []).compactMap { entry in
      guard let text = entry["content"]?.stringValue, let number = entry["id"]?.intValue
      else { return nil }
      return (text, number)
    }
    guard model?["type"]?.stringValue == type else {
      throw refusal(.unsupported, "its model is \(model?["type"]?.stringValue ?? "missing")")
    }
    if model?["vocab"]?.objectValue == nil { throw refusal(.malformed, "it has no vocabulary") }
  }

  /// Why the file is not such a tokenizer.
  func refusal(_ cause: FileError.Kind, _ detail: String) -> FileError {
    FileError(
      kind: cause, operation: operation, path: path, problem: "is not \(kind)", detail: detail)
  }
}
