import Norma

/// The time of a row, and of one copy of its bytes.
struct BenchResult {
  let name: String
  let shape: [Int]
  let dtype: DType
  /// The median time of one operation.
  let seconds: Double
  /// The median time of the copies in between.
  let copySeconds: Double
  /// The minimum number of bytes to read and write.
  let byteCount: Int
  /// The peak memory of tensors other than the operation's inputs and result.
  let temporaryBytes: Int

  var milliseconds: Double { seconds * 1e3 }
  var gigabytesPerSecond: Double { Double(byteCount) / seconds / 1e9 }
  var copies: Double { seconds / copySeconds }
}

/// Times a row and copies of its bytes in turn, so that a change of the processor's clock affects
/// both.
struct BenchTimer {
  /// A row is run at least this often, and until ``leastSeconds`` have been spent on it.
  var leastRuns = 9
  var leastSeconds = 0.3
  /// Shorter operations are timed several at a time, because reading the clock takes time, too.
  var shortest = 50e-6

  /// One run of each row, as a check without measurements.
  static let quick = BenchTimer(leastRuns: 1, leastSeconds: 0, shortest: 0)

  func measure(_ row: BenchRow) -> BenchResult {
    let work = row.prepare()
    let copy = BenchCopy(of: work.source)
    let temporaryBytes = BenchTimer.temporaryBytes(of: work)
    let runRepeats = repeats { _ = work.run() }
    copy.run()
    let copyRepeats = repeats { copy.run() }

    var runs: [Double] = []
    var copies: [Double] = []
    var total = 0.0
    while runs.count < leastRuns || total < leastSeconds {
      let time = BenchTimer.seconds { for _ in 0..<runRepeats { _ = work.run() } }
      runs.append(time / Double(runRepeats * work.operations))
      copies.append(BenchTimer.seconds { copy.run(times: copyRepeats) } / Double(copyRepeats))
      total += time
    }
    return BenchResult(
      name: row.name, shape: row.shape, dtype: work.source.dtype,
      seconds: BenchTimer.median(runs), copySeconds: BenchTimer.median(copies),
      byteCount: work.byteCount, temporaryBytes: temporaryBytes)
  }

  /// Runs a row without timing: a tool counts the calls between entry and exit of
  /// ``counted(_:_:)``.
  static func count(_ row: BenchRow, calls: Int) {
    let work = row.prepare()
    for _ in 0..<2 { _ = work.run() }
    counted(work, calls)
  }

  /// A separate function, so that Tools/count-instructions.py finds the calls by name.
  @inline(never) private static func counted(_ work: BenchWork, _ calls: Int) {
    for _ in 0..<calls { _ = work.run() }
  }

  /// Measures the memory of the first warm-up run.
  private static func temporaryBytes(of work: BenchWork) -> Int {
    TensorMemory.resetPeak()
    let result = work.run()
    return withExtendedLifetime(result) {
      let usage = TensorMemory.usage
      return usage.peak - usage.inUse
    }
  }

  /// The number of repetitions of short operations; the second warm-up run.
  private func repeats(_ body: () -> Void) -> Int {
    let time = BenchTimer.seconds(body)
    return time >= shortest ? 1 : Int((shortest / max(time, 1e-8)).rounded(.up))
  }

  private static func seconds(_ body: () -> Void) -> Double {
    let time = ContinuousClock().measure(body).components
    return Double(time.seconds) + Double(time.attoseconds) * 1e-18
  }

  static func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }
}
