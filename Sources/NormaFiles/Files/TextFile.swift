/// Writes text as UTF-8, completely or not at all; an existing file is replaced at the end.
package func writeText(_ text: String, to path: String, operation: String) throws {
  try OutputFile.write(path, operation: operation) { file in try file.write(Array(text.utf8)) }
}

/// Writes a file of these bytes, which appears under its name only when it is complete.
package func writeBytes(_ bytes: [UInt8], to path: String, operation: String) throws {
  try writeBytes(parts: [bytes], to: path, operation: operation)
}

/// Writes parts of a file, one after the other, completely or not at all.
package func writeBytes(
  parts: some Sequence<[UInt8]>, to path: String, operation: String
) throws {
  try OutputFile.write(path, operation: operation) { file in
    for part in parts { try file.write(part) }
  }
}
