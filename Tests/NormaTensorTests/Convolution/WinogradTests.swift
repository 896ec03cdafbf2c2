import NormaOneDNN
import Testing

@testable import NormaTensor

/// Whether oneDNN has it.
private let isAvailable: Bool = {
  let (x, weights) = (Tensor.zeros(1, 64, 16, 16), Tensor.zeros(64, 64, 3, 3))
  return !paths { withWinograd { conv2d(x, weight: weights, padding: 1) } }.isEmpty
}()

/// The steps that ran by Winograd's algorithm.
private func paths(_ body: () -> Tensor) -> [ExecutionPlan.Step] {
  ExecutionLog.recording { body().evaluated() }.1.filter { $0.traits.contains(.winograd) }
}

/// Convolutions by Winograd's algorithm, beside the definition in `float64`.
@Suite(.enabled(if: isAvailable, "oneDNN has no F(2x2, 3x3) for this processor"))
struct WinogradTests {
  private struct Case {
    let x: Tensor, weights: Tensor, bias: Tensor?
    let padding: Int

    init(_ shape: [Int], outputs: Int, padding: Int = 1, hasBias: Bool = true) {
      self.padding = padding
      (x, weights, bias) = withSeed(7) {
        (
          Tensor.randn(shape).relu().evaluated(),
          (Tensor.randn(outputs, shape[1], 3, 3) * 0.1).evaluated(),
          hasBias ? Tensor.randn(outputs).evaluated() : nil
        )
      }
    }

    func convolved(_ isAllowed: Bool = true, _ x: Tensor? = nil) -> Tensor {
      withWinograd(isAllowed) {
        conv2d(x ?? self.x, weight: weights, bias: bias, padding: Extents(padding))
      }
    }

    /// In `float64`.
    var expected: Tensor {
      func wide(_ x: Tensor) -> Tensor { x.cast(to: .float64) }
      return conv2d(
        wide(x), weight: wide(weights), bias: bias.map(wide), padding: Extents(padding))
    }
  }

  /// Images, rows of large ones, few positions, several images together.
  private static let cases = [
    Case([1, 64, 14, 14], outputs: 64), Case([1, 32, 15, 9], outputs: 96),
    Case([5, 64, 28, 28], outputs: 64), Case([1, 64, 150, 161], outputs: 64),
    Case([3, 64, 90, 90], outputs: 128, padding: 0), Case([8, 128, 7, 7], outputs: 128),
    Case([1, 32, 4, 4], outputs: 64, hasBias: false), Case([1, 64, 3, 3], outputs: 64, padding: 0),
  ]

  @Test(arguments: [1, 2]) func resultsAreThoseOfTheDefinition(threads: Int) {
    withThreads(threads) {
      for one in Self.cases {
        let expected = one.expected
        let scale = expected.squared().mean().item().squareRoot()
        func error(_ y: Tensor) -> (most: Double, mean: Double) {
          let difference = (y.cast(to: .float64) - expected) / scale
          return (difference.abs().max().item(), difference.squared().mean().item().squareRoot())
        }
        let (own, definition) = (error(one.convolved()), error(one.convolved(false)))
        // About three quarters, on average over many; F(4x4, 3x3) makes more than twice as much.
        #expect(own.mean < 1.2 * definition.mean + 2e-8, "\(one.x.shape)")
        #expect(own.most < 1e-5, "\(one.x.shape)")
      }
    }
  }

  @Test func theyRunInTheScopeAlone() {
    let one = Self.cases[0]
    #expect(paths { one.convolved() }.count == 1)
    #expect(paths { one.convolved(false) }.isEmpty)
    #expect(paths { withWinograd { one.convolved(false) } }.isEmpty)
    // The scope of the call counts, not that of the evaluation.
    let pending = one.convolved()
    #expect(paths { pending }.count == 1)
    let plain = one.convolved(false)
    #expect(paths { withWinograd { plain } }.isEmpty)
  }

