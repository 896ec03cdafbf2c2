import NormaOneDNN
import Testing

@testable import NormaTensor

/// Each execution path is taken when it should be, and gives the bits of the same operations run
/// separately.
@Suite struct ExecutionLogTests {
  private typealias Step = ExecutionPlan.Step

  /// What runs in `body` after its operands have been stored.
  private static func run(_ body: () -> Tensor) -> (value: Tensor, steps: [Step]) {
    let (value, steps) = ExecutionLog.recording { body().evaluated() }
    return (value, steps)
  }

  private static func paths(_ body: () -> Tensor) -> [ExecutionPlan.Path] {
    run(body).steps.map(\.path)
  }

  private static func random(_ shape: [Int], _ dtype: DType = .float32, seed: UInt64 = 7) -> Tensor
  {
    withSeed(seed) { Tensor.rand(shape) + 0.5 }.cast(to: dtype).evaluated()
  }

  // MARK: Elementwise

  @Test func elementwise() {
    let (small, large) = (Self.random([64]), Self.random([200, 200]))
    #expect(Self.paths { small + small } == [.program])
    let (value, steps) = Self.run { (large + 1) * large - 2 }
    #expect(steps.map(\.path) == [.program])
    #expect(steps[0].operations == ["add", "multiply", "subtract"])
    // Two values of one tensor are read, which is in memory once.
    #expect(steps[0].bytesRead == 160_000 && steps[0].bytesWritten == 160_000)
    let sum = (large + 1).evaluated()
    #expect(isSame(value, (sum * large).evaluated() - 2))
  }

  @Test func copies() {
    let x = Self.random([200, 200])
    let (value, steps) = Self.run { x.transposed().contiguous() }
    #expect(steps.map(\.path) == [.copy] && steps[0].bytesRead == 160_000)
    #expect(value[3, 5].item() == x[5, 3].item() as Double)
  }

  /// Rows of a certain length are read directly from a larger tensor.
  @Test func rowsOfALargerTensor() {
    let x = Self.random([100, 900])
    let part = x[0..., 100..<800]
    let (value, steps) = Self.run { part * 2 }
    #expect(steps.map(\.path) == [.program] && steps[0].traits.contains(.byRow))
    #expect(isSame(value, part.contiguous().evaluated() * 2))
  }

  @Test func rowByRow() {
    let (images, channels) = (Self.random([32, 16, 40, 16]), Self.random([16, 1, 1]))
    let (value, steps) = Self.run { images * channels - images.abs() }
    #expect(steps.map(\.path) == [.program] && steps[0].traits.contains(.byRow))
    let all = channels.broadcast(to: images.shape).copied().evaluated()
    #expect(isSame(value, (images * all).evaluated() - images.abs().evaluated()))
  }

  @Test func largeResultsBypassTheCaches() {
    let x = Tensor.zeros([9_000_000])
    let (_, steps) = Self.run { x.abs() + 1 }
    #expect(steps.map(\.path) == [.program] && steps[0].traits.contains(.streamed))
    let few = Self.run { x[0..<1_000_000].abs() + 1 }.steps
    #expect(few.map(\.path) == [.program] && !few[0].traits.contains(.streamed))
  }

  @Test func plansAreMadeOnce() {
    let x = Self.random([123, 457])
    let first = Self.run { (x * 3 - 1).sqrt().exp() }.steps
    let second = Self.run { (x * 4 - 2).sqrt().exp() }.steps
    #expect(first[0].traits == [.planned] && second[0].traits == [])
    #expect(first[0].operations == second[0].operations)
    #expect(first[0].bytesRead == second[0].bytesRead && first[0].bytesWritten == x.count * 4)
    // So are those of few elements, and of reductions that run eagerly.
    let few = Self.random([3, 5])
    for step in 0..<2 {
      let steps = Self.run { few.abs() * few + Double(step) }.steps
      #expect(steps.map(\.traits) == [step == 0 ? [.planned] : []])
    }
    let sums = ExecutionLog.recording { few.sum(over: 1) }
    #expect(sums.steps.map(\.path) == [.reduction] && !sums.result.isPending)
  }

  // MARK: Reductions

  @Test func reductions() {
    let x = Self.random([300, 300])
    let stored = x.sum(over: 1)
    // Intermediate results are never stored.
    let (onItsWay, steps) = Self.run { (x * 1).sum(over: 1) }
    #expect(steps.first?.path == .reduction && steps.first?.operations == ["multiply", "sum"])
    #expect(steps.first?.bytesWritten == 300 * 8)
    #expect(isSame(stored, onItsWay))
  }

  @Test func siblingsShareAPass() {
    let x = Self.random([300, 300])
    let (_, steps) = Self.run {
      let y = x.abs()
      return y.mean(over: 1) + y.std(over: 1)
    }
    #expect(steps.count { $0.path == .reduction } == 1)
    #expect(steps.first?.operations == ["abs", "moments"])
  }

