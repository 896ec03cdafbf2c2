import NormaValues

/// Restarts the default generator from `seed`.
///
/// `Tensor.rand`, initializers and dropout draw from the default generator: one for the process, or
/// the task's own inside `withSeed`. After the same seed the same calls give the same numbers, and
/// they are PyTorch's. It is safe to use from several threads, but the order in which they draw is
/// then undefined; give each a generator of its own with `withSeed`.
///
/// Only the low 32 bits of the seed make a difference. A process that never calls this starts from
/// 67280421310721, so two runs of it agree.
/// PyTorch: `torch.manual_seed(seed)`.
public func manualSeed(_ seed: some BinaryInteger) {
  Generator.current = Generator(seed: seed)
}

/// Runs `body` with a default generator of its own, started from `seed`.
///
/// Draws inside `body` do not advance the generator outside, nor the other way round: a test or a
/// data loader is reproducible whatever else runs. Child tasks share the generator of the task that
/// created them; detached tasks use that of the process. `manualSeed` inside `body` seeds only the
/// inner generator.
///
///     let split = withSeed(42) { Tensor.randperm(1000) }
///
/// PyTorch: `with torch.random.fork_rng(): torch.manual_seed(seed)`.
public func withSeed<Result>(
  _ seed: some BinaryInteger, _ body: () throws -> Result
) rethrows -> Result {
  try GeneratorCell.$taskLocal.withValue(GeneratorCell(Generator(seed: seed)), operation: body)
}

/// Runs `body` with a default generator of its own, started from `seed`, across its suspension
/// points.
///
/// Otherwise like the synchronous form: draws are kept apart from those outside.
public func withSeed<Result>(
  _ seed: some BinaryInteger, isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> Result
) async rethrows -> Result {
  try await GeneratorCell.$taskLocal.withValue(
    GeneratorCell(Generator(seed: seed)), operation: body)
}

/// Runs `body` with `generator` as its default generator, and advances `generator` by what `body`
/// drew.
///
/// This is how everything that draws random numbers can draw from a generator of your own:
///
///     var generator = Generator(seed: 0)
///     let weights = withGenerator(&generator) { Tensor.randn(3, 4) }
///
/// PyTorch: `torch.randn(3, 4, generator=generator)`.
public func withGenerator<Result>(
  _ generator: inout Generator, _ body: () throws -> Result
) rethrows -> Result {
  let cell = GeneratorCell(generator)
  defer { generator = cell.locked { $0 } }
  return try GeneratorCell.$taskLocal.withValue(cell, operation: body)
}

/// Runs `body` with `generator` as its default generator across its suspension points.
///
/// Otherwise like the synchronous form. `generator` must not be used until `body` has returned.
public func withGenerator<Result>(
  _ generator: inout Generator, isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> Result
) async rethrows -> Result {
  let cell = GeneratorCell(generator)
  defer { generator = cell.locked { $0 } }
  return try await GeneratorCell.$taskLocal.withValue(cell, operation: body)
}

/// Draws from the default generator: the task's own, or else that of the process.
///
/// No other thread draws until `body` returns, so `body` must not itself ask for the default
/// generator.
package func withDefaultGenerator<Result: Sendable>(
  _ body: (inout Generator) throws -> Result
) rethrows -> Result {
  try GeneratorCell.current.locked { try body(&$0) }
}

extension Generator {
  /// The default generator: read it to save its state, set it to continue from that state.
  ///
  /// Reading gives a copy, and draws from the copy do not advance the default generator.
  /// PyTorch: `torch.get_rng_state()`, `torch.set_rng_state(state)`.
  public static var current: Generator {
    get { GeneratorCell.current.locked { $0 } }
    set { GeneratorCell.current.locked { $0 = newValue } }
  }
}

/// A generator behind a lock.
private final class GeneratorCell: @unchecked Sendable {
  private var generator: Generator
  private let lock = Lock()

  init(_ generator: Generator) { self.generator = generator }

  deinit { lock.free() }

  func locked<R>(_ body: (inout Generator) throws -> R) rethrows -> R {
    try lock.locked { try body(&generator) }
  }

  static let process = GeneratorCell(Generator())

  @TaskLocal static var taskLocal: GeneratorCell?

  static var current: GeneratorCell { taskLocal ?? process }
}
