import Norma

/// How long a row takes, and how long one copy of its bytes.
struct BenchResult {
  let name: String
  let shape: [Int]
  let dtype: DType
  /// The median, for one operation.
  let seconds: Double
  /// The median of the copies in between.
  let copySeconds: Double
  /// What the operation reads and writes at the least.
  let byteCount: Int
  /// The most that tensors held beside the operation's inputs and its result.
  let temporaryBytes: Int

  var milliseconds: Double { seconds * 1e3 }
  var gigabytesPerSecond: Double { Double(byteCount) / seconds / 1e9 }
  var copies: Double { seconds / copySeconds }
}

/// Times a row and copies of its bytes in turn, so that a change of the processor's clock meets
/// both.
struct BenchTimer {
  /// A row is run this often, and until ``leastSeconds`` have been spent in it.
  var leastRuns = 9
  var leastSeconds = 0.3
  /// What takes less is timed several times at once, because reading the clock takes time, too.
  var shortest = 50e-6

  /// One run each: a check that they run, no measurement.
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

  /// Runs a row without a clock: what a tool counts between entry and exit of ``counted(_:_:)`` are its calls.
  static func count(_ row: BenchRow, calls: Int) {
    let work = row.prepare()
    for _ in 0..<2 { _ = work.run() }
    counted(work, calls)
  }

  /// A function of its own, by whose name Tools/count-instructions.py finds the calls.
  @inline(never) private static func counted(_ work: BenchWork, _ calls: Int) {
    for _ in 0..<calls { _ = work.run() }
  }

  /// The first warm-up run, watched.
  private static func temporaryBytes(of work: BenchWork) -> Int {
    TensorMemory.resetPeak()
    let result = work.run()
    return withExtendedLifetime(result) {
      let usage = TensorMemory.usage
      return usage.peak - usage.inUse
    }
  }

  /// How often to run what may be short; the second warm-up run.
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
