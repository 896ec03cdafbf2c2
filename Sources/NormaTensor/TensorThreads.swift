import CNormaLoops
import Synchronization

/// The number of threads that tensor operations use.
///
/// Norma's own loops give the same bits for any number of threads. PyTorch:
/// `torch.set_num_threads`.
public enum TensorThreads {
  private static let chosen = Atomic<Int>(0)
  /// Whether `withThreads` was ever called: reading a task-local value costs more than a small
  /// operation.
  private static let isScoped = Atomic(false)
  @TaskLocal private static var own: Int?

  /// The number of threads; by default, the number of processor cores that the process may use.
  ///
  /// Inside `withThreads` it is the number given there. Setting it changes the number for the
  /// process; values below 1 count as 1.
  public static var count: Int {
    get {
      if isScoped.load(ordering: .relaxed), let own { return own }
      let count = chosen.load(ordering: .relaxed)
      return count > 0 ? count : Int(norma_team_default_threads())
    }
    set { chosen.store(within(newValue), ordering: .relaxed) }
  }

  /// More threads than any machine has processors are of no use.
  private static func within(_ count: Int) -> Int { min(max(count, 1), 4096) }

  fileprivate static func with<Result>(
    _ count: Int, _ body: () throws -> Result
  ) rethrows -> Result {
    isScoped.store(true, ordering: .relaxed)
    return try $own.withValue(within(count), operation: body)
  }
}

/// Runs `body` with its own number of threads; other tasks are not affected.
///
/// Work that `body` leaves pending later runs on the number of threads of the task that needs its
/// values.
/// PyTorch: `torch.set_num_threads` before and after, for the whole process.
public func withThreads<Result>(_ count: Int, _ body: () throws -> Result) rethrows -> Result {
  try TensorThreads.with(count, body)
}
