import NormaOneDNN
import Testing

@testable import NormaTensor

/// Matrices that are multiplied again are kept in oneDNN's order, without changing a bit.
@Suite(.enabled(if: OneDNN.isAvailable)) struct PackedProductTests {
  private static func random(_ shape: Int..., seed: UInt64) -> Tensor {
    withSeed(seed) { Tensor.randn(shape) }.evaluated()
  }

  /// The product, and how it ran.
  private func product(_ a: Tensor, _ b: Tensor) -> (Tensor, Set<ExecutionPlan.Trait>) {
    let (value, steps) = ExecutionLog.recording { a.matmul(b).evaluated() }
    return (value, steps.last { $0.path == .product }?.traits ?? [])
  }

  /// Whether this processor's oneDNN has loops for packed matrices; others have no packed form.
  private static let isPacking: Bool = {
    let plan = try? MatrixProduct(
      batch: [], m: 8, n: 512, k: 512, aStrides: [512, 1], bStrides: [512, 1])
    return plan.map { CompiledProduct.of(packing: $0) != nil } ?? false
  }()

  @Test(.enabled(if: isPacking), arguments: [4, 17, 200], [false, true])
  func sameBitsFromTheFirstUseOn(rows: Int, isTransposed: Bool) {
    let x = Self.random(rows, 640, seed: 1)
    var weights = Self.random(isTransposed ? 290 : 640, isTransposed ? 640 : 290, seed: 2)
    func laid(_ rows: Tensor) -> Tensor { isTransposed ? rows.transposed() : rows }
    func result() -> (Tensor, Set<ExecutionPlan.Trait>) { product(x, laid(weights)) }
    let (first, second, third) = (result(), result(), result())
    #expect(first.1 == [.oneDNN] && second.1 == [.oneDNN, .packed])
    #expect(third.1 == [.oneDNN, .prepacked])
    #expect(isSame(first.0, second.0) && isSame(first.0, third.0))
    // Another number of rows mostly reads the same order, another part of the memory does not.
    let more = Self.random(rows + 31, 640, seed: 3)
    #expect(isSame(product(more, laid(weights)).0, product(more, laid(weights.copied())).0))
    let part = laid(isTransposed ? weights[10...] : weights[0..., 10...])
    let once = product(x, part).0
    #expect(isSame(once, product(x, part).0))
    let exact = x.cast(to: .float64).matmul(part.cast(to: .float64))
    #expect(((once.cast(to: .float64) - exact).abs().max().item() as Double) < 1e-4)
    // What is assigned is read.
    weights[3] = Tensor(7)
    let changed = product(x, laid(weights.copied())).0
    #expect(isSame(result().0, changed) && !isSame(changed, first.0))
  }

  @Test(.enabled(if: isPacking)) func nothingIsKeptOfWhatIsUsedOnce() {
    let x = Self.random(64, 256, seed: 1)
    for seed in 2..<4 as Range<UInt64> {
      #expect(product(x, Self.random(256, 64, seed: seed)).1 == [.oneDNN])
    }
    // A training step reads weights as they are, and transposed.
    let weights = Self.random(256, 64, seed: 4)
    #expect(product(x, weights).1 == [.oneDNN])
    #expect(product(Self.random(64, 64, seed: 5), weights.transposed()).1 == [.oneDNN])
  }

  @Test func manyTasksUseTheSameWeights() async {
    let x = Self.random(32, 256, seed: 1)
    let weights = Self.random(256, 96, seed: 2)
    let expected = x.matmul(weights).evaluated()
    await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask { (0..<4).allSatisfy { _ in isSame(expected, x.matmul(weights)) } }
      }
      for await same in group { #expect(same) }
    }
  }
}
