import ArgumentParser
import Foundation
import Norma

/// `norma bench`: how long operations take, measured in copies of their bytes.
struct BenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Measure operations relative to a copy of the same bytes.",
    discussion: """
      Columns:
        ms            median of at least 9 runs and 0.3 seconds, after 2 warm-up runs
        GB/s          bytes of all inputs and outputs, each counted once, divided
                      by the time
        copies        the time divided by that of one copy of the largest input's
                      bytes (for rand and randn, of the result's): memcpy on the
                      same number of threads into memory that is already mapped,
                      alternating with the row
        temporary MB  peak memory of tensors other than inputs and result

      chain.64 is one of 1000 operations on 64 values that are recorded and run \
      together; operation.64 is one that runs alone. Rows of batchnorm.grid have the \
      sizes of PyTorch's own benchmark of batch norm, up to 1 GB; they run with \
      --grid or when the filter contains "grid". The catalogue (--catalogue) has all \
      operations of the tensor, from 64 to 20 million elements. Names of \
      rows do not change. Benchmarks/compare.py runs the same rows in PyTorch.
      """)

  @Flag(help: "Print JSON instead of a table.")
  var json = false

  @Option(help: "The number of threads; by default the number of cores.")
  var threads: Int?

  @Option(help: "Run only rows whose name matches this regular expression.")
  var filter: String?

  @Flag(help: "Also run the sizes of PyTorch's own benchmark of batch norm.")
  var grid = false

  @Flag(help: "Also run every operation of the tensor at four sizes.")
  var catalogue = false

  @Option(help: "Run every row for at least this many seconds.")
  var seconds = 0.3

  @Flag(help: "Print the names of the rows without measuring.")
  var list = false

  @Flag(help: "Run every row once on small tensors, as a check without measurements.")
  var quick = false

  @Option(
    help: "Instead: run every row this often after two warm-up runs, for instruction counters.")
  var calls: Int?

  @Flag(help: "Instead: train for 1000 steps and print the memory in use.")
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

  /// Measures rows one after another and reports each result immediately.
  func measure(_ rows: [BenchRow], whenDone: (BenchResult) -> Void = { _ in }) -> [BenchResult] {
    let timer = quick ? BenchTimer.quick : BenchTimer(leastSeconds: seconds)
    return rows.enumerated().map { index, row in
      Terminal.showProgress("\(index + 1) of \(rows.count): \(row.name)")
      let result = withSeed(0) { timer.measure(row) }
      // The next row must not find more cached memory than in a run of its own.
      TensorMemory.emptyCache()
      Terminal.showProgress(nil)
      whenDone(result)
      return result
    }
  }

  /// The selected rows.
  func rows() throws -> [BenchRow] {
    let asksForGrid = grid || filter?.contains("grid") == true
    let asksForCatalogue = catalogue || filter?.contains("catalogue") == true
    let all = BenchRow.all(
      quick ? .quick : BenchSizes(), grid: asksForGrid, catalogue: asksForCatalogue)
    guard let filter else { return all }
    let pattern: Regex<AnyRegexOutput>
    do { pattern = try Regex(filter) } catch {
      throw ValidationError("--filter '\(filter)' is not a regular expression: \(error)")
    }
    let chosen = all.filter { $0.name.contains(pattern) }
    if chosen.isEmpty {
      throw ValidationError("no row matches '\(filter)'; --list prints their names")
    }
    return chosen
  }
}
