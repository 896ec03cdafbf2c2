#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A lock that the thread sanitizer knows.
///
/// It does not see what a `Mutex` orders, and would report races between threads that hand memory to
/// each other under one.
package struct Lock: @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)

  /// Never freed: for what lives as long as the process.
  package init() { pthread_mutex_init(mutex, nil) }

  package func locked<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }
}
