/// The memory of one thread for the blocks of an attention.
final class AttentionScratch {
  private let memory: UnsafeMutableRawPointer

  /// Scaled queries, scores, and gradients of weights.
  let queries: UnsafeMutableRawPointer
  let scores: UnsafeMutableRawPointer, slopes: UnsafeMutableRawPointer
  /// Scaled gradients of the result, and the result of a product before it is added.
  let upstream: UnsafeMutableRawPointer, part: UnsafeMutableRawPointer
  /// The sum over blocks of keys: a result, or a gradient of queries.
  let sum: UnsafeMutableRawPointer
  /// A number for each query: the largest score, the sum of powers, and factors of either.
  let highest: UnsafeMutableRawPointer
  let sums: UnsafeMutablePointer<Double>, factors: UnsafeMutablePointer<Double>
  /// Bytes that are 0 where weights are dropped, for all keys of a block of queries.
  let kept: UnsafeMutablePointer<UInt8>

  /// - Parameter drops: whether weights are dropped.
  init(_ plan: AttentionPlan, drops: Bool) {
    let (rows, columns) = (plan.queryBlock, plan.keyBlock)
    let widest = max(plan.width, plan.valueWidth)
    let counts = [
      rows * plan.width, rows * columns, rows * columns, rows * plan.valueWidth,
      max(rows, columns) * widest, rows * widest, rows,
    ]
    // Parts begin at cache lines.
    var offsets: [Int] = [0]
    let sizes = counts.map { $0 * plan.dtype.byteCount } + [rows * 8, rows * 8]
    for size in sizes + [drops ? rows * plan.keys : 0] {
      offsets.append((offsets[offsets.count - 1] + size + 63) / 64 * 64)
    }
    memory = UnsafeMutableRawPointer.allocate(
      byteCount: offsets[offsets.count - 1], alignment: 64)
    queries = memory
    scores = memory + offsets[1]
    slopes = memory + offsets[2]
    upstream = memory + offsets[3]
    part = memory + offsets[4]
    sum = memory + offsets[5]
    highest = memory + offsets[6]
    sums = (memory + offsets[7]).assumingMemoryBound(to: Double.self)
    factors = (memory + offsets[8]).assumingMemoryBound(to: Double.self)
    kept = (memory + offsets[9]).assumingMemoryBound(to: UInt8.self)
  }

  deinit { memory.deallocate() }
}
