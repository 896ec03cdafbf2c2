import Norma
import Testing

@testable import NormaCLI

@Suite struct BenchTests {
  private func bench(_ arguments: String...) throws -> BenchCommand {
    try #require(try NormaCommand.parseAsRoot(["bench"] + arguments) as? BenchCommand)
  }

  private func names(_ arguments: String...) throws -> [String] {
    let command = try NormaCommand.parseAsRoot(["bench"] + arguments) as? BenchCommand
    return try #require(command).rows().map(\.name)
  }

  @Test func everyRowRunsAndGivesNumbers() throws {
    let command = try bench("--quick", "--grid")
    let rows = try command.rows()
    let results = command.measure(rows)
    #expect(results.map(\.name) == rows.map(\.name))
    for result in results {
      #expect(result.milliseconds > 0 && result.milliseconds.isFinite, "\(result.name)")
      #expect(result.copies > 0 && result.copies.isFinite, "\(result.name)")
      #expect(result.byteCount > 0 && result.temporaryBytes >= 0, "\(result.name)")
      #expect(result.shape.count > 0 && result.dtype == .float32, "\(result.name)")
    }
  }

  @Test func namesDoNotDependOnSizes() throws {
    let full = try names()
    #expect(full == (try names("--quick")))
    #expect(Set(full).count == full.count)
    let allowed = Set("abcdefghijklmnopqrstuvwxyz0123456789.-")
    #expect(full.allSatisfy { allowed.isSuperset(of: $0) })
  }

  @Test func gridIsRunOnlyWhenAskedFor() throws {
    #expect(try names().allSatisfy { !$0.contains("grid") })
    #expect(try names("--filter", "batchnorm").allSatisfy { !$0.contains("grid") })
    let grid = try names("--filter", "grid")
    // Five by five sizes, without the one of 5 GB; channels last where it is another layout.
    let first = grid.filter { !$0.hasSuffix(".channels-last") }
    #expect(first.count == 24 && !grid.contains("batchnorm.grid.c1000.h256"))
    #expect(grid.count == 24 + 15 && !grid.contains("batchnorm.grid.c1.h4.channels-last"))
    #expect(try names("--grid").suffix(grid.count) == grid[...])
  }

  @Test func filterIsARegularExpression() throws {
    #expect(try names("--filter", "^sum$") == ["sum"])
    #expect(try names("--filter", "^matmul[.](64|256)$") == ["matmul.64", "matmul.256"])
    #expect(throws: (any Error).self) { try names("--filter", "(") }
    #expect(throws: (any Error).self) { try names("--filter", "no such row") }
    #expect(throws: (any Error).self) { try names("--threads", "0") }
  }

  @Test func jsonHasTheDocumentedMembers() throws {
    let result = BenchResult(
      name: "sum", shape: [2, 3], dtype: .float32, seconds: 2e-3, copySeconds: 4e-3,
      byteCount: 8_000_000, temporaryBytes: 64)
    let report = BenchReport(machine: "a \"machine\"", threads: 2, names: ["sum"])
    let json = try JSON.parse(report.json([result]))
    #expect(json["machine"]?.stringValue == "a \"machine\"")
    #expect(json["threads"]?.intValue == 2)
    let row = try #require(json["rows"]?[0])
    #expect(row["name"]?.stringValue == "sum")
    #expect(row["shape"]?.arrayValue?.compactMap(\.intValue) == [2, 3])
    #expect(row["dtype"]?.stringValue == "float32")
    #expect(row["ms"]?.doubleValue == 2)
    #expect(row["gbps"]?.doubleValue == 4)
    #expect(row["copies"]?.doubleValue == 0.5)
  }

  @Test func medianIsTheMiddle() {
    #expect(BenchTimer.median([3]) == 3)
    #expect(BenchTimer.median([9, 1, 2]) == 2)
    #expect(BenchTimer.median([4, 1, 3, 2]) == 2.5)
  }

  @Test(arguments: [
    (0.0, "0.000"), (0.000_056_4, "0.000056"), (0.007_12, "0.007120"), (1.234_56, "1.235"),
    (12.345, "12.35"), (123.45, "123.5"), (6543.2, "6543"),
  ])
  func numbersHaveAboutFourDigits(value: Double, text: String) {
    #expect(BenchReport.digits(value) == text)
  }

  @Test func numbersAreRounded() {
    #expect(BenchReport.fixed(1.005, 1) == "1.0")
    #expect(BenchReport.fixed(-0.04, 1) == "0.0")
    #expect(BenchReport.fixed(-1.25, 2) == "-1.25")
    #expect(BenchReport.fixed(9.999, 2) == "10.00")
    #expect(BenchReport.fixed(7, 0) == "7")
    #expect(BenchReport.fixed(.infinity, 2) == "inf")
  }
}
