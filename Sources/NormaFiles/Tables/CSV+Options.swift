extension CSV {
  /// The format of a table. By default that of RFC 4180, with spaces around fields removed.
  ///
  ///     let table = try CSV(
  ///       contentsOf: "messwerte.csv", options: .init(separator: ";", decimalMark: ","))
  ///
  /// Pandas: the arguments of `read_csv`.
  public struct Options: Sendable, Hashable {
    /// The character between fields, `,` by default; it must be ASCII. Pandas: `sep`.
    public var separator: Character
    /// Whether the first row contains the names of the columns. Pandas: `header`.
    public var hasHeader: Bool
    /// The words for a missing value, compared exactly: ``missingWords`` by default. They apply to
    /// numbers and classes, quoted or not. Pandas: `na_values`.
    public var missing: Set<String>
    /// Whether to remove spaces and tabs around fields, but not those inside quotes; true by
    /// default. Pandas has `skipinitialspace`, false by default.
    public var trimsSpaces: Bool
    /// The decimal mark, `.` by default. With another mark, a field with a point is not a number.
    /// Pandas: `decimal`.
    public var decimalMark: Character
    /// The mark between groups of three digits; nil, the default, for none. Pandas: `thousands`.
    public var thousandsMark: Character?
    /// The prefix of comment lines, which are skipped, such as `#`; nil, the default, for none.
    /// Text after a field is not a comment. Pandas: `comment`.
    public var comment: String?
    /// The character encoding, ``CSV/Encoding/utf8`` by default. A byte order mark at the start of
    /// a file takes precedence. Pandas: `encoding`.
    public var encoding: Encoding
    /// Whether a second column `a` is renamed to `a.1`; by default it is an error. Pandas always
    /// renames.
    public var numbersRepeatedNames: Bool

    /// The empty field, `NA`, `N/A`, `n/a`, `#N/A`, `#NA`, `<NA>`, `NaN`, `nan`, `NULL`, `null` and
    /// `None`: the words that spreadsheets, databases, R and Pandas write.
    public static let missingWords: Set<String> = [
      "", "NA", "N/A", "n/a", "#N/A", "#NA", "<NA>", "NaN", "nan", "NULL", "null", "None",
    ]

    /// The defaults, except for the options that are given.
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

    /// Throws for options that cannot describe a table.
    func validate(_ context: FileContext) throws {
      guard let byte = separator.asciiValue, byte != UInt8(ascii: "\""), byte != 10, byte != 13
      else {
        throw context.unsupported(
          "cannot be split",
          "the separator \(quoted(String(separator))) is not an ASCII character "
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
        throw context.unsupported("cannot be read", "an empty comment prefix matches every line")
      }
    }
  }
}

extension Character {
  /// Whether the character can be a mark inside a number.
  fileprivate var isMark: Bool { !isNumber && !isLetter && self != "-" && self != "+" }
}
