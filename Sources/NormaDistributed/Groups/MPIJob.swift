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
    private let firstFailure = Mutex<ProcessGroupError?>(nil)
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

    /// Why the first call failed, if one has. All later ones fail immediately, as the processes no
    /// longer agree on what comes next: a backward pass may begin several before its error arrives.
    var failure: ProcessGroupError? { firstFailure.withLock { $0 } }

    func fail(_ error: ProcessGroupError) { firstFailure.withLock { $0 = $0 ?? error } }

    /// Memory that MPI may still use.
    func keep(_ tensors: [Tensor]) { kept.withLock { $0 += tensors } }

    /// Waits for a call; returns 0, -1 when the time is over, or MPI's error.
    ///
    /// After a quarter of the time the first processes say who does not answer: whoever started the
    /// job may notice, too, and end it before the time is over, without naming a rank.
    func wait(
      for work: OpaquePointer, _ collective: Collective, _ number: Int, _ transport: MPITransport
    ) -> Int32 {
      let limit = collective.timeout / .seconds(1)
      let early = min(limit / 4, 30)
      let isPatient: Int32 = collective.isBackground ? 1 : 0
      let outcome = norma_mpi_wait(work, early, isPatient)
      guard outcome == -1 else { return outcome }
      let begin = ContinuousClock.now
      if transport.rank < 2 {
        let silent = missing(number, transport, seconds: min(early, 3)).filter(\.isSilent)
        if !silent.isEmpty {
          Self.say(
            ProcessGroupError(
              collective.call,
              waited(transport, .seconds(early)) + silent.map(\.reason).joined(separator: "; ")))
        }
      }
      let asked = (ContinuousClock.now - begin) / .seconds(1)
      return norma_mpi_wait(work, max(limit - early - asked, 0), isPatient)
    }

    /// The error of a call that has waited too long, with the processes that have not come.
    func lateness(
      of collective: Collective, _ number: Int, _ transport: MPITransport
    ) -> ProcessGroupError {
      let begin = waited(transport, collective.timeout)
      guard isAnswered(transport) else {
        return ProcessGroupError(collective.call, begin + "they do not come")
      }
      let missing = missing(number, transport, seconds: 3)
      let reasons =
        missing.isEmpty
        ? ["all are there, so the connection is slow or broken"] : missing.map(\.reason)
      return ProcessGroupError(
        collective.call, begin + reasons.joined(separator: "; "), ranks: missing.map(\.rank))
    }

    private func waited(_ transport: MPITransport, _ time: Duration) -> String {
      "\(transport.name(of: transport.rank)) of \(transport.count) has waited "
        + "\(time.secondsText) s for the others: "
    }

    /// Whether processes answer for this group: those of parts of the job do not.
    private func isAnswered(_ transport: MPITransport) -> Bool {
      control.map { Int(norma_mpi_count($0)) == transport.count } ?? false
    }

    private struct Missing {
      let rank: Int
      let reason: String
      /// Whether it does not even answer.
      let isSilent: Bool
    }

    /// The processes that do not answer, or have begun fewer calls of the group than this one.
    private func missing(
      _ number: Int, _ transport: MPITransport, seconds: Double
    ) -> [Missing] {
      guard let control, isAnswered(transport) else { return [] }
      var answers = [Int64](repeating: -1, count: transport.count)
      norma_mpi_ask(control, Int64(number), seconds, &answers)
      let own = calls.begun(number)
      return answers.indices.compactMap { rank in
        let name = transport.name(of: rank)
        if rank == transport.rank { return nil }
        if answers[rank] < 0 {
          return Missing(
            rank: rank,
            reason: "\(name) does not answer: it has been stopped or has ended, or its host cannot "
              + "be reached", isSilent: true)
        }
        if answers[rank] >= own { return nil }
        return Missing(
          rank: rank,
          reason: "\(name) has made \(answers[rank]) calls of the group, and this is number \(own)",
          isSilent: false)
      }
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

    private static func say(_ error: any Error) {
      try? FileHandle.standardError.write(contentsOf: Data("norma: \(error)\n".utf8))
    }

    /// Says why and ends all processes.
    static func abort(_ error: any Error) -> Never {
      say(error)
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