  @Test func scatteredRowsAreReducedSideBySide() {
    let x = Self.random([64, 64, 7, 7])
    let (value, steps) = Self.run { x.mean(over: 0, 2, 3) }
    #expect(steps.first?.path == .reduction && steps.first?.traits.contains(.interleaved) == true)
    let rows = x.permuted(1, 0, 2, 3).contiguous().evaluated().reshaped(64, -1)
    #expect(isSame(value, rows.mean(over: 1)))
  }

  @Test func extremesHaveNoOrder() {
    let x = Self.random([64, 64, 7, 7])
    let (value, steps) = Self.run { x.transposed(0, 2).max(over: 0, 2) }
    #expect(steps.map(\.path) == [.reduction] && steps[0].traits.contains(.unordered))
    #expect(isSame(value, x.transposed(0, 2).contiguous().evaluated().max(over: 0, 2)))
  }

  @Test func manyResultsAreFinishedInStrips() {
    let x = Self.random([20, 10_000])
    let (value, steps) = Self.run { x.mean(over: 0) }
    #expect(steps.map(\.path) == [.strips] && steps[0].bytesWritten == 40_000)
    let sum = x.cast(to: .float64).sum(over: 0).evaluated()
    #expect(isSame(value, (sum / 20).cast(to: .float32)))
  }

  @Test func statisticsAndWhatNeedsThemReadOnce() {
    let x = Self.random([64, 20_000])
    func standardized(evaluating: Bool) -> Tensor {
      var (mean, std) = (x.mean(over: 1, keepDims: true), x.std(over: 1, keepDims: true))
      if evaluating { (mean, std) = (mean.evaluated(), std.evaluated()) }
      return (x - mean) / std
    }
    let (value, steps) = withThreads(2) { Self.run { standardized(evaluating: false) } }
    #expect(steps.map(\.path) == [.slices] && steps[0].bytesRead == 64 * 20_000 * 4)
    #expect(isSame(value, standardized(evaluating: true)))
  }

  // MARK: Normalization

  private static func normalized(
    _ x: Tensor, _ axes: [Int], _ weight: Tensor? = nil, _ bias: Tensor? = nil,
    from origin: NormalizationOrigin = .mean
  ) -> Tensor {
    let result = try? x.normalized(
      over: axes, from: origin, eps: 1e-5, weight: weight, bias: bias, call: "")
    return result?.output ?? .poisoned
  }

  @Test func normalizations() {
    let small = Self.random([8, 16, 6, 6])
    #expect(Self.paths { Self.normalized(small, [0, 2, 3]) } == [.groups])
    let medium = Self.random([8, 16, 30, 30])
    let steps = Self.run { Self.normalized(medium, [0, 2, 3]) }.steps
    #expect(steps.map(\.path) == [.reduction, .numbers, .program])
    #expect(steps.last?.operations == ["normalize"] && steps[0].traits.contains(.interleaved))
    let large = Self.random([4, 120_000])
    #expect(withThreads(2) { Self.paths { Self.normalized(large, [1]) } } == [.slices])
    // Channels last: a row of numbers repeats under all pixels.
    let last = Self.random([8, 30, 30, 16]).permuted(0, 3, 1, 2)
    let lastSteps = Self.run { Self.normalized(last, [0, 2, 3]) }.steps
    #expect(lastSteps.map(\.path) == [.reduction, .numbers, .program])
    #expect(lastSteps.last?.traits.contains(.byRow) == true)
  }

  /// Rows and groups in cache are processed by the kernel, with the bits of a program that uses
  /// pending statistics.
  @Test(arguments: [[800, 128], [90, 768], [40, 2000], [1200, 61], [5000, 16], [16, 2, 2500]])
  func normalizedRows(shape: [Int]) throws {
    let x = Self.random(shape)
    let isGrouped = shape.count == 3
    let own = isGrouped ? [1, 2, 1] : [1, shape[1]]
    let (weight, bias) = (Self.random(own, seed: 8), Self.random(own, seed: 9))
    let axes = Array(1..<shape.count)
    for origin in [NormalizationOrigin.mean, .zero] {
      for (weight, bias) in [(nil, nil), (weight, nil), (weight, bias)] as [(Tensor?, Tensor?)] {
        let (found, steps) = Self.run { Self.normalized(x, axes, weight, bias, from: origin) }
        #expect(steps.map(\.path) == [.groups])
        let statistics = x.normalizationStatistics(over: axes, from: origin)
        let expected = try x.normalized(
          mean: statistics.mean, variance: statistics.variance, eps: 1e-5, weight: weight,
          bias: bias, call: "")
        #expect(isSame(found, expected), "\(shape), \(origin)")
      }
    }
    #expect(Self.paths { Self.normalized(x + x, axes, weight, bias) }.last == .groups)
  }

