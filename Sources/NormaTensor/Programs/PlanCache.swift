import NormaValues

/// Cached plans of programs, so that the next step of a training loop finds its own.
///
/// A key determines a set of four entries that may hold its plan; a new plan replaces the oldest of
/// them. So there are never more than ``capacity``, and a lookup compares only a few numbers.
final class PlanCache: @unchecked Sendable {
  static let shared = PlanCache(sets: 256)

  private static let ways = 4
  private let lock = Lock()
  private let sets: Int
  private var plans: [(key: PlanKey, plan: Plan)?]
  /// The entry of each set to replace next.
  private var next: [UInt8]

  /// - Parameter sets: a power of two.
  init(sets: Int) {
    self.sets = sets
    plans = Array(repeating: nil, count: sets * PlanCache.ways)
    next = Array(repeating: 0, count: sets)
  }

  /// The most plans that are kept.
  var capacity: Int { sets * PlanCache.ways }

  /// The plans that are kept now.
  var count: Int { lock.locked { plans.count { $0 != nil } } }

  private func firstPlace(_ hash: Int) -> Int { (hash & (sets - 1)) * PlanCache.ways }

  func plan(_ key: PlanKey) -> Plan? {
    key.words.withUnsafeBufferPointer { plan($0, key.hash) }
  }

  /// The plan whose key has these words.
  func plan(_ words: UnsafeBufferPointer<Int>, _ hash: Int) -> Plan? {
    let first = firstPlace(hash)
    lock.take()
    defer { lock.give() }
    for index in first..<first + PlanCache.ways {
      if let kept = plans[index], kept.key.hash == hash, kept.key.isEqual(to: words) {
        return kept.plan
      }
    }
    return nil
  }

  /// Stores a plan. If two threads made the same one, either may be kept.
  func keep(_ plan: Plan, as key: PlanKey) {
    let first = firstPlace(key.hash)
    // The replaced plan is freed outside of the lock.
    let old = lock.locked {
      let set = first / PlanCache.ways
      let index = first + Int(next[set])
      next[set] = (next[set] + 1) % UInt8(PlanCache.ways)
      let old = plans[index]
      plans[index] = (key, plan)
      return old
    }
    withExtendedLifetime(old) {}
  }
}
