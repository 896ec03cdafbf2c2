/// Writes text as UTF-8, completely or not at all; an existing file is replaced at the end.
package func writeText(_ text: String, to path: String, operation: String) throws {
  try OutputFile.write(path, operation: operation) { file in try file.write(Array(text.utf8)) }
}
