import Foundation
import NormaRandom
import NormaTensor
import Synchronization

extension ProcessGroup {
  /// Runs `body` in as many threads, each a member of a group: for replicas on one machine, and for
  /// tests of programs that run on several.
  ///
  /// Every thread has a default generator of its own, which starts where the caller's is, as
  /// processes with the same seed have.
  /// - Returns: what each returned, in the order of ranks.
  /// - Throws: the first error that a thread ended with; the calls of the others then fail, too.
  @discardableResult
  public static func withThreads<R: Sendable>(
    _ count: Int, timeout: Duration = defaultTimeout,
    _ body: @escaping @Sendable (ProcessGroup) throws -> R
  ) throws -> [R] {
    let (hub, background) = (ThreadHub(count: max(count, 1)), ThreadHub(count: max(count, 1)))
    let results = Mutex<[Int: Result<R, any Error>]>([:])
    let first = Mutex<(any Error)?>(nil)
    let generator = Generator.current
    let all = DispatchGroup()
    for rank in 0..<hub.count {
      all.enter()
      let thread = Thread {
        defer { all.leave() }
        let group = ProcessGroup(
          ThreadTransport(hub: hub, rank: rank),
          background: ThreadTransport(hub: background, rank: rank), timeout: timeout)
        var own = generator
        let result = Result { try withGenerator(&own) { try body(group) } }
        if case .failure(let error) = result {
          first.withLock { $0 = $0 ?? error }
          let failure = ProcessGroupError(
            "withThreads(_:timeout:_:)", "rank \(rank) ended: \(error)", ranks: [rank])
          hub.end(failure)
          background.end(failure)
        }
        results.withLock { $0[rank] = result }
      }
      // As deep as the main thread's.
      thread.stackSize = 8 << 20
      thread.start()
    }
    all.wait()
    if let error = first.withLock({ $0 }) { throw error }
    let found = results.withLock { $0 }
    return try (0..<hub.count).compactMap { try found[$0]?.get() }
  }
}
