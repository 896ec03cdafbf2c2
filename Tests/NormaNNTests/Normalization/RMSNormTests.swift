import NormaNN
import NormaReference
import NormaTensor
import Testing

@Suite struct RMSNormTests {
  @Test(arguments: BatchNormTests.realTypes, [false, true])
  func againstTheDefinition(dtype: DType, channelsLast: Bool) {
    var random = TestRandom(for: "\(#function) \(dtype) \(channelsLast)")
    for (shape, axes) in [
      ([2, 12, 5, 7], [3]), ([4, 6, 33], [1, 2]), ([8, 3], [1]), ([3, 5, 4], [1]),
      ([16, 512], [1]), ([2, 3, 4], [0, 1, 2]),
    ] {
      for mean in [0, 20.0] {
        let x = BatchNormTests.batch(
          shape, dtype, channelsLast: channelsLast && shape.count > 2, mean: mean, &random
        ).tensor
        let sizes = axes.map { shape[$0] }
        var check = NormalizationCheck(
          axes: axes, shape: shape,
          parameterShape: shape.indices.map { axes.contains($0) ? shape[$0] : 1 },
          isCentered: false)
        check.eps = dtype == .float64 ? 0x1p-52 : 0x1p-23
        let errors = check.errors(
          x, weight: random.doubles(sizes.reduce(1, *), mean: 1), bias: nil,
          upstream: random.doubles(x.count, mean: 0.2)
        ) { x, weight, _ in
          rmsNorm(x, normalizedShape: sizes, axes: axes, weight: weight.reshaped(sizes))
        }
        NormalizationCheck.expectSmall(
          errors, limit: dtype == .float64 ? 24 : 4, "\(dtype) \(shape) over \(axes)")
      }
    }
  }

  /// `torch.nn.functional.rms_norm(torch.tensor([[1., 2, 3], [0, 0, 0]]), [3])`, and what PyTorch
  /// loses: squares that overflow or vanish in `float32`.
  @Test func values() {
    let y = rmsNorm(Tensor([[1, 2, 3], [0, 0, 0]] as [[Float]]), normalizedShape: [3])
    #expect(y[0].allClose(to: Tensor([0.46291, 0.92582, 1.38873] as [Float]), rtol: 1e-5))
    #expect(y[1].array(of: Float.self) == [0, 0, 0])
    let wide = rmsNorm(Tensor([3e30, 4e30] as [Float]), normalizedShape: [2], eps: 0)
    #expect(wide.allClose(to: Tensor([0.8485281, 1.1313709] as [Float]), rtol: 1e-6))
    let small = rmsNorm(Tensor([3e-30, 4e-30] as [Float]), normalizedShape: [2], eps: 0)
    #expect(small.allClose(to: Tensor([0.8485281, 1.1313709] as [Float]), rtol: 1e-6))
    let infinite = rmsNorm(Tensor([1, .infinity, 3] as [Float]), normalizedShape: [3])
    #expect(infinite[0].item() == 0 && infinite[1].item().isNaN)
  }

  @Test func edges() {
    let layer = RMSNorm([2, 3])
    #expect(layer.stateDict().keys.sorted() == ["weight"])
    #expect(RMSNorm(3, elementwiseAffine: false).stateDict().isEmpty)
    #expect(layer(.zeros(0, 2, 3)).shape == [0, 2, 3])
    #expect(layer(.ones(5, 2, 3, dtype: .float16)).dtype == .float16)
    let images = withSeed(1) { Tensor.randn(2, 8, 3, 3) }
    let last = RMSNorm(8)(images.permuted(0, 2, 3, 1)).permuted(0, 3, 1, 2)
    #expect(RMSNorm(8, axis: 1)(images).allClose(to: last, rtol: 1e-6, atol: 1e-6))
    for call in [
      { layer(.zeros(3, 2)) }, { layer(Tensor.arange(6).reshaped(2, 3)) },
      { rmsNorm(.zeros(3), normalizedShape: []) }, { RMSNorm(4, axis: 1)(.zeros(2, 3)) },
      { rmsNorm(.zeros(2, 3), normalizedShape: [3, 2], axes: [1, 0]) },
      { rmsNorm(.zeros(2, 3), normalizedShape: [3], weight: .ones(2)) },
    ] as [() -> Tensor] {
      #expect(throws: TensorError.self) { try catchingTensorErrors { call().evaluated() } }
    }
  }
}
