import NormaTensor
import Testing

/// An empty list of axes reduces nothing: each element is a group of its own. No list means all
/// axes.
@Suite struct NoAxesTests {
  private static let reductions: [@Sendable (Tensor, [Int]) -> Tensor] = [
    { $0.sum(over: $1) }, { $0.mean(over: $1) }, { $0.variance(over: $1) },
    { $0.variance(over: $1, correction: 0) }, { $0.std(over: $1) },
    { $0.std(over: $1, correction: 0, keepDims: true) }, { $0.max(over: $1) },
    { $0.min(over: $1, keepDims: true) }, { $0.nanSum(over: $1) }, { $0.nanMean(over: $1) },
    { $0.product(over: $1) }, { $0.logSumExp(over: $1) }, { $0.norm(over: $1) },
    { $0.norm(1, over: $1) }, { $0.norm(3, over: $1) }, { $0.norm(0, over: $1) },
    { $0.countNonZero(over: $1) }, { ($0 .> 0.0).all(over: $1) }, { ($0 .> 0.0).any(over: $1) },
    { $0.quantile([0.25, 0.5], over: $1) },
    { $0.mean(over: $1, mask: $0 .> 0.0) }, { $0.mean(over: $1, weights: $0.abs()) },
  ]

  @Test(arguments: [DType.float32, .float64, .float16])
  func nothingIsReduced(dtype: DType) {
    let x = Tensor([[1.5, -2, 0.25], [3, -0.5, .infinity]]).cast(to: dtype)
    for (number, reduce) in Self.reductions.enumerated() {
      let none = reduce(x, [])
      let one = reduce(x.unsqueezed(-1), [2])
      let isSame = none.reshaped(-1).allClose(to: one.reshaped(-1), equalNaN: true)
      #expect(isSame, "\(number): \(none) instead of \(one)")
      #expect(none.dtype == one.dtype)
      #expect(none.shape.suffix(2) == x.shape[...], "\(number): \(none.shape)")
    }
  }

  @Test func gradientsGoToEachElement() {
    for (number, reduce) in Self.reductions.enumerated() where number < 15 {
      let x = Tensor([[1.5, -2, 0.25], [3, -0.5, 4]], dtype: .float64)
      let none = Tensor.gradient(of: { reduce($0, []).sum() }, at: x)
      let one = Tensor.gradient(of: { reduce($0.unsqueezed(-1), [2]).sum() }, at: x)
      #expect(none.allClose(to: one, equalNaN: true), "\(number): \(none) instead of \(one)")
    }
  }

  @Test func noListIsAll() {
    let x = Tensor([[1.0, 2], [3, 4]])
    #expect(x.sum().item() == 10 && x.max().item() == 4 && x.flipped()[0, 0].item() == 4)
    #expect(x.quantile([0.5]).array(of: Double.self) == [2.5])
    #expect(x.flipped(over: []).isEqual(to: x))
  }
}
