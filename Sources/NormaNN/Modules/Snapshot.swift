import Foundation
import NormaTensor

/// A network's state at one moment, for concurrent evaluation from any number of tasks.
///
/// Training the network later does not change the snapshot. Concurrent tasks each get a copy of the
/// network; the copies share their parameters.
///
///     let snapshot = Snapshot(of: network) { Network() }
///     async let first = snapshot { $0(batch) }
public final class Snapshot<Model: Module>: @unchecked Sendable {  // The pool has a lock.
  /// The parameters and buffers by name.
  public let state: StateDict
  private let make: @Sendable () -> Model
  private let lock = NSLock()
  private var idle: [Model] = []

  /// Captures the current state of `model`; `make` creates another network of the same
  /// architecture.
  /// - Throws: ``LoadError`` when the networks that `make` creates have other parameters.
  public init(of model: Model, make: @escaping @Sendable () -> Model) throws {
    state = model.stateDict().evaluated()
    self.make = make
    idle = [try copy()]
  }

  private func copy() throws -> Model {
    // The initial values are replaced, so their draws must not advance the caller's generator.
    let model = withSeed(0) { make() }
    try model.load(state)
    model.freeze()
    model.eval()
    return model
  }

  /// Runs `body` with exclusive access to a network in evaluation mode, without gradients.
  /// - Throws: whatever `body` throws.
  public func callAsFunction<R: Sendable>(_ body: (Model) throws -> R) throws -> R {
    let taken = lock.withLock { idle.popLast() }
    let model = try taken ?? copy()
    defer { lock.withLock { idle.append(model) } }
    return try withoutGradients { try body(model) }
  }
}
