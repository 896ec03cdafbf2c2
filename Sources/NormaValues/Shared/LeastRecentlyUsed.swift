/// A dictionary that evicts the least recently used value once it is full.
package struct LeastRecentlyUsed<Key: Hashable, Value> {
  private var entries: [Key: (value: Value, lastUse: Int)] = [:]
  private var uses = 0
  private let capacity: Int

  /// An empty dictionary of at most `capacity` values, at least 1.
  package init(capacity: Int) { self.capacity = max(capacity, 1) }

  /// The number of values.
  package var count: Int { entries.count }

  /// The value for a key, which becomes the most recently used.
  package mutating func value(for key: Key) -> Value? {
    uses += 1
    guard let index = entries.index(forKey: key) else { return nil }
    entries.values[index].lastUse = uses
    return entries.values[index].value
  }

  /// Inserts a value as the most recently used. Takes time proportional to `count` when full.
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
