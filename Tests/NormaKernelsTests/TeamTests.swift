import CNormaLoops
import Foundation
import Synchronization
import Testing

/// Runs a region of `threads` and returns how often each index ran; `inside` is called from each.
///
/// The counts are plain memory: an index that ran twice concurrently is a race that the thread
/// sanitizer reports.
private func runs(threads: Int32, inside: @escaping @Sendable () -> Void = {}) -> [Int] {
  struct Region {
    let hits: UnsafeMutablePointer<Int>
    let expectedCount: Int32
    let inside: @Sendable () -> Void
  }
  let count = max(threads, 1)
  return [Int](unsafeUninitializedCapacity: Int(count)) { hits, initializedCount in
    hits.initialize(repeating: 0)
    initializedCount = Int(count)
    guard let base = hits.baseAddress else { return }
    var region = Region(hits: base, expectedCount: count, inside: inside)
    withUnsafeMutablePointer(to: &region) { region in
      norma_team_run(
        { context, index, count in
          guard let region = context?.assumingMemoryBound(to: Region.self).pointee else { return }
          guard count == region.expectedCount, (0..<count).contains(index) else { return }
          region.inside()
          region.hits[Int(index)] += 1
        }, region, threads)
    }
  }
}

private func countIndex(context: UnsafeMutableRawPointer?, index: Int32, count: Int32) {
  context?.assumingMemoryBound(to: Int.self)[Int(index)] += 1
}

// Serialized: a region that finds the team busy runs alone and would test little.
@Suite(.serialized) struct TeamTests {
  @Test(arguments: [-1, 0, 1, 2, 3, 7, 64] as [Int32])
  func everyIndexRunsOnce(threads: Int32) {
    #expect(runs(threads: threads) == Array(repeating: 1, count: Int(max(threads, 1))))
  }

  @Test func moreIndicesThanThereCanBeThreads() {
    #expect(runs(threads: 1_000) == Array(repeating: 1, count: 1_000))
  }

  @Test(arguments: [2, 3, 7] as [Int32])
  func nestedRegionsRunEveryIndexOnce(threads: Int32) {
    let wrong = Atomic<Int>(0)
    let outer = runs(threads: threads) {
      if runs(threads: 5) != [1, 1, 1, 1, 1] { wrong.add(1, ordering: .relaxed) }
    }
    #expect(outer == Array(repeating: 1, count: Int(threads)))
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  @Test func severalThreadsCallConcurrently() {
    let wrong = Atomic<Int>(0)
    DispatchQueue.concurrentPerform(iterations: 8) { caller in
      for turn in 0..<200 {
        let threads = Int32(1 + (caller + turn) % 7)
        if runs(threads: threads) != Array(repeating: 1, count: Int(threads)) {
          wrong.add(1, ordering: .relaxed)
        }
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
  }

  @Test func whatAnIndexWroteIsSeenAfterwards() {
    var sums = [Int](repeating: 0, count: 7)
    for turn in 1...100 {
      sums.withUnsafeMutableBufferPointer { sums in
        norma_team_run(countIndex, sums.baseAddress, 7)
      }
      #expect(sums == Array(repeating: turn, count: 7))
    }
  }

  @Test(arguments: [2, 7] as [Int32])
  func tenThousandTinyRegions(threads: Int32) {
    var counts = [Int](repeating: 0, count: Int(threads))
    counts.withUnsafeMutableBufferPointer { counts in
      for _ in 0..<10_000 {
        norma_team_run(countIndex, counts.baseAddress, threads)
      }
    }
    #expect(counts == Array(repeating: 10_000, count: Int(threads)))
  }

  @Test func defaultThreadsArePositive() {
    #expect(norma_team_default_threads() >= 1)
  }
}

@Suite struct LevelTests {
  // Selecting a level affects the whole process, but every level gives the same bits.
  @Test func selectionIsClamped() {
    let best = norma_loops_best_level()
    defer { norma_loops_select(best) }
    #expect((0...2).contains(best))
    norma_loops_select(-3)
    #expect(norma_loops_level() == 0)
    norma_loops_select(9)
    #expect(norma_loops_level() == best)
  }
}
