import NormaValues

/// Starts the default generator anew from `seed`.
///
/// The default generator is what `Tensor.rand`, initialisers and dropout draw from: one for the
/// process, or the task's own inside `withSeed`. After the same seed the same calls give the
/// same numbers, and they are PyTorch's. It is safe to use from several threads, but which of
/// them draws first is then chance; give each a generator of its own by `withSeed`.
///
/// Only the low 32 bits of the seed make a difference. A process that never calls this starts
/// from 67280421310721, so two runs of it agree.
/// PyTorch: `torch.manual_seed(seed)`.
public func manualSeed(_ seed: some BinaryInteger) {
  Generator.current = Generator(seed: seed)
}

/// Runs `body` with a default generator of its own, started from `seed`.
///
/// Draws inside `body` do not move the generator outside, and the other way round: a test or a
/// data loader is reproducible whatever runs beside it. Child tasks share the generator of the
/// task that made them; detached tasks use that of the process. `manualSeed` inside `body`
/// seeds the inner generator only.
///
///     let split = withSeed(42) { Tensor.randperm(1000) }
///
/// PyTorch: `with torch.random.fork_rng(): torch.manual_seed(seed)`.
public func withSeed<Result>(
  _ seed: some BinaryInteger, _ body: () throws -> Result
) rethrows -> Result {
  try GeneratorCell.$taskLocal.withValue(GeneratorCell(Generator(seed: seed)), operation: body)
}

/// Runs `body` with a default generator of its own, started from `seed`, across its suspensions.
///
/// Everything said of the other form holds: draws are kept apart from those outside.
public func withSeed<Result>(
  _ seed: some BinaryInteger, isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> Result
) async rethrows -> Result {
  try await GeneratorCell.$taskLocal.withValue(
    GeneratorCell(Generator(seed: seed)), operation: body)
}

/// Runs `body` with `generator` as its default generator, and moves `generator` on by what `body`
/// drew.
///
/// The way to draw from a generator of one's own, for everything that draws at all:
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

/// Runs `body` with `generator` as its default generator across its suspensions.
///
/// Everything said of the other form holds. `generator` must not be used until `body` is done.
public func withGenerator<Result>(
  _ generator: inout Generator, isolation: isolated (any Actor)? = #isolation,
  _ body: () async throws -> Result
) async rethrows -> Result {
  let cell = GeneratorCell(generator)
  defer { generator = cell.locked { $0 } }
  return try await GeneratorCell.$taskLocal.withValue(cell, operation: body)
}

/// Draws from the default generator, the task's own or else that of the process.
///
/// Nobody else draws until `body` returns, so it must not itself ask for the default generator.
package func withDefaultGenerator<Result: Sendable>(
  _ body: (inout Generator) throws -> Result
) rethrows -> Result {
  try GeneratorCell.current.locked { try body(&$0) }
}

extension Generator {
  /// The default generator: read it to save its state, set it to go on from there.
  ///
  /// Reading gives a copy, and draws from the copy leave the default generator where it is.
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
