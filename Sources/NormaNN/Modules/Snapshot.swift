import Foundation
import NormaTensor

/// A network's state at one moment, for evaluation from any number of tasks at once.
///
/// Later training of the network changes nothing in it. Copies of the network are made as tasks need
/// them at the same time; parameters are shared between them.
///
///     let snapshot = Snapshot(of: network) { Network() }
///     async let first = snapshot { $0(batch) }
public final class Snapshot<Model: Module>: @unchecked Sendable {  // The pool has a lock.
  /// The parameters and buffers by name.
  public let state: StateDict
  private let make: @Sendable () -> Model
  private let lock = NSLock()
  private var idle: [Model] = []

  /// The state of `model` now; `make` makes another network of the same shape.
  /// - Throws: ``LoadError`` when the networks that `make` makes have other parameters.
  public init(of model: Model, make: @escaping @Sendable () -> Model) throws {
    state = model.stateDict().evaluated()
    self.make = make
    idle = [try copy()]
  }

  private func copy() throws -> Model {
    // The initial values are replaced; their draws are nobody's business.
    let model = withSeed(0) { make() }
    try model.load(state)
    model.freeze()
    model.eval()
    return model
  }

  /// Runs `body` with a network that nobody else uses meanwhile, in evaluation mode and without
  /// gradients.
  /// - Throws: what `body` throws.
  public func callAsFunction<R: Sendable>(_ body: (Model) throws -> R) throws -> R {
    let taken = lock.withLock { idle.popLast() }
    let model = try taken ?? copy()
    defer { lock.withLock { idle.append(model) } }
    return try withoutGradients { try body(model) }
  }
}
