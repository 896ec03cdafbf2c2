import NormaTensor
import Testing

@testable import NormaONNX

/// Views by their layout: the steps, done one by one, give the view's elements.
@Suite struct ViewFinderTests {
  private func result(of steps: [ViewStep], on x: Tensor) -> Tensor {
    steps.reduce(x.detached()) { value, step in
      switch step {
      case .reshape(let shape): value.reshaped(shape)
      case .transpose(let order): value.permuted(order)
      case .expand(let shape): value.broadcast(to: shape)
      case .slice(let axes, let starts, let ends, let steps):
        axes.indices.reduce(value) { part, index in
          part.sliced(
            over: axes[index], from: starts[index], to: ends[index], by: steps[index])
        }
      }
    }
  }

  private static let views: [(@Sendable (Tensor) -> Tensor, Int)] = [
    ({ $0 }, 0), ({ $0.reshaped(2, 12, 6) }, 1), ({ $0.permuted(2, 0, 3, 1) }, 1),
    ({ $0.unsqueezed(1).broadcast(to: [2, 5, 3, 4, 6]) }, 2),
    ({ $0.narrowed(over: 2, from: 1, count: 2) }, 1), ({ $0.sliced(over: 3, from: 1, by: 2) }, 1),
    ({ $0[1] }, 3), ({ $0.reshaped(2, 3, 4, 2, 3).permuted(3, 0, 2, 1, 4)[1] }, 5),
    ({ $0.permuted(0, 2, 3, 1).narrowed(over: 3, from: 2, count: 1) }, 4),
    ({ $0.reshaped(6, 24).transposed().unflattened(0, into: [4, 6])[2] }, 4),
    ({ $0[1][2].unsqueezed(0).broadcast(to: [3, 4, 6]) }, 4),
  ]

  @Test(arguments: views.indices) func everyViewIsFound(_ index: Int) throws {
    let (view, most) = Self.views[index]
    let x = Tensor.arange(144).reshaped(2, 3, 4, 6)
    let wanted = view(x)
    let steps = try #require(ViewFinder(base: x.arrangement).steps(to: wanted.arrangement))
    #expect(steps.count <= most)
    #expect(result(of: steps, on: x).isEqual(to: wanted))
  }

  /// Memory in another order than the axes: the result of a convolution lies channels last.
  @Test func aBaseMayLieInAnyOrder() throws {
    let x = Tensor.arange(144).reshaped(2, 4, 6, 3).copiedForTest.permuted(0, 3, 1, 2)
    let wanted = x.permuted(0, 2, 3, 1).reshaped(2, 24, 3).narrowed(over: 1, from: 3, count: 9)
    let steps = try #require(ViewFinder(base: x.arrangement).steps(to: wanted.arrangement))
    #expect(result(of: steps, on: x).isEqual(to: wanted))
  }

  @Test func windowsThatOverlapAreNoBlocks() {
    let x = Tensor.arange(12)
    let windows = x.unfolded(over: 0, size: 4, step: 2)
    #expect(ViewFinder(base: x.arrangement).steps(to: windows.arrangement) == nil)
  }
}

extension Tensor {
  fileprivate var copiedForTest: Tensor { (self + 0).evaluated() }
}
