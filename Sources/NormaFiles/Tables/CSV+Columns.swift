import NormaTensor

extension CSV {
  /// Columns as numbers, `[rows, columns]`; all of them without `columns`.
  ///
  /// Missing fields are NaN in real types and an error in others. `true` and `false`, in any case, are
  /// 1 and 0.
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
    return dtype == .uint64
      ? try integers(of: UInt64.self, places, dtype) : try integers(of: Int64.self, places, dtype)
  }

  /// Columns of integers, read in a type that holds all those of `dtype`.
  private func integers<T: FixedWidthInteger & TensorElement>(
    of type: T.Type, _ places: [Int], _ dtype: DType
  ) throws -> Tensor {
    var values: [T] = []
    values.reserveCapacity(rowCount * places.count)
    for row in 0..<rowCount {
      for place in places { values.append(try integer(row, place, dtype)) }
    }
    if let wrong = CSV.misfit(values, dtype) {
      throw noNumber(wrong / places.count, places[wrong % places.count], "a number of \(dtype)")
    }
    return Tensor(values).reshaped([rowCount, places.count]).cast(to: dtype).evaluated()
  }

  /// The first number that an integer type does not hold.
  private static func misfit<T: FixedWidthInteger & TensorElement>(
    _ values: [T], _ dtype: DType
  ) -> Int? {
    // Which numbers a type holds is known to `Tensor(_:dtype:)`, but for 2 as a Boolean.
    func fits(_ values: [T]) -> Bool {
      (try? catchingTensorErrors { try Tensor(values, dtype: dtype).validated() }) != nil
    }
    if dtype == .bool { return values.firstIndex { !(0...1).contains($0) } }
    return fits(values) ? nil : values.firstIndex { !fits([$0]) }
  }

  /// A column of names as numbers, `int64 [rows]`, and the names in their order.
  ///
  /// - Parameters:
  ///   - column: the column.
  ///   - missing: the number of missing fields, such as the -100 that `crossEntropy` ignores.
  /// - Throws: `FileError` for a missing field where it has no number. Where a word such as `NA` is a
  ///   name of its own, take it out of ``Options/missing``.
  public func classes(
    _ column: String, missing: Int? = nil
  ) throws -> (labels: Tensor, names: [String]) {
    let names = Set(try strings(column)).subtracting(options.missing).sorted()
    return (try classes(column, names: names, missing: missing), names)
  }

  /// A column of names as numbers, `int64 [rows]`, by names that are known: the index of each among
  /// `names`. For a second table, which has the numbers of the first then.
  ///
  /// - Parameters:
  ///   - column: the column.
  ///   - names: all names in their order, each once; not all need occur.
  ///   - missing: the number of missing fields.
  ///   - unknown: the number of names that are not among `names`.
  /// - Throws: `FileError` naming line and column of a missing field or an unknown name that has no
  ///   number.
  public func classes(
    _ column: String, names: [String], missing: Int? = nil, unknown: Int? = nil
  ) throws -> Tensor {
    let place = try place(column)
    var numbers: [String: Int64] = [:]
    for (number, name) in names.enumerated() {
      guard numbers.updateValue(Int64(number), forKey: name) == nil else {
        throw context.unsupported(
          "cannot be classified", "\(quoted(name)) is twice among the names of the classes")
      }
    }
    let labels = try (0..<rowCount).map { row in
      let field = fields[row * self.names.count + place]
      if let number = numbers[field] { return number }
      if options.missing.contains(field) {
        guard let missing else {
          throw context.malformed(
            "has a missing class",
            description(row, place) + "; missing: gives it a number, and Options.missing says "
              + "which words are missing")
        }
        return Int64(missing)
      }
      guard let unknown else {
        let listed = names.prefix(8).map(quoted).joined(separator: ", ")
        throw context.malformed(
          "has an unknown class",
          description(row, place) + "; known are \(listed)\(names.count > 8 ? ", ..." : "")"
            + "; unknown: gives others a number")
      }
      return Int64(unknown)
    }
    return Tensor(labels)
  }

  /// A field without spaces around it, also where they count elsewhere.
  private func trimmed(_ row: Int, _ place: Int) -> Substring {
    var field = fields[row * names.count + place][...]
    while field.first == " " { field.removeFirst() }
    while field.last == " " { field.removeLast() }
    return field
  }

  private func isMissing(_ field: Substring) -> Bool { options.missing.contains(String(field)) }

  private func number(_ row: Int, _ place: Int) throws -> Double {
    let field = trimmed(row, place)
    if isMissing(field) { return .nan }
    if let value = options.plain(field).flatMap({ Double($0) }) { return value }
    guard let truth = truth(field) else { throw noNumber(row, place, "a number") }
    return truth ? 1 : 0
  }

  private func integer<T: FixedWidthInteger>(
    _ row: Int, _ place: Int, _ dtype: DType
  ) throws -> T {
    let field = trimmed(row, place)
    if isMissing(field) {
      throw context.malformed(
        "has a missing field",
        description(row, place) + "; \(dtype) has no NaN for it, as real types have")
    }
    if let value = options.plain(field).flatMap({ T($0) }) { return value }
    guard let truth = truth(field) else { throw noNumber(row, place, "a number of \(dtype)") }
    return truth ? 1 : 0
  }

  private func truth(_ field: Substring) -> Bool? {
    switch field.lowercased() {
    case "true": true
    case "false": false
    default: nil
    }
  }

  private func noNumber(_ row: Int, _ place: Int, _ wanted: String) -> FileError {
    var help = hint
    let field = trimmed(row, place)
    if help.isEmpty, options.decimalMark != ",", Double(field.replacing(",", with: ".")) != nil {
      help = "; decimalMark: \",\" reads decimal commas"
    } else if help.isEmpty, Double(field) == nil {
      help = "; Options.missing says which words are missing numbers"
    }
    return context.malformed(
      "has a field that is not \(wanted)", description(row, place) + help)
  }
}

extension CSV.Options {
  /// A number as Swift writes it, or nil where its marks are not in order.
  fileprivate func plain(_ field: Substring) -> Substring? {
    if decimalMark == ".", thousandsMark == nil { return field }
    let parts = field.split(
      separator: decimalMark, maxSplits: 1, omittingEmptySubsequences: false)
    var whole = parts.first ?? ""
    if let thousandsMark, whole.contains(thousandsMark) {
      let groups = whole.drop { $0 == "-" || $0 == "+" }
        .split(separator: thousandsMark, omittingEmptySubsequences: false)
      guard (1...3).contains(groups[0].count), groups.dropFirst().allSatisfy({ $0.count == 3 })
      else { return nil }
      whole.removeAll { $0 == thousandsMark }
    }
    let text = parts.count == 2 ? "\(whole).\(parts[1])" : String(whole)
    // A point that is not the mark, or a second mark, is no part of a number.
    let points = text.count { $0 == "." }
    return points == parts.count - 1 ? text[...] : nil
  }
}
