import NormaNN
import NormaReference
import NormaTensor
import Testing

@Suite struct InstanceNormTests {
  @Test(arguments: BatchNormTests.realTypes, [false, true])
  func againstTheDefinition(dtype: DType, channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(dtype) \(channelsLast)")
    for shape in [[2, 12, 5, 7], [4, 6, 33], [1, 4, 3, 2, 5], [5, 3, 40, 40]] {
      let x = BatchNormTests.batch(shape, dtype, channelsLast: channelsLast, &random).tensor
      let check = NormalizationCheck(
        axes: Array(2..<shape.count), shape: shape,
        parameterShape: shape.indices.map { $0 == 1 ? shape[1] : 1 })
      let errors = check.errors(
        x, weight: random.doubles(shape[1], mean: 1), bias: random.doubles(shape[1]),
        upstream: random.doubles(x.count, mean: 0.2)
      ) { instanceNorm($0, weight: $1, bias: $2) }
      NormalizationCheck.expectSmall(
        errors, limit: dtype == .float64 ? 24 : 4, "\(dtype) \(shape), last \(channelsLast)")
    }
  }

  @Test(arguments: [1e3, 1e5, 1e7])
  func farFromZero(mean: Double) {
    var random = TestRandom(for: "\(#function) \(mean)")
    let x = BatchNormTests.batch([4, 8, 90], .float32, mean: mean, std: 1, &random).tensor
    let check = NormalizationCheck(axes: [2], shape: [4, 8, 90], parameterShape: [1, 8, 1])
    let errors = check.errors(
      x, weight: random.doubles(8, mean: 1), bias: random.doubles(8),
      upstream: random.doubles(x.count)
    ) { instanceNorm($0, weight: $1, bias: $2) }
    NormalizationCheck.expectSmall(errors, limit: 4, "mean \(mean)")
  }

  /// The mean over the samples of their means and of their variances with n - 1.
  @Test func runningStatistics() {
    let x = withSeed(2) { Tensor.randn(3, 4, 5, 6) } * 2 + 1
    let norm = InstanceNorm2d(4, momentum: 0.3, trackRunningStats: true)
    for step in 1...2 {
      #expect(norm(x).isEqual(to: instanceNorm(x)))
      let share = 1 - (step == 1 ? 0.7 : 0.49)
      let wide = x.cast(to: .float64)
      let mean = wide.mean(over: 2, 3).mean(over: 0) * share
      let variance = wide.variance(over: 2, 3).mean(over: 0) * share + (1 - share)
      #expect(norm.runningMean?.value.cast(to: .float64).allClose(to: mean, rtol: 1e-6) == true)
      #expect(norm.runningVar?.value.cast(to: .float64).allClose(to: variance, rtol: 1e-6) == true)
    }
    #expect(norm.numBatchesTracked?.value.item() == 0)
    norm.eval()
    let y = norm(x)
    let bn = batchNorm(x, runningMean: norm.runningMean?.value, runningVar: norm.runningVar?.value)
    #expect(y.isEqual(to: bn))
    #expect(norm.runningMean?.value.shape == [4])
  }

  /// The mean of all batches so far.
  @Test func cumulative() {
    let norm = InstanceNorm1d(2, momentum: .cumulative, trackRunningStats: true)
    let batches = withSeed(3) { (0..<3).map { _ in Tensor.randn(4, 2, 6) } }
    for batch in batches { _ = norm(batch) }
    let means = Tensor.stacked(batches.map { $0.mean(over: 0, 2) }).mean(over: 0)
    #expect(norm.runningMean?.value.allClose(to: means, rtol: 1e-5, atol: 1e-6) == true)
    #expect(norm.numBatchesTracked?.value.item() == 3)
  }

  /// One sample gives what it gives in a batch, and moves the running statistics as a batch of one.
  @Test func oneSample() {
    let x = withSeed(6) { Tensor.randn(2, 3, 7) }
    let (alone, batch) = (
      InstanceNorm1d(3, affine: true, trackRunningStats: true),
      InstanceNorm1d(3, affine: true, trackRunningStats: true)
    )
    #expect(alone(x[0]).isEqual(to: batch(x[0].unsqueezed(0))[0]))
    for (a, b) in [(alone.runningMean, batch.runningMean), (alone.runningVar, batch.runningVar)] {
      #expect(a?.value.array(of: Float.self) == b?.value.array(of: Float.self))
    }
  }

  @Test func edges() {
    #expect(InstanceNorm2d(3).stateDict().isEmpty)
    let full = InstanceNorm2d(3, affine: true, trackRunningStats: true)
    #expect(
      full.stateDict().keys.sorted() == [
        "bias", "num_batches_tracked", "running_mean", "running_var", "weight",
      ])
    full.bias?.value = Tensor([1, 2, 3] as [Float])
    #expect(
      full(.full([2, 3, 4, 4], 1e7 + 1))[1, 0..., 2, 3].array(of: Float.self) == [1, 2, 3])
    let before = full.runningMean?.value.array(of: Float.self)
    #expect(full(.zeros(0, 3, 4, 4)).shape == [0, 3, 4, 4])
    #expect(full.runningMean?.value.array(of: Float.self) == before)
    // Without parameters PyTorch only warns about a different number of channels.
    #expect(InstanceNorm2d(3)(.zeros(2, 5, 4, 4)).shape == [2, 5, 4, 4])
    full.eval()
    #expect(full(.zeros(2, 3, 1, 1)).shape == [2, 3, 1, 1])
    full.train()
    for (what, call) in [
      ("channels", { full(.zeros(2, 4, 4, 4)) }), ("one value", { full(.zeros(2, 3, 1, 1)) }),
      ("axes", { full(.zeros(3, 4)) }), ("axes", { InstanceNorm1d(3)(.zeros(2, 3, 4, 4)) }),
      ("integers", { InstanceNorm1d(3)(Tensor.arange(12).reshaped(3, 4)) }),
      ("no running", { instanceNorm(.zeros(2, 3, 4), useInputStats: false) }),
      ("one running", { instanceNorm(.zeros(2, 3, 4), runningMean: .zeros(3)) }),
      ("no space", { instanceNorm(.zeros(2, 3)) }),
    ] as [(String, () -> Tensor)] {
      #expect(throws: TensorError.self, "\(what)") {
        try catchingTensorErrors { call().evaluated() }
      }
    }
  }
}
