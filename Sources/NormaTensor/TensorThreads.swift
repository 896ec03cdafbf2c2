import CNormaLoops
import Synchronization

/// How many threads tensor operations use.
///
/// Norma's own loops give the same bits for any number. PyTorch: `torch.set_num_threads`.
public enum TensorThreads {
  private static let chosen = Atomic<Int>(0)
  /// Whether `withThreads` was ever called: looking into a task costs more than a small operation.
  private static let isScoped = Atomic(false)
  @TaskLocal private static var own: Int?

  /// The number of threads, at first that of the processor cores that the process may use.
  ///
  /// Inside `withThreads` it is the number given there. Setting it changes the process's number;
  /// one below 1 counts as 1.
  public static var count: Int {
    get {
      if isScoped.load(ordering: .relaxed), let own { return own }
      let count = chosen.load(ordering: .relaxed)
      return count > 0 ? count : Int(norma_team_default_threads())
    }
    set { chosen.store(within(newValue), ordering: .relaxed) }
  }

  /// More threads than any machine has processors help nobody.
  private static func within(_ count: Int) -> Int { min(max(count, 1), 4096) }

  fileprivate static func with<Result>(
    _ count: Int, _ body: () throws -> Result
  ) rethrows -> Result {
    isScoped.store(true, ordering: .relaxed)
    return try $own.withValue(within(count), operation: body)
  }
}

/// Runs `body` with a number of threads of its own, whatever other tasks use meanwhile.
///
/// Work that `body` leaves pending runs on as many threads as whoever asks for its values.
/// PyTorch: `torch.set_num_threads` before and after, for the whole process.
public func withThreads<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
  try TensorThreads.with(count, body)
}
