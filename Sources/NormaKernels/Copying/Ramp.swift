import CNormaLoops

/// Evenly spaced numbers, written by threads.
package enum Ramp {
  /// `start + i * step`, rounded once.
  package static func arange(
    _ out: UnsafeMutablePointer<Double>, count: Int, start: Double, step: Double, threads: Int
  ) {
    inParallel(count, work: count, threads: threads) { norma_arange_f64($0, $1, start, step, out) }
  }

  /// `start + i * step`, rounded once.
  package static func arange(
    _ out: UnsafeMutablePointer<Float>, count: Int, start: Double, step: Double, threads: Int
  ) {
    inParallel(count, work: count, threads: threads) { norma_arange_f32($0, $1, start, step, out) }
  }

  /// `start + i * step`, which wraps.
  package static func arange(
    _ out: UnsafeMutablePointer<Int64>, count: Int, start: Int64, step: Int64, threads: Int
  ) {
    inParallel(count, work: count, threads: threads) { norma_arange_i64($0, $1, start, step, out) }
  }

  /// From `start` to `stop`, each computed from the nearer end.
  package static func linspace(
    _ out: UnsafeMutablePointer<Double>, count: Int, start: Double, stop: Double, threads: Int
  ) {
    var line = norma_line(start: start, stop: stop, count: Int64(count))
    inParallel(count, work: count, threads: threads) { norma_linspace_f64(&line, $0, $1, out) }
  }

  /// From `start` to `stop`, each computed from the nearer end and rounded once.
  package static func linspace(
    _ out: UnsafeMutablePointer<Float>, count: Int, start: Double, stop: Double, threads: Int
  ) {
    var line = norma_line(start: start, stop: stop, count: Int64(count))
    inParallel(count, work: count, threads: threads) { norma_linspace_f32(&line, $0, $1, out) }
  }

  /// The powers of `base` whose exponents go from `start` to `stop`.
  package static func logspace(
    _ out: UnsafeMutablePointer<Double>, count: Int, start: Double, stop: Double, base: Double,
    threads: Int
  ) {
    var line = norma_line(start: start, stop: stop, count: Int64(count))
    inParallel(count, work: 16 * count, threads: threads) {
      norma_logspace_f64(&line, base, $0, $1, out)
    }
  }
}
