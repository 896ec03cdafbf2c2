#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What oneDNN compiled last, shared by all threads.
///
/// The lock is not a `Mutex`: the thread sanitizer does not see that one, and would report races
/// that do not exist.
final class CompiledCache<Plan: Hashable, Compiled>: @unchecked Sendable {
  private var entries: LeastRecentlyUsed<Plan, Compiled>
  private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  init(capacity: Int) {
    entries = LeastRecentlyUsed(capacity: capacity)
    pthread_mutex_init(lock, nil)
  }

  deinit {
    pthread_mutex_destroy(lock)
    lock.deallocate()
  }

  /// The compiled form of a plan. Two threads that ask for a new one at once may both compile it.
  func value<E>(for plan: Plan, compile: () throws(E) -> Compiled) throws(E) -> Compiled {
    if let known = locked({ entries.value(for: plan) }) { return known }
    let compiled = try compile()
    locked { entries.insert(compiled, for: plan) }
    return compiled
  }

  private func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(lock)
    defer { pthread_mutex_unlock(lock) }
    return body()
  }
}
