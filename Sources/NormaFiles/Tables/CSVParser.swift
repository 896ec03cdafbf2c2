/// Splits a table in UTF-8 into fields.
struct CSVParser {
  private let bytes: [UInt8]
  private let options: CSV.Options
  private let context: FileContext
  private let comment: [UInt8]
  private var separator: UInt8
  private(set) var fields: [String] = []
  private(set) var lines: [Int] = []
  /// The number of fields in a row.
  private(set) var width = 0

  private var position = 0
  private var line = 1

  init(bytes: [UInt8], options: CSV.Options, context: FileContext) {
    self.bytes = bytes
    self.options = options
    self.context = context
    comment = Array((options.comment ?? "").utf8)
    separator = options.separator.asciiValue ?? UInt8(ascii: ",")
  }

  private static let quote = UInt8(ascii: "\"")
  private static let newline = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private var isAtEnd: Bool { position == bytes.count }

  mutating func run() throws {
    takeSeparatorLine()
    // Empty lines in a table of one column: they are rows if another row follows.
    var emptyLines: [Int] = []
    while !isAtEnd {
      if skipComment() { continue }
      let start = line
      if skipEmptyLine() {
        if width == 1 { emptyLines.append(start) }
        continue
      }
      for line in emptyLines {
        fields.append("")
        lines.append(line)
      }
      emptyLines = []
      try takeRow(from: start)
    }
  }

  private mutating func takeRow(from start: Int) throws {
    var count = 0
    repeat {
      fields.append(try field())
      count += 1
    } while skip(separator)
    if !isAtEnd && !skipLineEnd() {
      throw context.malformed("has text after a quoted field", "on line \(line)\(separatorHint)")
    }
    if width == 0 { width = count }
    guard count == width else {
      throw context.malformed(
        "has rows of unequal length",
        "line \(start) has \(count) fields, the first row \(width)\(separatorHint)")
    }
    lines.append(start)
  }

  /// Suggests another separator if the first row has a single field that contains one.
  var separatorHint: String {
    guard width == 1, let first = fields.first else { return "" }
    let others: [Character] = [";", "\t", ",", "|"]
    guard let other = others.first(where: { $0.asciiValue != separator && first.contains($0) })
    else { return "" }
    return
      "; the table has one column: is \(other == "\t" ? "a tab" : "\"\(other)\"") the separator?"
  }

  /// `sep=;` on a line of its own, at the start.
  private mutating func takeSeparatorLine() {
    let start = Array("sep=".utf8)
    guard bytes.starts(with: start), bytes.count > start.count, bytes[start.count] < 0x80 else {
      return
    }
    position = start.count + 1
    if isAtEnd || !skipLineEnd() {
      position = 0
    } else {
      separator = bytes[start.count]
    }
  }

  private mutating func skip(_ byte: UInt8) -> Bool {
    guard !isAtEnd, bytes[position] == byte else { return false }
    position += 1
    return true
  }

  private mutating func skipLineEnd() -> Bool {
    let isReturn = skip(CSVParser.carriageReturn)
    guard skip(CSVParser.newline) || isReturn else { return false }
    line += 1
    return true
  }

  private func isSpace(_ byte: UInt8) -> Bool {
    options.trimsSpaces && (byte == 0x20 || byte == 0x09) && byte != separator
  }

  private mutating func skipSpaces() {
    while !isAtEnd, isSpace(bytes[position]) { position += 1 }
  }

  private mutating func skipEmptyLine() -> Bool {
    let start = position
    skipSpaces()
    if isAtEnd || skipLineEnd() { return true }
    position = start
    return false
  }

  private mutating func skipComment() -> Bool {
    guard !comment.isEmpty else { return false }
    let start = position
    skipSpaces()
    guard bytes[position...].starts(with: comment) else {
      position = start
      return false
    }
    while !isAtEnd, !skipLineEnd() { position += 1 }
    return true
  }

  private mutating func field() throws -> String {
    skipSpaces()
    if skip(CSVParser.quote) {
      let content = try quotedField()
      skipSpaces()
      return content
    }
    let start = position
    while !isAtEnd, bytes[position] != separator, bytes[position] != CSVParser.newline,
      bytes[position] != CSVParser.carriageReturn
    {
      position += 1
    }
    var end = position
    while end > start, isSpace(bytes[end - 1]) { end -= 1 }
    return try text(bytes[start..<end])
  }

  private mutating func quotedField() throws -> String {
    let start = line
    var content: [UInt8] = []
    while !isAtEnd {
      let byte = bytes[position]
      position += 1
      let isPair =
        byte == CSVParser.carriageReturn && !isAtEnd && bytes[position] == CSVParser.newline
      if byte == CSVParser.newline || byte == CSVParser.carriageReturn && !isPair { line += 1 }
      if byte == CSVParser.quote && !skip(CSVParser.quote) { return try text(content[...]) }
      content.append(byte)
    }
    throw context.truncated("the quote that opens on line \(start) is never closed")
  }

  private func text(_ bytes: ArraySlice<UInt8>) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw context.malformed(
        "is not UTF-8",
        "on line \(line); use encoding: .windows1252 for files of older programs")
    }
    return text
  }
}