  @Test func othersHaveTheSameBits() {
    let x = withSeed(3) { Tensor.randn(2, 64, 12, 12).evaluated() }
    func random(_ shape: Int...) -> Tensor { withSeed(4) { Tensor.randn(shape).evaluated() } }
    let wide = random(64, 64, 3, 3).cast(to: .float64)
    let calls: [(String, () -> Tensor)] = [
      ("stride", { conv2d(x, weight: random(64, 64, 3, 3), stride: 2) }),
      ("dilation", { conv2d(x, weight: random(64, 64, 3, 3), dilation: 2) }),
      ("kernel", { conv2d(x, weight: random(64, 64, 1, 1)) }),
      ("groups", { conv2d(x, weight: random(64, 32, 3, 3), groups: 2) }),
      ("channels", { conv2d(x, weight: random(60, 64, 3, 3)) }),
      ("padding", { conv2d(x, weight: random(64, 64, 3, 3), padding: 2) }),
      ("few", { conv2d(x, weight: random(32, 64, 3, 3)) }),
      ("line", { conv1d(x[0..., 0..., 0], weight: random(64, 64, 3)) }),
      ("float64", { conv2d(x.cast(to: .float64), weight: wide) }),
    ]
    for (name, call) in calls {
      #expect(paths { withWinograd { call() } }.isEmpty, "\(name)")
      #expect(isSame(withWinograd { call() }, call()), "\(name)")
    }
  }

  /// Numbers that are not finite, and sums that overflow, reach the results that they reach by the
  /// definition. Beside a number that does not overflow, errors are proportional to it.
  @Test(arguments: [Double.infinity, -.infinity, .nan, 3e38]) func whatIsNotFinite(value: Double) {
    for one in Self.cases.prefix(5) {
      var x = one.x.contiguous()
      x[0, 1, 2, 1] = Tensor(value)
      let (own, expected) = (one.convolved(true, x), one.convolved(false, x))
      #expect(isSame(own.isNaN(), expected.isNaN()), "\(x.shape)")
      #expect(isSame(own.isFinite(), expected.isFinite()), "\(x.shape)")
      let near = expected.isFinite()
      let difference = Tensor.where(near, own - expected, 0).abs().max().item()
      #expect(difference <= (value == 3e38 ? 1e33 : 1e-4), "\(x.shape): \(difference)")
    }
  }

  @Test func whatFollowsFindsThemInCache() {
    for one in Self.cases.prefix(5) {
      let x = one.x.channelsLast().evaluated()
      let (value, steps) = ExecutionLog.recording {
        (one.convolved(true, x) * 2).relu().evaluated()
      }
      #expect(steps.map(\.path) == [.convolution])
      #expect(steps[0].traits.isSuperset(of: [.winograd, .inCache]))
      #expect(isSame(value, (one.convolved(true, x).evaluated() * 2).relu()))
    }
  }

  /// Images are computed apart, if they have many positions.
  @Test func imagesDoNotDependOnTheirNumber() {
    let one = Self.cases[2]
    let all = one.convolved().evaluated()
    for count in 1..<5 {
      #expect(isSame(one.convolved(true, one.x[..<count]), all[..<count]))
    }
  }

  @Test func callsRunConcurrently() async {
    let expected = Self.cases.map { $0.convolved().evaluated() }
    await withTaskGroup(of: Bool.self) { group in
      for index in 0..<16 {
        let index = index % expected.count
        group.addTask { isSame(Self.cases[index].convolved(), expected[index]) }
      }
      for await same in group { #expect(same) }
    }
  }

  @Test func gradientsAreTheUsualOnes() {
    let one = Self.cases[0]
    func gradient(_ isAllowed: Bool) -> Tensor {
      let x = one.x.requiringGradient()
      let steps = paths {
        withWinograd(isAllowed) {
          (conv2d(x, weight: one.weights, bias: one.bias, padding: 1) * 2).sum().backward()
        }
        return x.grad ?? .zeros(1)
      }
      // The forward pass alone.
      #expect(steps.count == (isAllowed ? 1 : 0))
      return x.grad ?? .zeros(1)
    }
    let (own, expected) = (gradient(true), gradient(false))
    #expect(expected.shape == one.x.shape)
    #expect(isSame(own, expected))
  }
}
