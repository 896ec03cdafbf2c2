import Foundation
import NormaTensor

/// A group of several threads of this process, which hand their tensors over.
struct ThreadTransport: Transport {
  let hub: ThreadHub
  let rank: Int

  var count: Int { hub.count }
  var hosts: [String] { Array(repeating: "thread", count: count) }

  func run(_ collective: Collective) throws(ProcessGroupError) -> [Tensor] {
    let result = try hub.meet(rank, collective, collective.call, collective.timeout) {
      calls throws(ProcessGroupError) in
      try ThreadTransport.result(of: calls)
    }
    guard case .reduceScatter = collective.kind else { return result }
    return [result[rank]]
  }

  func split(color: Int, timeout: Duration) throws(ProcessGroupError) -> any Transport {
    let hubs = try hub.meet(rank, color, "split(by:)", timeout) { colors in
      Dictionary(grouping: colors, by: { $0 }).mapValues { ThreadHub(count: $0.count) }
    }
    let before = try hub.meet(rank, color, "split(by:)", timeout) { $0 }[..<rank]
    guard let own = hubs[color] else {
      throw ProcessGroupError("split(by:)", "rank \(rank) has no part")
    }
    return ThreadTransport(hub: own, rank: before.count { $0 == color })
  }

  /// The common result of corresponding calls.
  private static func result(of calls: [Collective]) throws(ProcessGroupError) -> [Tensor] {
    let (first, tensors) = (calls[0], calls.map(\.tensor))
    for (rank, call) in calls.enumerated() {
      var fits = call.kind == first.kind
      if case .broadcast = first.kind {
        // The tensors of the others only have to be there.
      } else {
        fits =
          fits && call.tensor.shape == first.tensor.shape
          && call.tensor.dtype == first.tensor.dtype
      }
      if !fits {
        func text(_ call: Collective) -> String {
          "\(call.kind) of \(call.tensor.dtype) \(call.tensor.shape)"
        }
        throw ProcessGroupError(
          first.call, "rank 0 calls \(text(first)), and rank \(rank) \(text(call))", ranks: [rank])
      }
    }
    switch first.kind {
    case .allReduce(let operation): return [reduced(tensors, operation)]
    case .allGather: return tensors
    case .reduceScatter(let operation):
      let part = first.tensor.shape[0] / calls.count
      return reduced(tensors, operation).split(every: max(part, 1), over: 0)
        .map { $0.evaluated() }
    case .broadcast(let root): return [tensors[root]]
    case .barrier: return [first.tensor]
    }
  }

  private static func reduced(_ tensors: [Tensor], _ operation: ReduceOperation) -> Tensor {
    tensors.dropFirst().reduce(tensors[0]) { sum, next in
      switch operation {
      case .sum, .mean: sum + next
      case .product: sum * next
      case .min: minimum(sum, next)
      case .max: maximum(sum, next)
      }
    }.evaluated()
  }
}

/// Where the threads of a group meet: each brings a value, the last computes the result, and all
/// get it.
final class ThreadHub: @unchecked Sendable {
  // All state is guarded by the condition.
  let count: Int
  private let condition = NSCondition()
  private var values: [(any Sendable)?]
  private var arrived = 0
  private var meetings = 0
  private var result: Result<any Sendable, ProcessGroupError>?
  private var failure: ProcessGroupError?

  init(count: Int) {
    self.count = count
    values = Array(repeating: nil, count: count)
  }

  /// The result of a meeting.
  func meet<Value: Sendable, R: Sendable>(
    _ rank: Int, _ value: Value, _ call: String, _ timeout: Duration,
    _ combine: ([Value]) throws(ProcessGroupError) -> R
  ) throws(ProcessGroupError) -> R {
    condition.lock()
    defer { condition.unlock() }
    if let failure { throw failure }
    values[rank] = value
    arrived += 1
    if arrived == count {
      do throws(ProcessGroupError) {
        result = .success(try combine(values.compactMap { $0 as? Value }))
      } catch {
        result = .failure(error)
      }
      values = Array(repeating: nil, count: count)
      arrived = 0
      meetings += 1
      condition.broadcast()
    } else {
      try wait(rank, call, timeout)
    }
    guard let common = try result?.get() as? R else {
      throw ProcessGroupError(call, "the ranks make different calls")
    }
    return common
  }

  private func wait(
    _ rank: Int, _ call: String, _ timeout: Duration
  ) throws(ProcessGroupError) {
    let meeting = meetings
    let end = Date(timeIntervalSinceNow: timeout / .seconds(1))
    while meetings == meeting && failure == nil {
      if condition.wait(until: end) { continue }
      if meetings != meeting { break }
      let missing = values.indices.filter { values[$0] == nil }
      fail(.missing(missing, call: call, rank: rank, of: count, after: timeout))
    }
    if meetings == meeting, let failure { throw failure }
  }

  /// Ends all calls, present and future, because a thread has ended.
  func end(_ failure: ProcessGroupError) {
    condition.lock()
    fail(failure)
    condition.unlock()
  }

  private func fail(_ new: ProcessGroupError) {
    failure = failure ?? new
    condition.broadcast()
  }
}

extension ProcessGroupError {
  /// The error of a rank that waited for others in vain.
  static func missing(
    _ ranks: [Int], call: String, rank: Int, of count: Int, after time: Duration
  ) -> ProcessGroupError {
    let names = ranks.prefix(8).map(String.init).joined(separator: ", ")
    return ProcessGroupError(
      call,
      "rank \(rank) of \(count) waited \(time.secondsText) s, and "
        + (ranks.count == 1 ? "rank \(names) has" : "ranks \(names) have")
        + " not made this call", ranks: ranks)
  }
}

extension Duration {
  /// The number of seconds, without decimals where there are none.
  var secondsText: String {
    let seconds = self / .seconds(1)
    return seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
  }
}
