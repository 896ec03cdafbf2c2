import Foundation
import NormaTensor

/// Batches that threads prepare a few ahead of the consumer.
final class BatchQueue: @unchecked Sendable {  // Guarded by the condition.
  private let condition = NSCondition()
  private let make: @Sendable (Int) -> Result<[Tensor], any Error>
  private let end: Int
  private let ahead: Int
  private let workers: Int
  private var next: Int
  private var wanted: Int
  private var ready: [Int: Result<[Tensor], any Error>] = [:]
  private var isStopped = false

  init(
    from begin: Int, through end: Int, workers: Int, ahead: Int,
    make: @escaping @Sendable (Int) -> Result<[Tensor], any Error>
  ) {
    self.make = make
    self.end = end
    self.ahead = ahead
    self.workers = workers
    next = begin
    wanted = begin
    for _ in 0..<workers {
      let thread = Thread { [self] in work() }
      thread.name = "norma data"
      thread.start()
    }
  }

  private func work() {
    while let number = take() {
      // A thread team of its own would compete with the training thread for the same cores.
      let batch = withThreads(1) { make(number) }
      condition.lock()
      ready[number] = batch
      condition.broadcast()
      condition.unlock()
    }
  }

  /// The next batch to prepare, once it is near enough.
  private func take() -> Int? {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped && next < end && next - ahead > wanted { condition.wait() }
    guard !isStopped && next < end else { return nil }
    next += 1
    return next - 1
  }

  /// The batch with this number, as soon as it is ready.
  func next(_ number: Int) -> Result<[Tensor], any Error> {
    if workers == 0 { return make(number) }
    condition.lock()
    defer { condition.unlock() }
    wanted = number
    condition.broadcast()
    while true {
      if let batch = ready.removeValue(forKey: number) { return batch }
      condition.wait()
    }
  }

  /// Stops each thread after its current batch.
  func stop() {
    condition.lock()
    isStopped = true
    ready = [:]
    condition.broadcast()
    condition.unlock()
  }
}
