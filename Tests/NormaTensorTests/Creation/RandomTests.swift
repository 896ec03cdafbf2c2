import NormaTensor
import Testing

/// The values of PyTorch 2.13 on a CPU, seed 0 unless the test says otherwise.
@Suite struct RandomTests {
  @Test func drawsTheNumbersOfPyTorch() {
    func drawn<T: TensorElement>(_ type: T.Type, _ draw: () -> Tensor) -> [T] {
      withSeed(0) { draw().array(of: type) }
    }
    #expect(drawn(Float.self) { .rand(2) } == [0.49625659, 0.76822180])
    #expect(
      drawn(Double.self) { .rand(2, dtype: .float64) } == [0.9700530018065531, 0.707819864399788])
    #expect(drawn(Float.self) { .randn(2) } == [1.5409961, -0.2934289])
    #expect(drawn(Float.self) { .randn(4, 4)[0, 0..<2] } == [-1.1258398, -1.1523602])
    #expect(drawn(Int64.self) { .randint([5], low: 0, high: 10) } == [4, 9, 3, 0, 3])
    #expect(drawn(Int64.self) { .randperm(5) } == [4, 0, 1, 3, 2])
  }

  /// 19 million numbers, by their sum.
  @Test func drawsTheImagesOfTheReadme() {
    let x = withSeed(0) { Tensor.rand(6, 64, 224, 224) }
    #expect(abs(x.cast(to: .float64).sum().item() - 9_634_548.90749824) < 1e-5)
    #expect(x.max().item() < 1 && x.min().item() >= 0)
  }

  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64])
  func drawsWhatTheGeneratorDraws(dtype: DType) {
    var generator = Generator(seed: 3)
    func direct(_ draw: (inout Generator, UnsafeMutableRawPointer) -> Void) -> Tensor {
      Tensor(shape: [4, 5], dtype: dtype) { bytes in
        if let base = bytes.baseAddress { draw(&generator, base) }
      }
    }
    let expected = [
      direct { $0.uniform($1, count: 20, dtype: dtype) },
      direct { $0.normal($1, count: 20, dtype: dtype) },
      direct { $0.uniform($1, count: 20, dtype: dtype, low: -2, high: 0.5) },
      direct { $0.normal($1, count: 20, dtype: dtype, mean: 3, std: 0.25) },
      direct { $0.integers($1, count: 20, dtype: dtype, low: -3, high: 9) },
      direct { $0.bernoulli($1, count: 20, dtype: dtype, p: 0.3) },
      direct { $0.exponential($1, count: 20, dtype: dtype, rate: 2) },
      direct { $0.geometric($1, count: 20, dtype: dtype, p: 0.2) },
      direct { $0.cauchy($1, count: 20, dtype: dtype, median: 1, sigma: 2) },
      direct { $0.logNormal($1, count: 20, dtype: dtype, mean: 0.1, std: 0.5) },
    ]
    let shape = [4, 5]
    let found = withSeed(3) {
      [
        Tensor.rand(shape, dtype: dtype),
        Tensor.randn(shape, dtype: dtype),
        Tensor.uniform(shape, low: -2, high: 0.5, dtype: dtype),
        Tensor.normal(shape, mean: 3, std: 0.25, dtype: dtype),
        Tensor.randint(shape, low: -3, high: 9, dtype: dtype),
        Tensor.bernoulli(shape, p: 0.3, dtype: dtype),
        Tensor.exponential(shape, rate: 2, dtype: dtype),
        Tensor.geometric(shape, p: 0.2, dtype: dtype),
        Tensor.cauchy(shape, median: 1, sigma: 2, dtype: dtype),
        Tensor.logNormal(shape, mean: 0.1, std: 0.5, dtype: dtype),
      ]
    }
    for (index, pair) in zip(found, expected).enumerated() {
      #expect(pair.0.isEqual(to: pair.1), "draw \(index)")
    }
  }

  @Test(arguments: [DType.float16, .bfloat16, .float32, .float64])
  func bernoulliFollowsItsProbabilities(dtype: DType) {
    let rows: [[Float]] = [0, 1, 0.25].map { [Float](repeating: $0, count: 1000) }
    let p = Tensor(rows, dtype: dtype)
    let x = withSeed(1) { Tensor.bernoulli(p) }
    // A view is read in its own order.
    let turned = withSeed(1) { Tensor.bernoulli(p.transposed(0, 1)[0..<3].transposed(0, 1)) }
    #expect(turned.sum(over: 1).array(of: Float.self).prefix(2) == [0, 3])
    #expect(x.dtype == dtype)
    #expect(x.shape == [3, 1000])
    let sums = x.cast(to: .float64).sum(over: 1).array(of: Double.self)
    #expect(sums[0] == 0 && sums[1] == 1000)
    // Four standard deviations around 250.
    #expect(abs(sums[2] - 250) < 55)
  }

  @Test func emptyAndSingle() {
    #expect(Tensor.rand(0, 3).shape == [0, 3])
    #expect(Tensor.rand([]).rank == 0)
    #expect(Tensor.randperm(0).count == 0)
    #expect(Tensor.bernoulli(Tensor.zeros(0)).count == 0)
    #expect(withSeed(0) { Tensor.rand([]).item(as: Float.self) } == 0.49625659)
  }

  @Test func anOwnGeneratorAdvances() async {
    let seed = 12
    let expected = withSeed(seed) { [Tensor.randn(3), Tensor.rand(20), Tensor.randn(1)] }
    var generator = Generator(seed: seed)
    let first = withGenerator(&generator) { Tensor.randn(3) }
    _ = withSeed(1) { Tensor.randn(5) }
    let second = await withGenerator(&generator) { () async -> Tensor in
      await Task.yield()
      return Tensor.rand(20)
    }
    let third = withGenerator(&generator) { Tensor.randn(1) }
    for (found, expected) in zip([first, second, third], expected) {
      #expect(found.isEqual(to: expected))
    }
  }

  @Test func mistakesAreNamed() {
    let cases: [(String, () -> Tensor)] = [
      ("rand(_:): int64 holds no real numbers", { .rand(2, dtype: .int64) }),
      ("randn(_:): bool holds no real numbers", { .randn(2, dtype: .bool) }),
      ("rand(_:): size -1", { .rand(-1) }),
      (
        "uniform(_:low:high:): 1.0 ..< 0.0 is not a valid range", { .uniform([1], low: 1, high: 0) }
      ),
      (
        "uniform(_:low:high:): 0.0 ..< 100000.0 is not a valid range",
        { .uniform([1], low: 0, high: 1e5, dtype: .float16) }
      ),
      (
        "normal(_:mean:std:): the standard deviation must not be negative, got -1.0",
        { .normal([1], std: -1) }
      ),
      (
        "normal(_:mean:std:): the standard deviation must not be negative, got nan",
        { .normal([1], std: .nan) }
      ),
      (
        "randint(_:low:high:): there is no integer in 3 ..< 3",
        { .randint([1], low: 3, high: 3) }
      ),
      (
        "randint(_:low:high:): uint8 does not hold",
        { .randint([1], low: 0, high: 257, dtype: .uint8) }
      ),
      ("randperm(_:): size -1", { .randperm(-1) }),
      (
        "randperm(_:): uint8 does not hold all integers in 0 ..< 257",
        { .randperm(257, dtype: .uint8) }
      ),
      ("bernoulli(_:p:): the probability must be in 0 ... 1, got 1.5", { .bernoulli([1], p: 1.5) }),
      (
        "bernoulli(_:): probabilities must be in 0 ... 1, got -0.5 ... 2.0",
        { .bernoulli(Tensor([-0.5, 2.0])) }
      ),
      (
        "bernoulli(_:): probabilities must be in 0 ... 1, got nan ... nan",
        { .bernoulli(Tensor([0.5, Double.nan])) }
      ),
      ("bernoulli(_:): int64 holds no real", { .bernoulli(Tensor([1, 0])) }),
      ("exponential(_:rate:): the rate must be positive, got 0.0", { .exponential([1], rate: 0) }),
      (
        "geometric(_:p:): the probability must be between 0 and 1, got 1.0",
        { .geometric([1], p: 1) }
      ),
      ("cauchy(_:median:sigma:): sigma must be positive, got 0.0", { .cauchy([1], sigma: 0) }),
      (
        "logNormal(_:mean:std:): the standard deviation must be positive",
        { .logNormal([1], std: 0) }
      ),
    ]
    for (text, mistake) in cases {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors { mistake() } }
      #expect(error?.description.hasPrefix(text) == true, "\(error?.description ?? "")")
    }
  }

  /// A mistake must not advance the generator.
  @Test func mistakesDrawNothing() throws {
    withSeed(2) {
      let before = Generator.current
      _ = try? catchingTensorErrors { Tensor.normal([100], std: -1) }
      #expect(Generator.current == before)
    }
  }
}
