import NormaNN
import NormaTensor
import Testing

/// Norms whose scale and shift come from elsewhere, of channels, and of weights.
@Suite struct AdaptiveNormTests {
  private func expect(
    _ found: Tensor?, _ expected: Tensor, ulps: Double = 4,
    location: SourceLocation = #_sourceLocation
  ) { BatchNormKindsTests.expect(found, expected, ulps: ulps, location: location) }

  @Test func adaptiveInstance() throws {
    let x = withSeed(1) { Tensor.randn(2, 3, 4, 5) }
    let style = withSeed(2) { Tensor.randn(2, 3, 6) } * 2 + 5
    let wide = style.cast(to: .float64)
    let spread = (wide.variance(over: 2, correction: 0) + 1e-5).sqrt().reshaped(2, 3, 1, 1)
    let expected =
      BatchNormKindsTests.normalized(x, over: [2, 3]) * spread
      + wide.mean(over: 2).reshaped(2, 3, 1, 1)
    expect(adaptiveInstanceNorm(x, style: style), expected)
    _ = try checkGradient(
      of: { adaptiveInstanceNorm($0[0], style: $0[1]) },
      at: [x[..<1, ..<2, ..<2, ..<2], style[..<1, ..<2, ..<3]], tolerance: 1e-6)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { adaptiveInstanceNorm(x, style: style[..<1]) }
    }
  }

  @Test func adaptiveLayer() throws {
    let norm = AdaptiveLayerNorm(6, conditions: 4)
    #expect(norm.stateDict().keys.sorted() == ["linear.bias", "linear.weight"])
    let (x, condition) = withSeed(3) { (Tensor.randn(2, 5, 6), Tensor.randn(2, 4)) }
    let wide = condition.cast(to: .float64)
    let parameters =
      (wide * wide.sigmoid()).matmul(
        norm.linear.weight.value.detached().cast(to: .float64).transposed())
      + (norm.linear.bias?.value.detached().cast(to: .float64) ?? .zeros(12))
    let parts = parameters.reshaped(2, 1, 2, 6)
    let expected =
      BatchNormKindsTests.normalized(x, over: [2]) * (parts[0..., 0..., 0] + 1)
      + parts[0..., 0..., 1]
    expect(norm(x, condition), expected)
    norm(x, condition).sum().backward()
    expect(
      norm.linear.bias?.grad?[6...], Tensor([Double](repeating: 10, count: 6)))
    #expect(throws: TensorError.self) { try catchingTensorErrors { norm(x, condition[..<1]) } }
  }

  @Test(arguments: [false, true])
  func channelsOfImages(channelsLast: Bool) {
    let x = withSeed(4) {
      channelsLast
        ? Tensor.randn(2, 4, 3, 8).permuted(0, 3, 1, 2) : Tensor.randn(2, 8, 4, 3)
    }
    let layer = LayerNorm2d(8)
    #expect(layer.eps == 1e-6 && layer.stateDict()["weight"]?.shape == [8])
    expect(layer(x), BatchNormKindsTests.normalized(x, over: [1], eps: 1e-6))
    let root = RMSNorm2d(8)
    #expect(root.stateDict().keys.sorted() == ["weight"])
    let wide = x.cast(to: .float64)
    expect(root(x), wide / (wide.squared().mean(over: 1, keepDims: true) + 1e-6).sqrt())
  }

  @Test func standardizedConvolutions() throws {
    let x = withSeed(5) { Tensor.randn(2, 4, 6, 6) }
    let standard = StdConv2d(4, 3, kernelSize: 3)
    #expect(standard.stateDict().keys.sorted() == ["weight"])
    let weight = BatchNormKindsTests.normalized(
      standard.weight.value.detached(), over: [1, 2, 3], eps: 1e-6)
    expect(standard(x), conv2d(x.cast(to: .float64), weight: weight, padding: 1), ulps: 16)

    let scaled = ScaledStdConv2d(4, 6, kernelSize: 3, stride: 2, groups: 2, gamma: 1.7)
    #expect(scaled.stateDict().keys.sorted() == ["bias", "gain", "weight"])
    #expect(scaled.stateDict()["gain"]?.shape == [6, 1, 1, 1])
    scaled.gain.value = withSeed(6) { .randn(6, 1, 1, 1) }
    let own = BatchNormKindsTests.normalized(
      scaled.weight.value.detached(), over: [1, 2, 3], eps: 1e-6)
    let gain = scaled.gain.value.detached().cast(to: .float64) * (1.7 / 18.0.squareRoot())
    let y = scaled(x)
    expect(
      y,
      conv2d(
        x.cast(to: .float64), weight: own * gain,
        bias: scaled.bias?.value.detached().cast(to: .float64), stride: 2, padding: 1, groups: 2),
      ulps: 16)
    y.sum().backward()
    #expect(scaled.gain.grad?.shape == [6, 1, 1, 1] && scaled.weight.grad?.shape == [6, 2, 3, 3])
    // A filter's mean and size do not matter.
    let sums = scaled.weight.grad?.sum(over: 1, 2, 3).abs().max().item() ?? .nan
    #expect(sums < 1e-4)
  }
}
