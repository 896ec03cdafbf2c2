import CNormaLoops
import NormaReference
import Testing

@testable import NormaTensor

/// The same bits for any number of threads and on every instruction set.
///
/// Threads and levels are global to the process. Other tests may run meanwhile: their results do
/// not depend on them, which is what is tested here.
@Suite(.serialized) struct DeterminismTests {
  /// Large enough for several threads.
  static let reals: [Tensor] = {
    var random = TestRandom(seed: 5)
    let x = [
      Sample([6, 64, 7, 9], .float32, .channelsLast, random: &random, mean: 3).tensor,
      Sample([23, 1801], .float32, .mixed, random: &random, mean: 3).tensor.evaluated(),
      Sample([1801, 23], .float32, .stepped, random: &random, mean: 3).tensor,
    ]
    return [.float32, .float64, .float16].flatMap { dtype in
      x.map { $0.cast(to: dtype).evaluated() }
    }
      + [x[0].reshaped(-1).cast(to: .bfloat16).evaluated()]
  }()
  static let integers: [Tensor] = {
    var random = TestRandom(seed: 6)
    return DType.allCases.filter { !$0.isFloatingPoint }.map {
      Sample([70, 513], $0, .reversed, random: &random).tensor
    }
  }()

  /// Results of row kernels.
  private static func rows(_ x: Tensor) -> [Tensor] {
    let leaf = x.requiringGradient()
    let weight = x[0..<1].contiguous().evaluated().requiringGradient()
    let y = try? leaf.normalized(over: [1], eps: 1e-5, weight: weight, bias: nil, call: "").output
    y?.backward(upstream: x)
    let softmax = (x * 0.1).evaluated().requiringGradient()
    (softmax.softmax(over: 1) + softmax.causalSoftmax()).backward(upstream: x)
    return [y, leaf.grad, weight.grad, softmax.grad].map { $0 ?? .poisoned }
  }

  /// Results of all kinds.
  static func results() -> [Tensor] {
    var results: [Tensor] = []
    for x in reals {
      for axes in [[0], [x.rank - 1], Array(2..<max(x.rank, 2)) + [0], Array(0..<x.rank)] {
        results += [Statistic.sum, .variance, .maximum].map { $0.of(x, axes, keepDims: true) }
        results.append((x - x.mean(over: axes, keepDims: true)) / x.std(over: axes, keepDims: true))
      }
      results.append((x * 0.3 + x.abs().sqrt()).clamped(min: 0.5, max: 3) / x)
      results += DType.allCases.map { x.cast(to: $0) }
      if x.rank < 3 { results += [x.exp(), (x.abs() + 0.1).log(), x.tanh(), x.erf(), x .< 3] }
      if x.rank == 2 { results += rows(x.contiguous().evaluated()) }
    }
    for x in integers {
      results += [x.sum(over: 0), x.max(over: 1), x.min(), x * x + x, x .== 1, x.sqrt()]
      results += DType.allCases.map { x.cast(to: $0) }
    }
    return results.map { $0.evaluated() }
  }

  static func expectSame(_ found: [Tensor], _ expected: [Tensor], _ comment: String) {
    for (k, (a, b)) in zip(found, expected).enumerated() {
      if !isSame(a, b) { Issue.record("result \(k) of \(a.dtype) \(a.shape) differs: \(comment)") }
    }
  }

  @Test func anyNumberOfThreads() {
    let expected = withThreads(1) { Self.results() }
    for threads in [2, 3, 7] {
      Self.expectSame(withThreads(threads) { Self.results() }, expected, "\(threads) threads")
    }
  }

  @Test func everyInstructionSet() {
    let level = norma_loops_level()
    defer { norma_loops_select(level) }
    norma_loops_select(0)
    let expected = Self.results()
    for other in Int32(1)...2 where other <= norma_loops_best_level() {
      norma_loops_select(other)
      Self.expectSame(Self.results(), expected, "level \(other)")
    }
  }

  @Test func threadsAreAtLeastOne() {
    withThreads(-3) { #expect(TensorThreads.count == 1) }
  }

  /// In a process of its own, because it changes the global number of threads.
  @Test func scopesOfThreadsHideTheNumberOfTheProcess() async {
    await #expect(processExitsWith: .success) {
      TensorThreads.count = -3
      demand(TensorThreads.count == 1)
      TensorThreads.count = 3
      withThreads(5) {
        demand(TensorThreads.count == 5)
        withThreads(2) { demand(TensorThreads.count == 2) }
        TensorThreads.count = 4
        demand(TensorThreads.count == 5)
      }
      demand(TensorThreads.count == 4)
    }
  }
}
