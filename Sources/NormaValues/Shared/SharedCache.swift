/// A cache of recent values by the key they were made from, shared by all threads: compiled
/// products, parsed patterns.
package final class SharedCache<Key: Hashable, Value>: @unchecked Sendable {
  private var entries: LeastRecentlyUsed<Key, Value>
  private let lock = Lock()

  /// An empty cache of at most `capacity` values.
  package init(capacity: Int) { entries = LeastRecentlyUsed(capacity: capacity) }

  deinit { lock.free() }

  /// The number of values.
  package var count: Int { lock.locked { entries.count } }

  /// The value for a key; made if missing. Two threads that ask for the same missing value may both
  /// make it. A thrown error is not cached.
  package func value<E>(for key: Key, make: () throws(E) -> Value) throws(E) -> Value {
    if let known = lock.locked({ entries.value(for: key) }) { return known }
    let made = try make()
    lock.locked { entries.insert(made, for: key) }
    return made
  }
}
