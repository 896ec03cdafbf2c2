import ArgumentParser
import Foundation
import Norma

/// `norma bench`: how long operations take, measured in copies of their bytes.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure operations beside a copy of the same bytes.",
    discussion: """
      Columns:
        ms            median of at least 9 runs and 0.3 seconds, after 2 runs that
                      do not count
        GB/s          bytes of all inputs and outputs, each counted once, divided
                      by the time
        copies        the time divided by that of one copy of the largest input's
                      bytes (for rand and randn, of the result's): memcpy on the
                      same number of threads into memory that is already mapped,
                      run in turn with the row
        temporary MB  most memory that tensors held beside inputs and result

      chain.64 is one of 1000 operations on 64 values that are recorded and run \
      together, operation.64 one that runs alone. Rows of batchnorm.grid have the \
      sizes of PyTorch's own benchmark of batch norm, up to 1 GB; they are run with \
      --grid or when the filter contains "grid"; so are those of the catalogue, all \
      operations of the tensor from 64 to 20 million elements. Names of rows do not change. \
      Benchmarks/compare.py runs the same rows in PyTorch.
      """)

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @Option(help: "The number of threads; at first that of the cores.")
  var threads: Int?

  @Option(help: "Only rows whose name contains this regular expression.")
  var filter: String?

  @Flag(help: "Also run the sizes of PyTorch's own benchmark of batch norm.")
  var grid = false

  @Flag(help: "Also run every operation of the tensor at four sizes.")
  var catalogue = false

  @Option(help: "Run every row until it took so many seconds.")
  var seconds = 0.3

  @Flag(help: "Print the names of the rows and measure nothing.")
  var list = false

  @Flag(help: "Run every row once on small tensors: a check that they run, no measurement.")
  var quick = false

  @Option(
    help: "Instead: run every row so often after two more runs, for tools that count instructions.")
  var calls: Int?

  @Flag(help: "Instead: train for 1000 steps and print how much memory is held.")
  var memory = false

  func validate() throws {
    guard seconds >= 0 else { throw ValidationError("--seconds \(seconds): must not be negative") }
    if let threads, threads < 1 {
      throw ValidationError("--threads \(threads): there must be at least 1")
    }
    if let calls, calls < 1 {
      throw ValidationError("--calls \(calls): there must be at least 1")
    }
    _ = try rows()
  }

  func run() throws {
    let rows = try rows()
    if list {
      for row in rows { print(row.name) }
      return
    }
    if let threads { TensorThreads.count = threads }
    if memory {
      try checkMemory()
      return
    }
    if let calls {
      for row in rows {
        withSeed(0) { BenchTimer.count(row, calls: calls) }
        Terminal.show(row.name)
      }
      return
    }
    let report = BenchReport(
      machine: Machine.name, threads: TensorThreads.count, names: rows.map(\.name))
    if !json { Terminal.show(report.header) }
    let results = measure(rows) { if !json { Terminal.show(report.line($0)) } }
    if json { print(report.json(results)) }
  }

  private func checkMemory() throws {
    let check = quick ? MemoryCheck(steps: 4, every: 2) : MemoryCheck()
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    try withSeed(0) {
      try check.run { point in
        Terminal.show(
          json
            ? String(decoding: try encoder.encode(point), as: UTF8.self) : MemoryCheck.line(point))
      }
    }
  }

  /// Measures rows one after another and hands each result over at once.
  func measure(_ rows: [BenchRow], whenDone: (BenchResult) -> Void = { _ in }) -> [BenchResult] {
    let timer = quick ? BenchTimer.quick : BenchTimer(leastSeconds: seconds)
    return rows.enumerated().map { index, row in
      Terminal.showProgress("\(index + 1) of \(rows.count): \(row.name)")
      let result = withSeed(0) { timer.measure(row) }
      // The next row shall not find more memory than in a run of its own.
      TensorMemory.emptyCache()
      Terminal.showProgress(nil)
      whenDone(result)
      return result
    }
  }

  /// The rows that were asked for.
  func rows() throws -> [BenchRow] {
    let asksForGrid = grid || filter?.contains("grid") == true
    let asksForCatalogue = catalogue || filter?.contains("catalogue") == true
    let all = BenchRow.all(
      quick ? .quick : BenchSizes(), grid: asksForGrid, catalogue: asksForCatalogue)
    guard let filter else { return all }
    let pattern: Regex<AnyRegexOutput>
    do { pattern = try Regex(filter) } catch {
      throw ValidationError("--filter '\(filter)' is no regular expression: \(error)")
    }
    let chosen = all.filter { $0.name.contains(pattern) }
    if chosen.isEmpty {
      throw ValidationError("no row matches '\(filter)'; --list prints their names")
    }
    return chosen
  }
}
