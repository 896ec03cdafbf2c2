import NormaValues

/// Plans of programs that ran, so that the next step of a training loop finds its own.
///
/// A plan has four places where it may be, by its key; a new one takes the oldest of them. So there
/// are never more than ``capacity``, and finding one is a comparison of a few numbers.
final class PlanCache: @unchecked Sendable {
  static let shared = PlanCache(sets: 256)

  private static let ways = 4
  private let lock = Lock()
  private let sets: Int
  private var plans: [(key: PlanKey, plan: Plan)?]
  /// Which place of a set is taken next.
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
    for place in first..<first + PlanCache.ways {
      if let kept = plans[place], kept.key.hash == hash, kept.key.isEqual(to: words) {
        return kept.plan
      }
    }
    return nil
  }

  /// Keeps a plan. Where two threads made the same one, both are right.
  func keep(_ plan: Plan, as key: PlanKey) {
    let first = firstPlace(key.hash)
    // What gives way is freed outside of the lock.
    let old = lock.locked {
      let set = first / PlanCache.ways
      let place = first + Int(next[set])
      next[set] = (next[set] + 1) % UInt8(PlanCache.ways)
      let old = plans[place]
      plans[place] = (key, plan)
      return old
    }
    withExtendedLifetime(old) {}
  }
}
