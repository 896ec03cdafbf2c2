import Norma
import NormaExplain

/// What `norma convert` did, tensor by tensor.
struct ConversionReport: Encodable {
  struct Line: Encodable {
    let from: [String]
    let to: String
    let shape: [Int]
    let dtype: String
    let changes: [String]
  }

  struct Left: Encodable {
    let name: String
    let reason: String
  }

  let input: String
  let output: String
  let from: NameConversion.Library
  let to: NameConversion.Library
  /// False for a dry run.
  let isWritten: Bool
  let tensors: [Line]
  /// Tensors that are not in the output.
  let left: [Left]
  let notes: [String]

  init(
    _ file: ConvertedFile, _ input: String, _ output: String, _ source: NameConversion.Library,
    _ target: NameConversion.Library, isWritten: Bool
  ) {
    (self.input, self.output, self.isWritten) = (input, output, isWritten)
    (from, to) = (source, target)
    tensors = file.conversion.tensors.map {
      Line(
        from: $0.origins, to: $0.name, shape: $0.shape, dtype: "\($0.dtype)", changes: $0.changes)
    }
    left = file.conversion.left.map { Left(name: $0.name, reason: $0.reason) }
    notes = file.conversion.notes
  }

  func text(style: TextStyle) -> String {
    let verb = isWritten ? "wrote" : "would write"
    let names = from == to ? "names of \(from.rawValue)" : "from \(from.rawValue) to \(to.rawValue)"
    var parts = [
      style.paragraph(
        "\(verb) \(output): \(tensors.count) \(tensors.count == 1 ? "tensor" : "tensors") of "
          + "\(input), \(names)", emphasis: style.strong)
    ]
    if !tensors.isEmpty { parts.append(tensors.map { line($0, style) }.joined(separator: "\n")) }
    if !left.isEmpty {
      parts.append(
        (["Left out"]
          + left.map { style.paragraph("\($0.name): \($0.reason)", first: "  ", indent: 4) })
          .joined(separator: "\n"))
    }
    if !notes.isEmpty {
      parts.append(notes.map { style.paragraph("Note: \($0)") }.joined(separator: "\n"))
    }
    return parts.joined(separator: "\n\n")
  }

  /// One line, or two if it is too long.
  private func line(_ item: Line, _ style: TextStyle) -> String {
    let source = item.from.joined(separator: " + ")
    let target = "\(item.to) \(item.shape)"
    let what = item.changes.isEmpty ? "" : ", " + item.changes.joined(separator: ", ")
    if source == item.to { return style.paragraph("\(target)\(what)", first: "  ", indent: 4) }
    let whole = source.isEmpty ? "new: \(target)\(what)" : "\(source) -> \(target)\(what)"
    return whole.count + 2 <= style.width || source.isEmpty
      ? "  " + whole
      : "  \(source)\n" + style.paragraph("-> \(target)\(what)", first: "    ", indent: 6)
  }
}
