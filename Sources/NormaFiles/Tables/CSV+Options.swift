extension CSV {
  /// How a table is written. The defaults are those of RFC 4180, with spaces around fields dropped.
  ///
  ///     let table = try CSV(contentsOf: "messwerte.csv", options: .init(separator: ";", decimalMark: ","))
  ///
  /// Pandas: the arguments of `read_csv`.
  public struct Options: Sendable, Hashable {
    /// What stands between fields, `,` by default: an ASCII character. Pandas: `sep`.
    public var separator: Character
    /// Whether the first row has the names of the columns. Pandas: `header`.
    public var hasHeader: Bool
    /// The words that stand for a missing value, compared exactly: ``missingWords`` by default. They
    /// are the same for numbers and for classes, in quotes or not. Pandas: `na_values`.
    public var missing: Set<String>
    /// Whether spaces and tabs around fields are dropped, but not those in quotes; true by default.
    /// Pandas has `skipinitialspace`, false by default.
    public var trimsSpaces: Bool
    /// What stands before the decimals, `.` by default. With another mark a field with a point is no
    /// number. Pandas: `decimal`.
    public var decimalMark: Character
    /// What stands between groups of three digits; nil, by default, for nothing. Pandas: `thousands`.
    public var thousandsMark: Character?
    /// How lines begin that are skipped, `#` for example; nil, by default, for none. What stands
    /// behind a field is not a comment. Pandas: `comment`.
    public var comment: String?
    /// How characters are written as bytes, ``CSV/Encoding/utf8`` by default. A byte order mark at
    /// the start of a file outweighs this. Pandas: `encoding`.
    public var encoding: Encoding
    /// Whether a second column `a` becomes `a.1`; by default such a table is refused. Pandas always
    /// numbers them.
    public var numbersRepeatedNames: Bool

    /// The empty field, `NA`, `N/A`, `n/a`, `#N/A`, `#NA`, `<NA>`, `NaN`, `nan`, `NULL`, `null` and
    /// `None`: the words that spreadsheets, databases, R and Pandas write.
    public static let missingWords: Set<String> = [
      "", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NULL", "null", "None",
    ]

    /// Options that are the defaults but for those that are named.
    public init(
      separator: Character = ",", hasHeader: Bool = true, missing: Set<String> = missingWords,
      trimsSpaces: Bool = true, decimalMark: Character = ".", thousandsMark: Character? = nil,
      comment: String? = nil, encoding: Encoding = .utf8, numbersRepeatedNames: Bool = false
    ) {
      self.separator = separator
      self.hasHeader = hasHeader
      self.missing = missing
      self.trimsSpaces = trimsSpaces
      self.decimalMark = decimalMark
      self.thousandsMark = thousandsMark
      self.comment = comment
      self.encoding = encoding
      self.numbersRepeatedNames = numbersRepeatedNames
    }

    /// Throws for options by which no table can be read.
    func validate(_ context: FileContext) throws {
      guard let byte = separator.asciiValue, byte != UInt8(ascii: "\""), byte != 10, byte != 13
      else {
        throw context.unsupported(
          "cannot be split",
          "the separator \(quoted(String(separator))) is no ASCII character "
            + "other than quotes and line ends")
      }
      guard decimalMark != thousandsMark, decimalMark.isMark, thousandsMark?.isMark ?? true else {
        throw context.unsupported(
          "cannot be read",
          "the marks of decimals and thousands are two characters that are neither digits, letters "
            + "nor signs, got \(quoted(String(decimalMark))) and "
            + quoted(thousandsMark.map(String.init) ?? ""))
      }
      if comment?.isEmpty ?? false {
        throw context.unsupported("cannot be read", "an empty comment begins every line")
      }
    }
  }
}

extension Character {
  /// Whether the character can stand within a number without being part of its digits.
  fileprivate var isMark: Bool { !isNumber && !isLetter && self != "-" && self != "+" }
}
