import NormaKernels
import NormaTensor

/// A table of text in rows and columns, as RFC 4180 describes it.
///
///     let iris = try CSV(contentsOf: "iris.csv")
///     let x = try iris.tensor(["sepal length", "sepal width"])  // float32 [150, 2]
///     let (labels, names) = try iris.classes("species")         // int64 [150], 3 names
///
/// Fields may stand in quotes, with separators, line ends and doubled quotes inside. Lines end with
/// LF, CR LF or CR alone; empty lines are skipped; a byte order mark is ignored.
/// NumPy: `genfromtxt`. Pandas: `read_csv`.
public struct CSV: Sendable {
  /// The names of the columns; their numbers from 0 where the file has no header.
  public let names: [String]
  /// How many rows there are, without the header.
  public let rowCount: Int
  private let fields: [String]
  /// The line on which each row starts.
  private let lines: [Int]
  private let context: FileContext

  /// Reads a table.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - separator: what stands between fields, `\t` for example.
  ///   - hasHeader: whether the first row has the names of the columns.
  /// - Throws: `FileError` where the file cannot be read, is no UTF-8, a row has more or fewer fields
  ///   than the first, or a quote is left open.
  public init(
    contentsOf path: String, separator: Character = ",", hasHeader: Bool = true
  ) throws {
    let file = try InputFile(path: path, operation: "CSV(contentsOf:)")
    try self.init(
      file.bytes(at: 0, count: file.size), separator, hasHeader, context: file.context)
  }

  /// The same for text in memory.
  public init(text: String, separator: Character = ",", hasHeader: Bool = true) throws {
    try self.init(
      Array(text.utf8), separator, hasHeader,
      context: FileContext(operation: "CSV(text:)", path: "the text"))
  }

  private init(
    _ bytes: [UInt8], _ separator: Character, _ hasHeader: Bool, context: FileContext
  ) throws {
    guard let byte = separator.asciiValue, byte != UInt8(ascii: "\""), byte != 10, byte != 13 else {
      throw context.unsupported(
        "cannot be split", "the separator \(quoted(String(separator))) is no ASCII character")
    }
    var parser = CSVParser(bytes: bytes, separator: byte, context: context)
    try parser.run()
    self.context = context
    let width = parser.width
    var fields = parser.fields
    var lines = parser.lines
    if hasHeader, width > 0 {
      names = Array(fields[..<width])
      fields.removeFirst(width)
      lines.removeFirst()
    } else {
      names = (0..<width).map(String.init)
    }
    self.fields = fields
    self.lines = lines
    rowCount = lines.count
  }

  /// The fields of a column as they are.
  public func strings(_ column: String) throws -> [String] {
    let place = try place(column)
    return (0..<rowCount).map { fields[$0 * names.count + place] }
  }

  /// Columns as numbers, `[rows, columns]`; all of them without `columns`.
  ///
  /// Empty fields, `NA` and `nan` are NaN in real types.
  /// - Throws: `FileError` naming the line and the column of what is no number of this type.
  public func tensor(_ columns: [String]? = nil, dtype: DType = .float32) throws -> Tensor {
    let places = try columns.map { try $0.map(place) } ?? Array(names.indices)
    if dtype.isFloatingPoint {
      var values: [Double] = []
      values.reserveCapacity(rowCount * places.count)
      for row in 0..<rowCount {
        for place in places { values.append(try number(row, place)) }
      }
      return Tensor(values).reshaped([rowCount, places.count]).cast(to: dtype).evaluated()
    }
    var values: [Int64] = []
    values.reserveCapacity(rowCount * places.count)
    for row in 0..<rowCount {
      for place in places { values.append(try integer(row, place, dtype)) }
    }
    return Tensor(values).reshaped([rowCount, places.count]).cast(to: dtype).evaluated()
  }

  /// A column of names as numbers, `int64 [rows]`, and the names in their order.
  public func classes(_ column: String) throws -> (labels: Tensor, names: [String]) {
    let values = try strings(column)
    let names = Set(values).sorted()
    let numbers = Dictionary(uniqueKeysWithValues: names.enumerated().map { ($1, Int64($0)) })
    return (Tensor(values.map { numbers[$0] ?? 0 }), names)
  }

  private func place(_ column: String) throws -> Int {
    guard let place = names.firstIndex(of: column) else {
      let listed = names.prefix(8).map(quoted).joined(separator: ", ")
      throw context.error(
        .missing, "has no column \(quoted(column))",
        "it has \(listed)\(names.count > 8 ? ", ..." : "")")
    }
    return place
  }

  private func trimmed(_ row: Int, _ place: Int) -> Substring {
    var field = fields[row * names.count + place][...]
    while field.first == " " { field.removeFirst() }
    while field.last == " " { field.removeLast() }
    return field
  }

  private func number(_ row: Int, _ place: Int) throws -> Double {
    let field = trimmed(row, place)
    if field.isEmpty || field == "NA" { return .nan }
    guard let value = Double(field) else { throw noNumber(row, place, "a number") }
    return value
  }

  private func integer(_ row: Int, _ place: Int, _ dtype: DType) throws -> Int64 {
    let range: ClosedRange<Int64> =
      switch dtype {
      case .bool: 0...1
      case .uint8: 0...255
      case .int32: Int64(Int32.min)...Int64(Int32.max)
      default: Int64.min...Int64.max
      }
    guard let value = Int64(trimmed(row, place)), range.contains(value) else {
      throw noNumber(row, place, "a number of \(dtype)")
    }
    return value
  }

  private func noNumber(_ row: Int, _ place: Int, _ wanted: String) -> FileError {
    context.malformed(
      "has a field that is not \(wanted)",
      "line \(lines[row]), column \(quoted(names[place])): "
        + quoted(fields[row * names.count + place]))
  }
}

/// Splits a table into fields.
private struct CSVParser {
  let bytes: [UInt8]
  let separator: UInt8
  let context: FileContext
  private(set) var fields: [String] = []
  private(set) var lines: [Int] = []
  /// The fields of a row.
  private(set) var width = 0

  private var position = 0
  private var line = 1

  init(bytes: [UInt8], separator: UInt8, context: FileContext) {
    self.bytes = bytes
    self.separator = separator
    self.context = context
  }

  private static let quote = UInt8(ascii: "\"")
  private static let newline = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")

  private var isAtEnd: Bool { position == bytes.count }

  mutating func run() throws {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { position = 3 }
    while !isAtEnd {
      if skipLineEnd() { continue }
      let start = line
      var count = 0
      repeat {
        fields.append(try field())
        count += 1
      } while skip(separator)
      if !isAtEnd && !skipLineEnd() {
        throw context.malformed("has text after a quoted field", "on line \(line)")
      }
      if width == 0 { width = count }
      guard count == width else {
        throw context.malformed(
          "has rows of unequal length", "line \(start) has \(count) fields, the first row \(width)")
      }
      lines.append(start)
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

  private mutating func field() throws -> String {
    if skip(CSVParser.quote) { return try quotedField() }
    let start = position
    while !isAtEnd, bytes[position] != separator, bytes[position] != CSVParser.newline,
      bytes[position] != CSVParser.carriageReturn
    {
      position += 1
    }
    return try text(bytes[start..<position])
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
      throw context.malformed("is no UTF-8", "on line \(line)")
    }
    return text
  }
}
