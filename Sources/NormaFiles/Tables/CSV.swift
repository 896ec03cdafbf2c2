import NormaTensor

/// A table of text in rows and columns, as described by RFC 4180.
///
///     let iris = try CSV(contentsOf: "iris.csv")
///     let x = try iris.tensor(["sepal length", "sepal width"])   // float32 [150, 2]
///     let (labels, names) = try iris.classes("species")          // int64 [150], 3 names
///
///     let options = CSV.Options(separator: ";", decimalMark: ",")
///     let later = try CSV(contentsOf: "later.csv", options: options)
///     let same = try later.classes("species", names: names)      // the same indices
///
/// Fields may be quoted, with separators, line ends and doubled quotes inside. Lines end with LF,
/// CR LF or CR alone. Empty lines are skipped; in a table of one column they are missing fields,
/// except at the end. A first line `sep=;`, which Excel writes, sets the separator. Everything else
/// is in ``Options``. NumPy: `genfromtxt`. Pandas: `read_csv`.
public struct CSV: Sendable {
  /// The names of the columns; their indices from 0 if the file has no header.
  public let names: [String]
  /// The number of rows, without the header.
  public let rowCount: Int
  /// The options that the table was read with.
  public let options: Options
  let fields: [String]
  /// The line where each row starts.
  let lines: [Int]
  let context: FileContext
  /// A hint that the separator may be another one, to append to errors; or empty.
  let hint: String

  /// Reads a table.
  ///
  /// - Throws: `FileError` if the file cannot be read, is not in its encoding, a row has more or
  ///   fewer fields than the first, two columns have the same name, or a quote is not closed.
  public init(contentsOf path: String, options: Options = Options()) throws {
    let file = try InputFile(path: path, operation: "CSV(contentsOf:)")
    let bytes = try file.bytes(at: 0, count: file.size)
    try self.init(
      options.encoding.decoded(bytes, file.context), options, context: file.context)
  }

  /// Reads a table from text in memory.
  public init(text: String, options: Options = Options()) throws {
    let mark = text.unicodeScalars.first == "\u{feff}" ? 3 : 0
    try self.init(
      Array(text.utf8.dropFirst(mark)), options,
      context: FileContext(operation: "CSV(text:)", path: "the text"))
  }

  private init(_ bytes: [UInt8], _ options: Options, context: FileContext) throws {
    try options.validate(context)
    var parser = CSVParser(bytes: bytes, options: options, context: context)
    try parser.run()
    self.context = context
    self.options = options
    hint = parser.separatorHint
    let width = parser.width
    var fields = parser.fields
    var lines = parser.lines
    if options.hasHeader, width > 0 {
      names = try CSV.distinct(Array(fields[..<width]), options, context)
      fields.removeFirst(width)
      lines.removeFirst()
    } else {
      names = (0..<width).map(String.init)
    }
    self.fields = fields
    self.lines = lines
    rowCount = lines.count
  }

  /// The names in a header, without duplicates.
  private static func distinct(
    _ names: [String], _ options: Options, _ context: FileContext
  ) throws -> [String] {
    var places: [String: Int] = [:]
    var result: [String] = []
    for (place, name) in names.enumerated() {
      var unique = name
      if let first = places[name] {
        guard options.numbersRepeatedNames else {
          throw context.malformed(
            "has two columns with the same name",
            "columns \(first + 1) and \(place + 1) are named \(quoted(name)); "
              + "numbersRepeatedNames: true renames them to \(quoted(name)) and "
              + "\(quoted(name + ".1"))")
        }
        var number = 1
        // Names of later columns are kept, too.
        while places["\(name).\(number)"] != nil || names.contains("\(name).\(number)") {
          number += 1
        }
        unique = "\(name).\(number)"
      }
      places[unique] = place
      result.append(unique)
    }
    return result
  }

  /// The fields of a column unchanged, including missing ones.
  /// - Throws: `FileError` if there is no such column.
  public func strings(_ column: String) throws -> [String] {
    let place = try place(column)
    return (0..<rowCount).map { fields[$0 * names.count + place] }
  }

  func place(_ column: String) throws -> Int {
    guard let place = names.firstIndex(of: column) else {
      let listed = names.prefix(8).map(quoted).joined(separator: ", ")
      throw context.error(
        .missing, "has no column \(quoted(column))",
        "it has \(listed)\(names.count > 8 ? ", ..." : "")\(hint)")
    }
    return place
  }

  /// The position and content of a field: `line 3, column "b": "x"`.
  func description(_ row: Int, _ place: Int) -> String {
    "line \(lines[row]), column \(quoted(names[place])): "
      + quoted(fields[row * names.count + place])
  }
}
