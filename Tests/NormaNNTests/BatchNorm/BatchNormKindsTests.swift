import NormaNN
import NormaTensor
import Testing

/// Frozen, ghost, split, conditional batch norm and batch renormalization, against batch norm
/// itself and against formulas in `float64`.
@Suite struct BatchNormKindsTests {
  /// (x - mean) / √(variance + eps) over axes, of `float64`.
  static func normalized(_ x: Tensor, over axes: [Int], eps: Double = 1e-5) -> Tensor {
    let wide = x.cast(to: .float64)
    let variance = wide.variance(over: axes, correction: 0, keepDims: true)
    return (wide - wide.mean(over: axes, keepDims: true)) / (variance + eps).sqrt()
  }

  static func expect(
    _ found: Tensor?, _ expected: Tensor, ulps: Double = 4,
    location: SourceLocation = #_sourceLocation
  ) {
    let error =
      found?.shape == expected.shape
      ? NormalizationCheck.error(found, expected.array()) : .infinity
    #expect(error <= ulps, "\(error) ulp", sourceLocation: location)
  }

  @Test func frozen() throws {
    let norm = BatchNorm2d(3)
    _ = norm(withSeed(1) { .randn(4, 3, 5, 5) } * 2 + 1)
    norm.weight?.value = Tensor([1, 2, 3] as [Float])
    norm.bias?.value = Tensor([3, 2, 1] as [Float])
    let frozen = FrozenBatchNorm2d(norm)
    norm.eval()
    let x = withSeed(2) { Tensor.randn(2, 3, 4, 4) }.requiringGradient()
    let y = frozen(x)
    #expect(y.isEqual(to: norm(x)) && frozen.parameters.isEmpty)
    y.sum().backward()
    #expect(x.grad?.shape == [2, 3, 4, 4])
    #expect(
      frozen.stateDict().keys.sorted() == ["bias", "running_mean", "running_var", "weight"])
    let other = FrozenBatchNorm2d(3)
    #expect(other(x).allClose(to: x, rtol: 1e-5, atol: 1e-8))
    let report = try other.load(norm.stateDict(), strict: false)
    #expect(report.unexpected == ["num_batches_tracked"] && report.missing.isEmpty)
    #expect(other(x).isEqual(to: y))
  }

  @Test(arguments: [false, true])
  func ghost(channelsLast: Bool) {
    let x = withSeed(3) {
      channelsLast
        ? Tensor.randn(11, 4, 5, 3).permuted(0, 3, 1, 2) : Tensor.randn(11, 3, 4, 5)
    }
    let (ghost, plain) = (GhostBatchNorm(3, partSize: 4, momentum: 0.3), BatchNorm2d(3))
    for norm in [ghost, plain] { norm.weight?.value = Tensor([1, 2, 3] as [Float]) }
    let leaf = x.requiringGradient()
    let y = ghost(leaf)
    let g = withSeed(4) { Tensor.randn(11, 3, 4, 5) }
    y.backward(upstream: g)
    var mean = Tensor.zeros([3], dtype: .float64)
    var variance = Tensor.zeros([3], dtype: .float64)
    for (start, count) in [(0, 4), (4, 4), (8, 3)] {
      let part = x[start..<(start + count)].requiringGradient()
      let alone = plain(part)
      #expect(
        y[start..<(start + count)].allClose(to: alone, rtol: 1e-6, atol: 1e-6), "from \(start)")
      alone.backward(upstream: g[start..<(start + count)])
      #expect(
        leaf.grad.map {
          $0[start..<(start + count)].allClose(to: part.grad ?? .zeros(1), rtol: 1e-5, atol: 1e-6)
        } == true)
      if count == 4 {
        mean = mean + part.detached().cast(to: .float64).mean(over: 0, 2, 3) / 2
        variance = variance + part.detached().cast(to: .float64).variance(over: 0, 2, 3) / 2
      }
    }
    Self.expect(ghost.weight?.grad, plain.weight?.grad?.cast(to: .float64) ?? .zeros(1), ulps: 32)
    Self.expect(ghost.runningMean?.value, mean * 0.3, ulps: 1)
    Self.expect(ghost.runningVar?.value, variance * 0.3 + 0.7, ulps: 1)
    #expect(ghost.numBatchesTracked?.value.item() == 1)
    let (output, update) = ghost.forward(x)
    #expect(output.isEqual(to: y) && update?.moments.count == [80, 80, 80])
    #expect(ghost(x[..<4]).isEqual(to: plain(x[..<4])))
    ghost.eval()
    #expect(
      ghost(x).isEqual(
        to: batchNorm(
          x, runningMean: ghost.runningMean?.value, runningVar: ghost.runningVar?.value,
          weight: ghost.weight?.value, bias: ghost.bias?.value)))
    ghost.train()
    for call in [
      { GhostBatchNorm(3, partSize: 2)(.zeros(5, 3)) },
      { GhostBatchNorm(3, partSize: 1)(.zeros(5, 3)) },
      { GhostBatchNorm(3, partSize: 0)(.zeros(5, 3)) },
      { GhostBatchNorm(3, partSize: 4)(x, mask: .ones(11, 1, 1, 1)) },
    ] as [() -> Tensor] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { call().evaluated() } }
    }
  }

  @Test func split() {
    let norm = SplitBatchNorm2d(2, splits: 3)
    #expect(norm.stateDict().count == 15)
    #expect(norm.stateDict()["aux_bn.1.running_var"]?.shape == [2])
    let x = withSeed(5) { Tensor.randn(6, 2, 3, 3) }
    let y = norm(x)
    for part in 0..<3 {
      let range = (2 * part)..<(2 * part + 2)
      #expect(y[range].isEqual(to: batchNorm(x[range], training: true)))
    }
    let second = BatchNorm2d(2)
    _ = second(x[2..<4])
    #expect(
      norm.auxBn[0].runningMean?.value.array(of: Float.self)
        == second.runningMean?.value.array(of: Float.self))
    norm.eval()
    #expect(norm(x[..<4]).shape == [4, 2, 3, 3])
    norm.train()
    #expect(throws: TensorError.self) { try catchingTensorErrors { norm(x[..<4]) } }
  }

  @Test func renormalization() throws {
    let x = withSeed(6) { Tensor.randn(4, 3, 5) } * 3 + 1
    let (renorm, plain) = (BatchRenorm(3, momentum: 0.2), BatchNorm1d(3, momentum: 0.2))
    (renorm.largestScale, renorm.largestShift) = (1, 0)
    #expect(renorm(x).allClose(to: plain(x), rtol: 1e-6, atol: 1e-6))
    (renorm.largestScale, renorm.largestShift) = (100, 100)
    // Without bounds, the batch is normalized by the running statistics.
    let expected = batchNorm(
      x, runningMean: renorm.runningMean?.value, runningVar: renorm.runningVar?.value)
    #expect(renorm(x).allClose(to: expected, rtol: 1e-5, atol: 1e-5))
    _ = plain(x)
    #expect(
      renorm.runningVar?.value.array(of: Float.self)
        == plain.runningVar?.value.array(of: Float.self))

    (renorm.largestScale, renorm.largestShift) = (1.5, 0.2)
    renorm.weight?.value = Tensor([1, 2, 3] as [Float])
    renorm.bias?.value = Tensor([3, 2, 1] as [Float])
    let wide = x.cast(to: .float64)
    func channels(_ x: Tensor?) -> Tensor {
      (x?.detached() ?? .zeros(3)).cast(to: .float64).reshaped(1, 3, 1)
    }
    let (variance, mean) = (
      wide.variance(over: 0, 2, correction: 0, keepDims: true),
      wide.mean(over: 0, 2, keepDims: true)
    )
    let spread = (channels(renorm.runningVar?.value) + 1e-5).sqrt()
    let r = ((variance + 1e-5).sqrt() / spread).clamped(min: 1 / 1.5, max: 1.5)
    let d = ((mean - channels(renorm.runningMean?.value)) / spread).clamped(min: -0.2, max: 0.2)
    let (weight, bias) = (channels(renorm.weight?.value), channels(renorm.bias?.value))
    let leaf = x.requiringGradient()
    let y = renorm(leaf)
    let twin = wide.requiringGradient()
    let truth = (Self.normalized(twin, over: [0, 2]) * r + d) * weight + bias
    Self.expect(y, truth)
    let g = withSeed(7) { Tensor.randn(4, 3, 5) }
    y.backward(upstream: g)
    truth.backward(upstream: g.cast(to: .float64))
    Self.expect(leaf.grad, twin.grad ?? .zeros(1))
    let normalized = Self.normalized(x, over: [0, 2]) * r + d
    Self.expect(
      renorm.weight?.grad, (normalized * g.cast(to: .float64)).sum(over: 0, 2), ulps: 16)
    Self.expect(renorm.bias?.grad, g.cast(to: .float64).sum(over: 0, 2))
    renorm.largestScale = 0.5
    #expect(throws: TensorError.self) { try catchingTensorErrors { renorm(x) } }
  }

  @Test func conditional() {
    let norm = ConditionalBatchNorm2d(3, classes: 4)
    #expect(
      norm.stateDict().keys.sorted() == [
        "bn.num_batches_tracked", "bn.running_mean", "bn.running_var", "embed.weight",
      ])
    #expect(norm.embed.weight.value[0..., 3...].abs().max().item() == 0)
    norm.embed.weight.value = withSeed(8) { .randn(4, 6) }
    let x = withSeed(9) { Tensor.randn(5, 3, 2, 2) }
    let classes = Tensor([0, 3, 1, 3, 2] as [Int64])
    let rows = norm.embed.weight.value.detached().cast(to: .float64)
    let y = norm(x, classes)
    for (sample, row) in [0, 3, 1, 3, 2].enumerated() {
      let parts = rows[row].reshaped(2, 3, 1, 1)
      let expected = Self.normalized(x, over: [0, 2, 3])[sample] * parts[0] + parts[1]
      Self.expect(y[sample], expected)
    }
    y.sum().backward()
    #expect(norm.embed.weight.grad?[3, 3...].array(of: Float.self) == [8, 8, 8])
    #expect(throws: TensorError.self) { try catchingTensorErrors { norm(x, classes[..<4]) } }
  }
}
