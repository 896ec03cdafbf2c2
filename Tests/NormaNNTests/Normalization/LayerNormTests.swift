import NormaNN
import NormaTensor
import Testing

@Suite struct LayerNormTests {
  /// `nn.LayerNorm(4)` on `arange(12).reshape(3, 4) ** 2`, upstream `arange(12) - 5`.
  @Test func asInPyTorch() {
    let x = (Tensor.arange(12).cast(to: .float32).squared()).reshaped(3, 4).requiringGradient()
    let layer = LayerNorm(4)
    let y = layer(x)
    let row: [Float] = [-1, -5 / 7, 1 / 7, 11 / 7].map { $0 }
    let first = y[0].array(of: Float.self)
    for (a, b) in zip(first, row) { #expect(abs(a - b) < 1e-5) }
    y.backward(upstream: (Tensor.arange(12).cast(to: .float32) - 5).reshaped(3, 4))
    #expect(layer.bias?.grad?.array(of: Float.self) == [-3, 0, 3, 6])
    #expect(layer.weight?.grad?.shape == [4])
    #expect(x.grad?.shape == [3, 4])
    let sums = x.grad?.sum(over: 1).array(of: Float.self) ?? []
    #expect(sums.count == 3 && sums.allSatisfy { abs($0) < 1e-5 })
  }

  @Test func edges() {
    let layer = LayerNorm([2, 3])
    #expect(layer.stateDict().keys.sorted() == ["bias", "weight"])
    #expect(LayerNorm(3, elementwiseAffine: false).stateDict().isEmpty)
    #expect(LayerNorm(3, bias: false).stateDict().keys.sorted() == ["weight"])
    #expect(layer(.zeros(0, 2, 3)).shape == [0, 2, 3])
    #expect(layer(.full([4, 2, 3], 7.0)).array(of: Float.self).allSatisfy { $0 == 0 })
    #expect(LayerNorm(1)(.full([5, 1], 3.0)).array(of: Float.self) == [0, 0, 0, 0, 0])
    // 0 / 0, as in PyTorch: with eps 0, equal values have no direction.
    let equal = layerNorm(Tensor.ones(1, 3), normalizedShape: [3], eps: 0)
    #expect(equal.array(of: Float.self).allSatisfy { $0.isNaN })
    let empty = Tensor.zeros(0, 2, 3).requiringGradient()
    layer(empty).sum().backward()
    #expect(empty.grad?.shape == [0, 2, 3])
    #expect(layer.weight?.grad?.array(of: Float.self) == [0, 0, 0, 0, 0, 0])
    #expect(throws: TensorError.self) { try catchingTensorErrors { layer(.zeros(3, 2)) } }
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { layer(Tensor.arange(6).reshaped(2, 3)) }
    }
  }

  @Test func halfTypes() {
    let x = Tensor([1.0, 2, 3, 6], shape: [1, 4], dtype: .bfloat16).requiringGradient()
    let y = LayerNorm(4, dtype: .bfloat16)(x)
    #expect(y.dtype == .bfloat16)
    y.backward(upstream: Tensor([1.0, 0, 0, 0], shape: [1, 4], dtype: .bfloat16))
    #expect(x.grad?.dtype == .bfloat16)
  }

  /// Over the channels of images, as of PyTorch's sequences with the channels behind.
  @Test func otherAxes() {
    let x = withSeed(7) { Tensor.randn(2, 8, 3, 5) }.requiringGradient()
    let y = withSeed(8) { Tensor.randn(2, 8, 3, 5) }
    let (layer, twin) = (LayerNorm(8, axis: 1), LayerNorm(8))
    for norm in [layer, twin] { norm.weight?.value = .arange(8).cast(to: .float32) }
    layer(x).backward(upstream: y)
    let gradient = x.grad
    let last = x.detached().permuted(0, 2, 3, 1).requiringGradient()
    twin(last).backward(upstream: y.permuted(0, 2, 3, 1))
    #expect(
      layer(x).allClose(to: twin(last).permuted(0, 3, 1, 2), rtol: 1e-6, atol: 1e-6))
    #expect(
      last.grad.map { gradient?.allClose(to: $0.permuted(0, 3, 1, 2), rtol: 1e-5, atol: 1e-5) }
        == true)
    #expect(layer.weight?.grad?.shape == [8])
    let between = LayerNorm([8, 5], axes: [1, -1])(x)
    #expect(between.mean(over: 1, 3).abs().max().item() < 1e-6)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { LayerNorm([5, 8], axes: [-1, 1])(x) }
    }
  }
}
