import NormaDistributed
import Testing

/// Gives each test its own generator: tests run in parallel.
struct Seeded: SuiteTrait, TestTrait, TestScoping {
  let isRecursive = true

  func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    try await withSeed(17) { try await function() }
  }
}

extension Trait where Self == Seeded {
  /// See ``Seeded``.
  static var seeded: Self { Seeded() }
}

/// The largest distance between elements, relative to the largest element of the second.
func distance(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  let scale = max(b.abs().cast(to: .float64).max().item(), 1e-300)
  let worst = (a.cast(to: .float64) - b.cast(to: .float64)).abs().max().item() / scale
  return worst.isNaN ? .infinity : worst
}
