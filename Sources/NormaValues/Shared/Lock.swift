#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A lock that the thread sanitizer understands.
///
/// The sanitizer does not see the ordering that a `Mutex` establishes, and would report races
/// between threads that hand over memory under one.
package struct Lock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  /// A lock that lives as long as the process, unless ``free()`` ends it.
  package init() { pthread_mutex_init(mutex, nil) }

  /// For a few instructions in between: a closure costs 200 more.
  package func take() { pthread_mutex_lock(mutex) }

  package func give() { pthread_mutex_unlock(mutex) }

  package func locked<R>(_ body: () throws -> R) rethrows -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return try body()
  }

  /// Frees the lock's memory; no thread may hold it or wait for it, now or later.
  package func free() {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }
}
