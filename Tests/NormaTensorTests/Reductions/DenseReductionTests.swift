import Testing

@testable import NormaTensor

/// Contiguous stored elements are reduced without a program, with the same bits as a program that
/// reduces the same elements while computing them.
@Suite(.seeded) struct DenseReductionTests {
  /// Shapes and axes on both sides of every threshold: rows and columns, tiles, several chunks of
  /// them, short runs, few elements and many.
  static let cases: [(shape: [Int], axes: [Int])] = [
    ([40_000], [0]), ([300_001], [0]), ([7, 10_000], [1]), ([3, 120_000], [1]), ([300, 300], [1]),
    ([300, 300], [0]), ([2, 17, 1500], [1, 2]), ([2, 17, 1500], [0, 1]), ([30_000, 3], [0]),
    ([70_000, 8], [0]), ([2000, 37], [0]), ([20, 3000], [0]), ([5000, 9], [1]), ([9, 5000], [1]),
    ([1, 40_000], [0]), ([40_000, 1], [0]), ([40_000, 1], [1]), ([4, 12_000], [0, 1]),
  ]

  /// Every result of a tensor, stored or pending.
  private func results(of x: Tensor, over axes: [Int]) -> [String: Tensor] {
    var results = [
      "sum": x.sum(over: axes), "min": x.min(over: axes), "max": x.max(over: axes),
      "product": x.product(over: axes),
    ]
    guard x.dtype.isFloatingPoint else { return results }
    results["mean"] = x.mean(over: axes, keepDims: true)
    results["variance"] = x.variance(over: axes)
    results["std"] = x.std(over: axes, correction: 0)
    results["norm"] = x.norm(over: axes)
    results["nanSum"] = x.nanSum(over: axes)
    return results
  }

  @Test(arguments: DenseReductionTests.cases)
  func isWhatAProgramGives(_ shape: [Int], _ axes: [Int]) {
    for dtype in [DType.float32, .float64, .int64, .int32, .uint8] {
      let x = (Tensor.rand(shape) * 3 + 0.5).cast(to: dtype).evaluated()
      let stored = results(of: x, over: axes)
      // One instruction before the reductions, which changes no value.
      for (name, value) in results(of: x * Tensor(1, dtype: dtype), over: axes) {
        let other = stored[name]?.contiguous()
        #expect(other?.contents == value.contents, "\(name) of \(dtype) \(shape) over \(axes)")
      }
    }
  }

  @Test func productsOfStoredVectorsAreThoseOfAProgram() {
    for shape in [[50_000], [3, 40_000], [400, 500]] {
      let x = Tensor.randn(shape), y = Tensor.randn(shape)
      let pending = (x * 1).vecdot(y * 1, over: -1)
      #expect(x.vecdot(y, over: -1).contents == pending.contents)
    }
  }

  @Test func fewElementsAreReducedEagerly() {
    let x = Tensor.randn([8, 8])
    #expect(!x.sum(over: 1).isPending && !x.std().isPending && !(x * 2).max(over: 0).isPending)
    #expect(Tensor.zeros([400, 400]).sum(over: 1).isPending)
  }

  @Test(arguments: [[8, 8], [3, 1500], [5, 4000], [4, 3, 600], [40, 7]])
  func logSumExpOfRowsIsThatOfItsParts(_ shape: [Int]) {
    var x = Tensor.randn(shape) * 30
    x[0] = Tensor(-Double.infinity).cast(to: .float32).broadcast(to: x[0].shape)
    let highest = x.max(over: -1, keepDims: true)
    let shift = Tensor.where(highest.isInfinite(), 0, highest)
    let parts = (x - shift).exp().sum(over: -1, keepDims: true).log() + shift
    #expect(x.logSumExp(over: -1, keepDims: true).contents == parts.contents)
  }
}