  /// Masks and weights are read together with the values, in the same pass.
  @Test func masksAndWeights() throws {
    let x = Self.random([4, 120_000])
    let (mask, weights) = ((x .> 0.7).evaluated(), Self.random([4, 1], seed: 8))
    func normalized(_ threads: Int) -> (value: Tensor, steps: [Step]) {
      withThreads(threads) {
        Self.run {
          let result = try? x.normalized(
            over: [1], mask: mask, eps: 1e-5, weight: nil, bias: nil, call: "")
          return result?.output ?? .poisoned
        }
      }
    }
    let (value, steps) = normalized(2)
    let large = steps.filter { $0.shape == x.shape }
    #expect(large.map(\.path) == [.slices] && large[0].operations.contains("weighted moments"))
    // Few numbers besides the values and their mask.
    #expect(x.count * 5..<x.count * 5 + 1000 ~= large[0].bytesRead)
    #expect(isSame(value, normalized(1).value))
    let (mean, trips) = Self.run { x.mean(over: 1, mask: mask, weights: weights) }
    #expect(trips.filter { $0.shape == x.shape }.map(\.path) == [.reduction])
    #expect(isSame(mean, withThreads(1) { x.mean(over: 1, mask: mask, weights: weights) }))
  }

  @Test func gradientsOfNormalizations() {
    func steps(_ x: Tensor, _ axes: [Int], _ weight: Tensor?) -> [Step] {
      let x = x.requiringGradient()
      let loss = (Self.normalized(x, axes, weight) * x.detached()).sum()
      return ExecutionLog.recording {
        loss.backward()
        _ = x.grad?.evaluated()
      }.steps
    }
    let rows = steps(
      Self.random([800, 128]), [1], Self.random([1, 128]).requiringGradient())
    #expect(rows.count { $0.path == .rowGradient } == 1)
    let groups = steps(Self.random([8, 16, 6, 6]), [0, 2, 3], nil)
    #expect(groups.count { $0.path == .groups } == 1)
    #expect(!groups.contains { $0.path == .reduction })
  }

  // MARK: Rows, products, convolutions

  @Test func rowsOfPowers() {
    let x = Self.random([32, 100])
    #expect(Self.paths { x.softmax(over: 1) } == [.rowSoftmax])
    #expect(Self.paths { x.logSumExp(over: 1) } == [.rowSoftmax])
    #expect(Self.paths { x.causalSoftmax() } == [.rowSoftmax])
    for softmax in [{ $0.softmax(over: 1) }, { $0.causalSoftmax() }] as [(Tensor) -> Tensor] {
      let leaf = x.requiringGradient()
      let y = softmax(leaf)
      let steps = ExecutionLog.recording { y.backward(upstream: x) }.steps
      #expect(steps.map(\.operations) == [["softmax gradient"]])
    }
  }

  @Test func products() {
    let (small, large) = (Self.random([3, 3]), Self.random([128, 128]))
    let wide = Self.random([128, 128], .float64)
    #expect(Self.run { small.matmul(small) }.steps.map(\.traits) == [[.ownLoops]])
    #expect(Self.run { wide.matmul(wide) }.steps.map(\.traits) == [[.ownLoops]])
    let step = Self.run { large.matmul(large) }.steps
    #expect(step.map(\.path) == [.product] && step[0].bytesRead == 2 * 128 * 128 * 4)
    if OneDNN.isAvailable { #expect(step[0].traits == [.oneDNN]) }
    let (images, kernels) = (Self.random([4, 16, 32, 32]), Self.random([16, 16, 3, 3]))
    let convolution = Self.run { conv2d(images, weight: kernels) }.steps
    // oneDNN requires channels last.
    if OneDNN.isAvailable { #expect(convolution.map(\.path) == [.copy, .convolution]) }
    let few = (Self.random([1, 3, 8, 8]), Self.random([4, 3, 3, 3]))
    #expect(Self.run { conv2d(few.0, weight: few.1) }.steps.map(\.traits) == [[.ownLoops]])
    let doubles = (images.cast(to: .float64).evaluated(), kernels.cast(to: .float64).evaluated())
    let byProducts = Self.run { conv2d(doubles.0, weight: doubles.1) }.steps
    #expect(byProducts.contains { $0.traits == [.byProducts] })
  }

  // MARK: For people

  @Test func plansAreExplained() {
    let x = Self.random([64, 32])
    let y = (x - 1) * x
    let plan = y.explainPlan()
    #expect(plan.steps.count == 1 && plan.bytesRead == 8192 && plan.bytesWritten == 8192)
    let text = """
      1 pass over memory: 8.2 KB read, 8.2 KB written
      1. program: subtract, multiply over [64, 32], 8.2 KB read, 8.2 KB written, planned
      """
    #expect("\(plan)" == text)
    #expect("\(y.explainPlan())" == "nothing to run: the values are stored")
    // Recording has ended, and another task's work is not recorded.
    #expect(ExecutionLog.recording {}.steps.isEmpty)
  }
}
