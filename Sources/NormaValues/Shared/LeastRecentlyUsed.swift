/// A dictionary that forgets what was not asked for the longest, once it is full.
package struct LeastRecentlyUsed<Key: Hashable, Value> {
  private var entries: [Key: (value: Value, lastUse: Int)] = [:]
  private var uses = 0
  private let capacity: Int

  /// An empty one for at most `capacity` values, at least 1.
  package init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// The number of values.
  package var count: Int { entries.count }

  /// The value for a key, which becomes the latest to have been used.
  package mutating func value(for key: Key) -> Value? {
    uses += 1
    guard let index = entries.index(forKey: key) else { return nil }
    entries.values[index].lastUse = uses
    return entries.values[index].value
  }

  /// Keeps a value as the latest to have been used. Takes time proportional to `count` when full.
  package mutating func insert(_ value: Value, for key: Key) {
    uses += 1
    if entries[key] == nil, entries.count >= capacity,
      let oldest = entries.min(by: { $0.value.lastUse < $1.value.lastUse })
    {
      entries[oldest.key] = nil
    }
    entries[key] = (value, uses)
  }
}
