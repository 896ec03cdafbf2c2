/// Writes text as UTF-8, whole or not at all: a file that is there already is replaced at the end.
package func writeText(_ text: String, to path: String, operation: String) throws {
  try OutputFile.write(path, operation: operation) { file in try file.write(Array(text.utf8)) }
}
