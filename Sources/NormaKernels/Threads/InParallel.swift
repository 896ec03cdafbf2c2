import CNormaLoops

/// Runs `body` over parts of `0 ..< count` on the thread team; small work stays on the caller.
package func inParallel(_ count: Int, work: Int, threads: Int, _ body: (Int64, Int64) -> Void) {
  let shares = max(min(threads, count, work / smallestShare), 1)
  if shares == 1 { return body(0, Int64(count)) }
  withoutActuallyEscaping(body) { body in
    let region = ParallelRegion(count: count, body: body)
    withUnsafePointer(to: region) { region in
      norma_team_run(
        { context, index, shares in
          guard let region = context?.assumingMemoryBound(to: ParallelRegion.self).pointee else {
            return
          }
          let (index, shares) = (Int(index), Int(shares))
          region.body(
            Int64(region.count * index / shares), Int64(region.count * (index + 1) / shares))
        }, UnsafeMutableRawPointer(mutating: region), Int32(shares))
    }
  }
}

/// The number of results for which waking a thread is worthwhile.
private let smallestShare = 1 << 13

private struct ParallelRegion {
  let count: Int
  let body: (Int64, Int64) -> Void
}
