#if NORMA_MPI
  import CMPI
  import Foundation
  import NormaTensor
  import Synchronization

  /// The processes that `mpirun` started, with this one among them.
  ///
  /// A thread of each answers the others' question how many calls of a group it has begun. So a
  /// process that waits in vain can name those that have not come: a process that is stopped or cut
  /// off does not answer, and one that works on something else has begun fewer calls.
  final class MPIJob: Sendable {
    let calls = CallCounts.shared
    /// The largest number of elements in one call of MPI.
    let most: Int64
    private let over = Atomic(false)
    private let kept = Mutex<[Tensor]>([])
    // MPI's own object: only the answering thread and a process that is about to end use it.
    private nonisolated(unsafe) let control: OpaquePointer?
    private let ended = DispatchSemaphore(value: 0)

    var isOver: Bool { over.load(ordering: .acquiring) }

    init(control: OpaquePointer?, most: Int64) {
      self.control = control
      self.most = most
    }

    /// Answers other processes from now on.
    func begin() {
      guard control != nil else {
        ended.signal()
        return
      }
      Thread { [self] in
        while !isOver {
          norma_mpi_answer(control) { CallCounts.shared.begun(Int($0)) }
          usleep(20_000)
        }
        ended.signal()
      }.start()
    }

    /// Ends MPI; all processes come here.
    func finish() {
      over.store(true, ordering: .releasing)
      ended.wait()
      norma_mpi_finish()
    }

    /// Memory that MPI may still use.
    func keep(_ tensors: [Tensor]) { kept.withLock { $0 += tensors } }

    /// The error of a call that has waited too long, with the processes that have not come.
    func lateness(
      of collective: Collective, _ number: Int, _ transport: MPITransport
    ) -> ProcessGroupError {
      let begin =
        "\(transport.name(of: transport.rank)) of \(transport.count) waited "
        + "\(collective.timeout.secondsText) s for the others"
      guard let control, norma_mpi_count(control) == transport.count else {
        return ProcessGroupError(collective.call, begin)
      }
      var answers = [Int64](repeating: -1, count: transport.count)
      norma_mpi_ask(control, Int64(number), 3, &answers)
      let own = calls.begun(number)
      var reasons: [String] = []
      var ranks: [Int] = []
      for rank in answers.indices where rank != transport.rank {
        if answers[rank] < 0 {
          reasons.append(
            "\(transport.name(of: rank)) does not answer: it has been stopped or has ended, or its "
              + "host cannot be reached")
        } else if answers[rank] < own {
          reasons.append(
            "\(transport.name(of: rank)) has made \(answers[rank]) calls of the group, and this is "
              + "number \(own)")
        } else {
          continue
        }
        ranks.append(rank)
      }
      if reasons.isEmpty { reasons = ["all are there, so the connection is slow or broken"] }
      return ProcessGroupError(
        collective.call, begin + ": " + reasons.joined(separator: "; "), ranks: ranks)
    }

    /// The names of the hosts of all processes, by rank.
    static func hosts(_ world: OpaquePointer) -> [String] {
      let (count, size) = (Int(norma_mpi_count(world)), 256)
      var own = [CChar](repeating: 0, count: size)
      norma_mpi_host(&own, size)
      var all = [CChar](repeating: 0, count: count * size)
      let error = all.withUnsafeMutableBytes { all in
        own.withUnsafeBytes { own in
          norma_mpi_all_gather(
            world, own.baseAddress, all.baseAddress, Int64(size), Int64(size)
          ).map { norma_mpi_wait($0, 600, 0) } ?? -1
        }
      }
      guard error == 0 else { return Array(repeating: "?", count: count) }
      return (0..<count).map { rank in
        let name = all[(rank * size)..<((rank + 1) * size)].prefix { $0 != 0 }
        return String(decoding: name.map(UInt8.init(bitPattern:)), as: UTF8.self)
      }
    }

    static func text(of code: Int32) -> String {
      var text = [CChar](repeating: 0, count: 512)
      norma_mpi_text(code, &text, text.count)
      return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Says why and ends all processes.
    static func abort(_ error: any Error) -> Never {
      try? FileHandle.standardError.write(contentsOf: Data("norma: \(error)\n".utf8))
      norma_mpi_abort(1)
      exit(1)
    }
  }

  /// How many calls of each group this process has begun.
  final class CallCounts: Sendable {
    static let shared = CallCounts()
    private let counts = Mutex<[Int64]>([])

    /// A group's number: the same in all members, as they create groups together.
    func add() -> Int {
      counts.withLock { counts in
        counts.append(0)
        return counts.count - 1
      }
    }

    func begin(_ number: Int) { counts.withLock { $0[number] += 1 } }

    func begun(_ number: Int) -> Int64 {
      counts.withLock { $0.indices.contains(number) ? $0[number] : 0 }
    }
  }
#endif
