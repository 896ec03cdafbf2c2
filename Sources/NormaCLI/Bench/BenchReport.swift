import Norma

/// The output of `norma bench`: a table, line by line as rows are measured, or one JSON value.
struct BenchReport {
  let machine: String
  let threads: Int
  /// The width of the name column, known before the first row is measured.
  let nameWidth: Int

  /// Norma's C loops are as fast in debug builds, but calls on small tensors are not.
  static var build: String {
    #if DEBUG
      "debug"
    #else
      "release"
    #endif
  }

  init(machine: String, threads: Int, names: [String]) {
    self.machine = machine
    self.threads = threads
    nameWidth = names.map(\.count).max() ?? 0
  }

  /// The header of the table.
  var header: String {
    let titles = line("row", "shape", ["ms", "GB/s", "copies", "temporary MB"])
    let count = threads == 1 ? "1 thread" : "\(threads) threads"
    return "\(machine), \(count), \(BenchReport.build) build\n\n" + Terminal.bold(titles)
  }

  /// One line of the table.
  func line(_ result: BenchResult) -> String {
    line(
      result.name, result.shape.map(String.init).joined(separator: "x"),
      [
        BenchReport.digits(result.milliseconds), BenchReport.digits(result.gigabytesPerSecond),
        BenchReport.fixed(result.copies, 2),
        BenchReport.fixed(Double(result.temporaryBytes) / 1e6, 1),
      ])
  }

  private func line(_ name: String, _ shape: String, _ columns: [String]) -> String {
    let widths = [10, 9, 9, 14]
    func padding(_ text: String, _ width: Int) -> String {
      String(repeating: " ", count: max(width - text.count, 0))
    }
    let start = name + padding(name, nameWidth + 2) + shape + padding(shape, 15)
    return zip(columns, widths).reduce(start) { $0 + padding($1.0, $1.1) + $1.0 }
  }

  /// All rows as JSON. Milliseconds and bytes are rounded to nanoseconds at most.
  func json(_ results: [BenchResult]) -> String {
    func rounded(_ value: Double) -> JSON { .double((value * 1e6).rounded() / 1e6) }
    let rows = results.map { result in
      JSON.object([
        ("name", .string(result.name)),
        ("shape", .array(result.shape.map(JSON.int))),
        ("dtype", .string("\(result.dtype)")),
        ("ms", rounded(result.milliseconds)),
        ("gbps", rounded(result.gigabytesPerSecond)),
        ("copies", rounded(result.copies)),
        ("temporaryBytes", .int(result.temporaryBytes)),
      ])
    }
    return JSON.object([
      ("machine", .string(machine)), ("threads", .int(threads)),
      ("build", .string(BenchReport.build)), ("rows", .array(rows)),
    ]).text(indent: 2)
  }

  // MARK: Numbers

  /// About four significant digits, without an exponent.
  static func digits(_ value: Double) -> String {
    var decimals = 3
    var scale = value.magnitude
    while scale >= 10, decimals > 0 { (scale, decimals) = (scale / 10, decimals - 1) }
    while scale < 1, scale > 0, decimals < 6 { (scale, decimals) = (scale * 10, decimals + 1) }
    return fixed(value, decimals)
  }

  /// A number with this many decimals.
  static func fixed(_ value: Double, _ decimals: Int) -> String {
    let unit = (0..<decimals).reduce(1.0) { unit, _ in unit * 10 }
    let scaled = (value.magnitude * unit).rounded()
    guard let all = Int(exactly: scaled) else { return "\(value)" }
    let sign = value < 0 && all > 0 ? "-" : ""
    guard decimals > 0 else { return "\(sign)\(all)" }
    let fraction = String(all % Int(unit))
    let zeros = String(repeating: "0", count: decimals - fraction.count)
    return "\(sign)\(all / Int(unit)).\(zeros)\(fraction)"
  }
}
