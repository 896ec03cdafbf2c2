import NormaNN
import NormaTensor
import Testing

/// Attention of several heads against PyTorch in float64.
@Suite(.seeded) struct MultiheadAttentionTests {
  private func check(
    _ name: String, _ layer: MultiheadAttention, averages: Bool = true
  ) throws {
    try SequenceFixture("attention.\(name)").check(layer, first: "q") { inputs in
      let result = layer(
        inputs["q"] ?? .poisoned, inputs["k"], inputs["v"],
        keyPaddingMask: inputs["key_padding_mask"], mask: inputs["attn_mask"],
        averagesWeights: averages)
      return [result.output, result.weights]
    }
  }

  @Test func plain() throws {
    try check("plain", MultiheadAttention(8, 2, dtype: .float64))
    try check("batch_first", MultiheadAttention(8, 2, batchFirst: true, dtype: .float64))
    try check("unbatched", MultiheadAttention(8, 2, dtype: .float64))
    try check("no_bias", MultiheadAttention(8, 4, bias: false, dtype: .float64), averages: false)
  }

  @Test(arguments: ["padding", "mask", "added", "both"]) func masks(_ name: String) throws {
    try check(name, MultiheadAttention(8, 2, dtype: .float64))
  }

  @Test func addedKeysAndOtherSizes() throws {
    try check(
      "bias_kv", MultiheadAttention(8, 2, addBiasKV: true, addZeroAttn: true, dtype: .float64))
    try check("sizes", MultiheadAttention(8, 2, kdim: 5, vdim: 7, dtype: .float64))
  }

  /// One tensor as query, key and value, without weights.
  @Test func selfAttention() throws {
    let layer = MultiheadAttention(8, 2, batchFirst: true, dtype: .float64)
    try SequenceFixture("attention.self").check(layer, first: "q") {
      [layer($0["q"] ?? .poisoned, needsWeights: false).output]
    }
  }

  /// Whether weights are wanted changes no result.
  @Test(arguments: [false, true]) func withAndWithoutWeights(_ isCausal: Bool) {
    let layer = MultiheadAttention(8, 2, dtype: .float64)
    let x = Tensor.randn([5, 3, 8], dtype: .float64)
    let padding = Tensor.arange(5).unsqueezed(0).broadcast(to: [3, 5]) .== 4
    for mask in [nil, padding] {
      let with = layer(x, keyPaddingMask: mask, isCausal: isCausal)
      let without = layer(x, keyPaddingMask: mask, needsWeights: false, isCausal: isCausal)
      #expect((with.output - without.output).abs().max().item() < 1e-13)
      #expect(without.weights == nil && with.weights?.shape == [3, 5, 5])
      let total = with.weights?.sum(over: -1) ?? .poisoned
      #expect((total - 1).abs().max().item() < 1e-12)
      if isCausal { #expect(with.weights?[0..., 0, 1...].abs().max().item() == 0) }
    }
  }

  /// Without a cache the first query is at the position of the first key.
  @Test func oneCausalQuerySeesOneKey() {
    let layer = MultiheadAttention(8, 2, dtype: .float64)
    let keys = Tensor.randn([4, 3, 8], dtype: .float64)
    let weights = layer(keys[0..<1], keys, isCausal: true).weights ?? .poisoned
    #expect(weights[0..., 0, 0].isEqual(to: .ones(3, dtype: .float64)))
  }

  @Test func dropoutAppliesInTrainingOnly() {
    let layer = MultiheadAttention(8, 2, dropout: 0.9, dtype: .float64)
    let x = Tensor.randn([20, 2, 8], dtype: .float64)
    let dropped = layer(x).weights ?? .poisoned
    #expect((dropped .== 0.0).cast(to: .float64).mean().item() > 0.5)
    layer.eval()
    #expect(((layer(x).weights ?? .poisoned) .== 0.0).cast(to: .float64).sum().item() == 0)
  }

  @Test func initialParametersOfPyTorch() throws {
    try SequenceFixture("initial.attention").checkInitial {
      MultiheadAttention(8, 2, addBiasKV: true)
    }
    try SequenceFixture("initial.attention_sizes").checkInitial {
      MultiheadAttention(8, 2, kdim: 5, vdim: 7)
    }
  }

  @Test func mistakesNameTheShapes() {
    let layer = MultiheadAttention(8, 2)
    let x = Tensor.zeros(5, 3, 8)
    for call in [
      { layer(Tensor.zeros(5, 3, 7)) }, { layer(x, Tensor.zeros(4, 2, 8)) },
      { layer(x, mask: Tensor.zeros([4, 5], dtype: .bool)) },
      { layer(x, keyPaddingMask: Tensor.zeros([5, 3], dtype: .bool)) },
      { layer(x, mask: Tensor.zeros([5, 5], dtype: .int64)) },
    ] {
      let error = #expect(throws: TensorError.self) { try catchingTensorErrors { _ = call() } }
      #expect(error?.call == "MultiheadAttention(_:_:_:)")
    }
    #expect(throws: TensorError.self) { try catchingTensorErrors { _ = MultiheadAttention(8, 3) } }
    let added = MultiheadAttention(8, 2, addZeroAttn: true)
    #expect(throws: TensorError.self) {
      try catchingTensorErrors { _ = added(x, cache: KeyValueCache()) }
    }
  }
}
