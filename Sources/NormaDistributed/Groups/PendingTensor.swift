import Foundation
import NormaTensor
import Synchronization

/// A tensor that other processes still contribute to. PyTorch: the `Work` of `async_op=True`.
public final class PendingTensor: Sendable {
  private let group = DispatchGroup()
  private let result = Mutex<Result<Tensor, ProcessGroupError>?>(nil)
  private let taken = Mutex(Duration.zero)

  /// The time that the work took.
  var time: Duration { taken.withLock { $0 } }

  init(done tensor: Tensor) { result.withLock { $0 = .success(tensor) } }

  init(
    on queue: DispatchQueue,
    _ body: @escaping @Sendable () throws(ProcessGroupError) -> Tensor
  ) {
    queue.async(group: group) {
      let begin = ContinuousClock.now
      let found: Result<Tensor, ProcessGroupError>
      do throws(ProcessGroupError) {
        found = .success(try body())
      } catch {
        found = .failure(error)
      }
      self.taken.withLock { $0 = .now - begin }
      self.result.withLock { $0 = found }
    }
  }

  /// Whether ``value()`` returns without waiting.
  public var isDone: Bool { result.withLock { $0 != nil } }

  /// Waits for the result.
  public func value() throws(ProcessGroupError) -> Tensor {
    group.wait()
    guard let found = result.withLock({ $0 }) else {
      throw ProcessGroupError("startAllReduce(_:_:)", "the work has not begun")
    }
    return try found.get()
  }
}
