import CNormaLoops

/// Normalization of contiguous groups of `float32` values, and its gradient, group by group while
/// each is in cache: with the instructions of programs, but without programs.
package struct GroupNormalization: Sendable {
  /// The shortest run of values with the same parameter that is worth a loop of its own.
  package static let shortestRun = 16

  /// The longest row of parameters whose gradient has a kernel: for longer ones, the sums of the
  /// chunks would need more memory than the rows.
  package static let longestRow = 1 << 16

  private let form: norma_groups

  /// Groups of `pieces` of `length` adjacent values each. Several pieces are far from each other,
  /// like those of a channel in a batch. The value at offset o has the parameter `o / inner %
  /// period`.
  package init(groups: Int, pieces: Int = 1, length: Int, inner: Int, period: Int) {
    form = norma_groups(
      groups: Int64(groups), pieces: Int64(pieces), length: Int64(length),
      group_step: Int64(length), piece_step: Int64(groups * length), inner: Int64(inner),
      period: Int64(period))
  }

  /// The number of groups, each with statistics of its own.
  package var count: Int { Int(form.groups) }
  /// The number of values of each statistic.
  package var valuesPerGroup: Int { Int(form.pieces * form.length) }
  /// The number of parameters.
  package var parameterCount: Int { Int(form.period) }
  /// Whether groups are consecutive in memory.
  package var isRows: Bool { form.pieces == 1 }
  /// Whether parameters change from value to value.
  package var hasRowOfParameters: Bool { form.inner == 1 }

  private var valueCount: Int { count * valuesPerGroup }
  /// The number of adjacent values with the same parameter within a group.
  private var run: Int { Int(min(form.inner, form.length)) }

  /// Writes y, and for each group the mean, the sum of squared distances from it and the variance.
  package func run(
    _ parameters: norma_group_parameters, x: UnsafeRawPointer, y: UnsafeMutableRawPointer,
    mean: UnsafeMutablePointer<Double>, squares: UnsafeMutablePointer<Double>,
    variance: UnsafeMutablePointer<Double>, threads: Int
  ) {
    var form = form
    var parameters = parameters
    let x = x.assumingMemoryBound(to: Float.self)
    let y = y.assumingMemoryBound(to: Float.self)
    inParallel(count, work: valueCount, threads: threads) { begin, end in
      norma_normalize_groups(&form, &parameters, x, y, mean, squares, variance, begin, end)
    }
  }

  /// The number of chunks of rows whose sums for a row of parameters are taken on their own: enough
  /// for many threads, in at most 8 MiB. It depends only on the shape, so that the bits do not
  /// depend on the number of threads.
  private var chunks: Int { max(min(64, count / 8, (1 << 19) / parameterCount), 1) }

  /// The number of sums for each of weight and bias: for each chunk of rows, or each run of values.
  private var sumCount: Int { hasRowOfParameters ? chunks * parameterCount : valueCount / run }

  /// The bytes that `gradient` needs for these sums.
  package var sumBytes: Int { 2 * sumCount * 8 }

  /// Writes the gradient of x, unless that is nil, and those of weight and bias.
  package func gradient(
    _ parameters: norma_group_parameters, x: UnsafeRawPointer, upstream: UnsafeRawPointer,
    mean: UnsafePointer<Double>, variance: UnsafePointer<Double>, dx: UnsafeMutableRawPointer?,
    weight: UnsafeMutablePointer<Float>, bias: UnsafeMutablePointer<Float>,
    sums: UnsafeMutablePointer<Double>, threads: Int
  ) {
    let (products, plain) = (sums, sums + sumCount)
    let (isByChunk, chunks, columns) = (hasRowOfParameters, chunks, parameterCount)
    if isByChunk { sums.initialize(repeating: 0, count: 2 * sumCount) }
    var form = form
    var parameters = parameters
    let x = x.assumingMemoryBound(to: Float.self)
    let upstream = upstream.assumingMemoryBound(to: Float.self)
    let dx = dx?.assumingMemoryBound(to: Float.self)
    inParallel(isByChunk ? chunks : count, work: valueCount, threads: threads) { begin, end in
      guard isByChunk else {
        norma_group_gradient(
          &form, &parameters, x, upstream, mean, variance, dx, products, plain, begin, end)
        return
      }
      for chunk in Int(begin)..<Int(end) {
        norma_group_gradient(
          &form, &parameters, x, upstream, mean, variance, dx, products + chunk * columns,
          plain + chunk * columns, Int64(count * chunk / chunks),
          Int64(count * (chunk + 1) / chunks))
      }
    }
    let repeats = Int64(Int(form.inner) / run)
    norma_add_runs(products, Int64(sumCount), repeats, form.period, weight)
    norma_add_runs(plain, Int64(sumCount), repeats, form.period, bias)
  }
}
