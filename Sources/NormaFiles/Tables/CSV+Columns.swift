import NormaTensor

extension CSV {
  /// Columns as numbers, `[rows, columns]`; all columns by default.
  ///
  /// Missing fields are NaN in real types and an error in others. `true` and `false`, in any case,
  /// are 1 and 0.
  /// - Throws: `FileError` with the line and column of a field that is not a number of this type.
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

  /// Columns of integers, read in a type that can represent all those of `dtype`.
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

  /// The first number that an integer type cannot represent.
  private static func misfit<T: FixedWidthInteger & TensorElement>(
    _ values: [T], _ dtype: DType
  ) -> Int? {
    // `Tensor(_:dtype:)` knows the numbers that a type can represent, except that 2 is not a
    // Boolean.
    func fits(_ values: [T]) -> Bool {
      (try? catchingTensorErrors { try Tensor(values, dtype: dtype).validated() }) != nil
    }
    if dtype == .bool { return values.firstIndex { !(0...1).contains($0) } }
    return fits(values) ? nil : values.firstIndex { !fits([$0]) }
  }

  /// A column of class names as indices, `int64 [rows]`, and the sorted names.
  ///
  /// - Parameters:
  ///   - column: the column.
  ///   - missing: the index for missing fields, such as the -100 that `crossEntropy` ignores.
  /// - Throws: `FileError` for a missing field if `missing` is nil. Where a word such as `NA` is
  ///   itself a class name, remove it from ``Options/missing``.
  public func classes(
    _ column: String, missing: Int? = nil
  ) throws -> (labels: Tensor, names: [String]) {
    let names = Set(try strings(column)).subtracting(options.missing).sorted()
    return (try classes(column, names: names, missing: missing), names)
  }

  /// A column of class names as indices, `int64 [rows]`, into the given names. Use it for a second
  /// table, so that it has the same indices as the first.
  ///
  /// - Parameters:
  ///   - column: the column.
  ///   - names: all names in order, without duplicates; not all need to occur.
  ///   - missing: the index for missing fields.
  ///   - unknown: the index for names that are not in `names`.
  /// - Throws: `FileError` with line and column of a missing field or an unknown name without an
  ///   index.
  public func classes(
    _ column: String, names: [String], missing: Int? = nil, unknown: Int? = nil
  ) throws -> Tensor {
    let place = try place(column)
    var numbers: [String: Int64] = [:]
    for (number, name) in names.enumerated() {
      guard numbers.updateValue(Int64(number), forKey: name) == nil else {
        throw context.unsupported(
          "cannot be classified", "\(quoted(name)) occurs twice in the names of the classes")
      }
    }
    let labels = try (0..<rowCount).map { row in
      let field = fields[row * self.names.count + place]
      if let number = numbers[field] { return number }
      if options.missing.contains(field) {
        guard let missing else {
          throw context.malformed(
            "has a missing class",
            description(row, place) + "; missing: gives it a number, and Options.missing lists "
              + "the words for missing values")
        }
        return Int64(missing)
      }
      guard let unknown else {
        let listed = names.prefix(8).map(quoted).joined(separator: ", ")
        throw context.malformed(
          "has an unknown class",
          description(row, place) + "; known names are \(listed)\(names.count > 8 ? ", ..." : "")"
            + "; unknown: gives the others a number")
      }
      return Int64(unknown)
    }
    return Tensor(labels)
  }

  /// A field without surrounding spaces, even if `trimsSpaces` is false.
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
        description(row, place) + "; \(dtype) has no NaN to represent it, unlike real types")
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
      help = "; Options.missing lists the words for missing values"
    }
    return context.malformed(
      "has a field that is not \(wanted)", description(row, place) + help)
  }
}

extension CSV.Options {
  /// A number in Swift's notation, or nil if its marks are invalid.
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
    // A point that is not the decimal mark, or a second mark, is not part of a number.
    let points = text.count { $0 == "." }
    return points == parts.count - 1 ? text[...] : nil
  }
}
