import NormaNN
import NormaTensor
import Testing

/// Layers of convolution, pooling, resizing and padding: names, shapes and options.
@Suite struct ConvolutionLayerTests {
  /// A number and an array of numbers stand wherever their literals do.
  @Test func numbersStandWhereTheirLiteralsDo() {
    let (k, step, both) = (3, 2, [2, 1])
    let x = Tensor.ones(1, 2, 8, 9)
    let optional: Int? = nil
    for (layer, shape) in [
      (Conv2d(2, 4, kernelSize: k, stride: step, padding: k / 2), [1, 4, 4, 5]),
      (Conv2d(2, 4, kernelSize: k, stride: both, padding: [1, k / 2]), [1, 4, 4, 9]),
      (Conv2d(2, 4, kernelSize: [k, 1], padding: .same), [1, 4, 8, 9]),
      (Conv2d(2, 4, kernelSize: k, padding: .valid, dilation: step), [1, 4, 4, 5]),
      (MaxPool2d(kernelSize: k, stride: step, padding: k / 2), [1, 2, 4, 5]),
      (AvgPool2d(kernelSize: k, stride: optional), [1, 2, 2, 3]),
      (AdaptiveAvgPool2d(k), [1, 2, 3, 3]),
      (AdaptiveAvgPool2d([k, nil]), [1, 2, 3, 9]),
      (AdaptiveMaxPool2d(both), [1, 2, 2, 1]),
      (ConvTranspose2d(2, 4, kernelSize: k, stride: step, padding: k / 2), [1, 4, 15, 17]),
      (LPPool2d(2, kernelSize: k, stride: step), [1, 2, 3, 4]),
      (Upsample(size: both), [1, 2, 2, 1]),
      (ZeroPad2d(k), [1, 2, 14, 15]),
      (StdConv2d(2, 4, kernelSize: k, stride: step), [1, 4, 4, 5]),
    ] as [(any Layer, [Int])] {
      #expect(layer(x).shape == shape, "\(layer)")
    }
  }

  @Test func statesHaveNamesOfPyTorch() {
    #expect(
      Conv2d(4, 6, kernelSize: [3, 2], groups: 2).stateDict().mapValues(\.shape)
        == ["weight": [6, 2, 3, 2], "bias": [6]])
    #expect(
      ConvTranspose1d(4, 6, kernelSize: 3, groups: 2, bias: false).stateDict().mapValues(\.shape)
        == ["weight": [4, 3, 3]])
    #expect(MaxPool2d(kernelSize: 2).stateDict().isEmpty)
  }

  /// `torch.manual_seed(0); nn.ConvTranspose2d(2, 1, 1)` and `nn.Conv2d(2, 2, 1)`.
  @Test func initialValuesAreThoseOfPyTorch() {
    let transposed = withSeed(0) { ConvTranspose2d(2, 1, kernelSize: 1) }
    #expect(
      transposed.weight.value.array(of: Float.self) == [-0.007486820220947266, 0.5364435911178589])
    #expect(transposed.bias?.value.array(of: Float.self) == [-0.8230451345443726])
    let plain = withSeed(0) { Conv2d(2, 2, kernelSize: 1) }
    #expect(
      plain.weight.value.array(of: Float.self)
        == [-0.005293981172144413, 0.37932288646698, -0.5819807648658752, -0.5203874707221985])
    #expect(plain.bias?.value.array(of: Float.self) == [-0.27234524488449097, 0.1896158903837204])
  }

  @Test func paddingModesAgreeWithPaddingBefore() {
    let x = withSeed(1) { Tensor.randn(2, 3, 6, 5) }
    for mode in [PaddingMode.reflect, .replicate, .circular] {
      let layer = withSeed(2) {
        Conv2d(3, 4, kernelSize: 3, stride: 2, padding: [2, 1], paddingMode: mode)
      }
      let expected = conv2d(
        x.padded([1, 1, 2, 2], mode: mode), weight: layer.weight.value, bias: layer.bias?.value,
        stride: 2)
      #expect(layer(x).isEqual(to: expected))
    }
    let same = Conv2d(3, 4, kernelSize: [2, 3], padding: .same, paddingMode: .circular)
    #expect(same(x).shape == [2, 4, 6, 5])
  }

  @Test func transposedConvolutionsReachASize() {
    let layer = ConvTranspose2d(3, 2, kernelSize: 3, stride: 2, padding: 1)
    let x = Tensor.ones(2, 3, 4, 5)
    #expect(layer(x).shape == [2, 2, 7, 9])
    #expect(layer(x, outputSize: [8, 9]).shape == [2, 2, 8, 9])
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { layer(x, outputSize: [9, 9]) }
    }
  }

  @Test func poolingsAndPaddings() {
    let x = withSeed(3) { Tensor.randn(2, 3, 8, 6) }
    #expect(MaxPool2d(kernelSize: 3, stride: 2, padding: 1)(x).shape == [2, 3, 4, 3])
    #expect(AvgPool2d(kernelSize: 2)(x).allClose(to: AdaptiveAvgPool2d([4, 3])(x), atol: 1e-6))
    #expect(AdaptiveMaxPool2d(1)(x).isEqual(to: x.max(over: 2, 3, keepDims: true)))
    #expect(AdaptiveAvgPool2d(1)(x).isEqual(to: x.mean(over: 2, 3, keepDims: true)))
    #expect(Upsample(scaleFactor: [2])(x).shape == [2, 3, 16, 12])
    #expect(ReflectionPad2d([1, 2, 3, 0])(x).shape == [2, 3, 11, 9])
    #expect(ZeroPad1d(2)(x[0]).shape == [3, 8, 10])
    #expect(throws: TensorError.self) { try catchingTensorErrors { CircularPad3d(1)(x[0]) } }
  }
}
