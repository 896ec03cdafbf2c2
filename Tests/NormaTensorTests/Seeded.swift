import NormaReference
import NormaTensor
import Testing

/// Gives each test of a suite its own generator, with the seed of the run: tests run in parallel,
/// so what they draw from the generator of the process could not be repeated.
struct Seeded: SuiteTrait, TestTrait, TestScoping {
  let isRecursive = true

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    let seed = TestRandom(for: test.name).seed
    try await withSeed(seed) { try await function() }
  }
}

extension Trait where Self == Seeded {
  /// See ``Seeded``.
  static var seeded: Self { Seeded() }
}
