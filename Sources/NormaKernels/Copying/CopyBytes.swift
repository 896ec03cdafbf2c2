import CNormaLoops

/// Copies bytes, split over a number of threads, as fast as the machine can.
///
/// The measure of everything that is bound by memory: `norma bench` prints how many such copies an
/// operation costs. If there are fewer than ``smallestShare`` bytes per thread, fewer threads copy,
/// because waking them would take longer.
package func copyBytes(
  from source: UnsafeRawPointer, to target: UnsafeMutableRawPointer, count: Int, threads: Int
) {
  let shares = max(min(threads, count / smallestShare), 1)
  let copy = Copy(source: source, target: target, count: count)
  withUnsafePointer(to: copy) { copy in
    norma_team_run(
      { context, index, count in
        guard let copy = context?.assumingMemoryBound(to: Copy.self).pointee else { return }
        copy.run(share: Int(index), of: Int(count))
      }, UnsafeMutableRawPointer(mutating: copy), Int32(shares))
  }
}

/// 64 KiB, about a microsecond of copying.
private let smallestShare = 1 << 16

private struct Copy {
  let source: UnsafeRawPointer
  let target: UnsafeMutableRawPointer
  let count: Int

  /// Shares end at page boundaries, so that no two threads write to the same cache line.
  func run(share: Int, of shares: Int) {
    let pages = (count + 4095) / 4096
    let start = pages * share / shares * 4096
    let end = min(pages * (share + 1) / shares * 4096, count)
    (target + start).copyMemory(from: source + start, byteCount: end - start)
  }
}
