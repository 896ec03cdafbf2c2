import NormaTensor

#if NORMA_MPI
  import CMPI
#endif

extension ProcessGroup {
  /// A sum of `count` numbers of `float32` by MPI alone, without tensors, for comparison; the
  /// median time of `times` calls, each after a barrier. Nil in groups that MPI does not carry.
  package func plainAllReduce(count: Int, times: Int) throws(ProcessGroupError) -> Duration? {
    #if NORMA_MPI
      guard let transport = transport as? MPITransport else { return nil }
      let room = UnsafeMutablePointer<Float>.allocate(capacity: 2 * count)
      room.initialize(repeating: 0, count: 2 * count)
      defer { room.deallocate() }
      return try median(of: times) { () throws(ProcessGroupError) in
        transport.plainSum(room, into: room + count, count: count)
      }
    #else
      return nil
    #endif
  }

  /// The median time of `times` calls of `body`, each after a barrier.
  package func median(
    of times: Int, _ body: () throws(ProcessGroupError) -> Void
  ) throws(ProcessGroupError) -> Duration {
    var all: [Duration] = []
    for _ in 0..<max(times, 1) {
      try barrier()
      let begin = ContinuousClock.now
      try body()
      all.append(.now - begin)
    }
    return all.sorted()[all.count / 2]
  }
}
